// Mean of a signal over its time steps.
//
//   y[b, i] = 1/T Σ_t x[b, t, i]
#pragma once

#include <algorithm>
#include <cstdint>

namespace spikingrx {

// x [samples, steps, size], y [samples, size]; at least one step. Summed step after step, in float32.
inline void mean_over_time(const float* x, int64_t samples, int64_t steps, int64_t size, float* y) {
  for (int64_t sample = 0; sample < samples; sample++, y += size) {
    std::copy_n(x, size, y);
    x += size;
    for (int64_t t = 1; t < steps; t++, x += size)
      for (int64_t i = 0; i < size; i++) y[i] += x[i];
    for (int64_t i = 0; i < size; i++) y[i] /= static_cast<float>(steps);
  }
}

}  // namespace spikingrx
