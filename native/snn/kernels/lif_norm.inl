// The sums that the gradient of a normalisation on the way into the scan needs: see LifNorm. Included by
// lif_backward.inl, once for each instruction set.
#pragma once
#include <cstdint>
#include <cstring>
#include <type_traits>

#include "snn/kernels/lane_sums.inl"
#include "snn/kernels/lif_rows.inl"
#include "snn/kernels/lif_scan.h"

namespace spikingrx::SPIKINGRX_ISA {
namespace {

// Lanes of the sums of g and of g (x - mean) for the steps of one chunk, over the pieces of a tile: a lane adds up at
// most 64 values in float.
struct ChunkSums {
  Lanes gradient[kLifChunk], product[kLifChunk];
  [[gnu::noinline]] ChunkSums() { clear(); }
  void clear() { std::memset(static_cast<void*>(this), 0, sizeof(*this)); }
};

inline void gather(const float* x, const float* gradient, float mean, int64_t width, Lanes& sum, Lanes& product) {
  Lanes a = {}, b = {}, c = {}, d = {};
  int64_t n = 0;
  for (; n + 2 * kLanes <= width; n += 2 * kLanes) {
    const Lanes g = load(gradient + n), h = load(gradient + n + kLanes);
    a += g, b += h;
    c += g * (load(x + n) - mean), d += h * (load(x + n + kLanes) - mean);
  }
  for (; n < width; n++) a[n % kLanes] += gradient[n], c[n % kLanes] += gradient[n] * (x[n] - mean);
  sum += a + b;
  product += c + d;
}

// Adds the piece of step t that backward has just computed. Not inlined: one for all of the many scans.
template <class Real>
[[gnu::noinline]] void gather_step(const LifBackwardTile<Real>& tile, int64_t t, int64_t first, const Real* gradient,
                                   int64_t width, ChunkSums& sums) {
  if (!tile.norm.sums) return;
  if constexpr (std::is_same_v<Real, float>)
    gather(static_cast<const float*>(tile.current) + t * tile.current_step + first, gradient,
           tile.norm.mean[t * tile.norm.step], width, sums.gradient[t % kLifChunk], sums.product[t % kLifChunk]);
}

// Moves the chunk's sums to the tile's.
[[gnu::noinline]] void add_chunk(ChunkSums& sums, const LifNorm& norm, int64_t begin, int64_t end) {
  if (!norm.sums) return;
  const auto total = [](const Lanes& lanes) {
    double sum = 0;
    for (int64_t lane = 0; lane < kLanes; lane++) sum += lanes[lane];
    return sum;
  };
  for (int64_t t = begin; t < end; t++) {
    norm.sums[t].gradient += total(sums.gradient[t - begin]);
    norm.sums[t].product += total(sums.product[t - begin]);
  }
  sums.clear();
}

}  // namespace
}  // namespace spikingrx::SPIKINGRX_ISA
