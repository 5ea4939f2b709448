// Sums over many floats, included once for each instruction set: in 64 lanes of float over 2,048 values at a time,
// which are then added up in double. 32 additions in float lose at most 2e-6 of the sum of magnitudes, and far less on
// average.
#pragma once
#include <algorithm>
#include <cstdint>
#include <cstring>

namespace spikingrx::SPIKINGRX_ISA {
namespace {

constexpr int64_t kLanes = 16, kBlock = 2048;
typedef float Lanes __attribute__((vector_size(kLanes * sizeof(float))));

[[gnu::always_inline]] inline Lanes load(const float* from) {
  Lanes lanes;
  std::memcpy(&lanes, from, sizeof lanes);
  return lanes;
}

// The sum over a plane of term(offset, lanes of the offset) or of term(offset, one value), as `load_term` gives it.
template <class Vector, class Single>
inline double sum_of(int64_t count, Vector&& vector, Single&& single) {
  double sum = 0;
  for (int64_t block = 0; block < count; block += kBlock) {
    const int64_t end = std::min(count, block + kBlock);
    Lanes a = {}, b = {}, c = {}, d = {};
    int64_t i = block;
    for (; i + 4 * kLanes <= end; i += 4 * kLanes) {
      a += vector(i);
      b += vector(i + kLanes);
      c += vector(i + 2 * kLanes);
      d += vector(i + 3 * kLanes);
    }
    for (; i + kLanes <= end; i += kLanes) a += vector(i);
    for (int64_t lane = 0; lane < kLanes; lane++)
      sum += (static_cast<double>(a[lane]) + b[lane]) + (static_cast<double>(c[lane]) + d[lane]);
    for (; i < end; i++) sum += single(i);
  }
  return sum;
}

}  // namespace
}  // namespace spikingrx::SPIKINGRX_ISA
