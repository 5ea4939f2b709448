// Included once for each instruction set; see step_norm.h.
//
// Sums are taken in 64 lanes of float over 2,048 values at a time, which are then added up in double: 32 additions in
// float lose at most 2e-6 of the sum of magnitudes, and far less on average.
#include <algorithm>
#include <cstring>

#include "snn/kernels/step_norm.h"

namespace spikingrx::SPIKINGRX_ISA {
StepNorm step_norm();
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

Moments moments(const float* x, const Planes& planes) {
  const auto count = static_cast<double>(planes.planes * planes.area);
  double sum = 0;
  for (int64_t p = 0; p < planes.planes; p++) {
    const float* from = x + p * planes.step;
    sum += sum_of(planes.area, [&](int64_t i) { return load(from + i); }, [&](int64_t i) { return from[i]; });
  }
  const double mean = sum / count;
  const auto centre = static_cast<float>(mean);
  double squares = 0, rest = 0;
  for (int64_t p = 0; p < planes.planes; p++) {
    const float* from = x + p * planes.step;
    squares += sum_of(
        planes.area,
        [&](int64_t i) {
          const Lanes d = load(from + i) - centre;
          return d * d;
        },
        [&](int64_t i) { return (from[i] - centre) * (from[i] - centre); });
  }
  rest = mean - static_cast<double>(centre);  // sum (x - m)^2 = sum (x - c)^2 - n (m - c)^2
  return {mean, std::max(0.0, squares - count * rest * rest)};
}

void normalise(const float* x, const Planes& planes, float scale, float shift, float* y) {
  for (int64_t p = 0; p < planes.planes; p++) {
    const float* from = x + p * planes.step;
    float* to = y + p * planes.step;
#pragma GCC ivdep
    for (int64_t i = 0; i < planes.area; i++) to[i] = scale * from[i] + shift;
  }
}

GradientSums gradient_sums(const float* x, const float* gradient, const Planes& planes, double mean) {
  const auto centre = static_cast<float>(mean);
  GradientSums sums{0, 0};
  for (int64_t p = 0; p < planes.planes; p++) {
    const float *from = x + p * planes.step, *g = gradient + p * planes.step;
    sums.gradient += sum_of(planes.area, [&](int64_t i) { return load(g + i); }, [&](int64_t i) { return g[i]; });
    sums.product += sum_of(
        planes.area, [&](int64_t i) { return load(g + i) * (load(from + i) - centre); },
        [&](int64_t i) { return g[i] * (from[i] - centre); });
  }
  sums.product += sums.gradient * (static_cast<double>(centre) - mean);
  return sums;
}

void combine(const float* x, const float* gradient, const Planes& planes, float of_gradient, float of_value,
             float constant, float* result) {
  for (int64_t p = 0; p < planes.planes; p++) {
    const float *from = x + p * planes.step, *g = gradient + p * planes.step;
    float* to = result + p * planes.step;
#pragma GCC ivdep
    for (int64_t i = 0; i < planes.area; i++) to[i] = (of_gradient * g[i] + constant) + of_value * from[i];
  }
}

}  // namespace

StepNorm step_norm() { return {&moments, &normalise, &gradient_sums, &combine}; }

}  // namespace spikingrx::SPIKINGRX_ISA
