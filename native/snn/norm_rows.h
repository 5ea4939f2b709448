// What SpikeNorm's own passes and its fusion with LIF share: checks, running statistics, and the few numbers that
// normalise one row, the values of one step and channel. Same numbers, same bits.
#pragma once
#include <ATen/core/Tensor.h>

#include <cmath>

#include "snn/kernels/step_norm.h"
#include "snn/spike_norm.h"

namespace spikingrx {

void check_spike_norm(const at::Tensor& input, const NormTensors& norm, const SpikeNormOptions& options);

// Updates the running statistics by those of a batch, [T, C] each, in the order of time.
void update_statistics(const NormTensors& norm, const at::Tensor& mean, const at::Tensor& variance,
                       const SpikeNormOptions& options);

// Whether the passes of kernels/step_norm.h take [B, R, H, W], or [B, T, C, H, W], with these tensors.
bool has_own_passes(const at::Tensor& input, const NormTensors& norm);

// y = scale x + shift of one row; `inverse` is 1 / sqrt(variance + epsilon), `variance` the unbiased one.
struct NormalisedRow {
  float mean, inverse, variance, scale, shift;
};

inline NormalisedRow normalised_row(const Moments& found, double count, double epsilon, float gamma, float beta) {
  const double inverse = 1 / std::sqrt(found.squares / count + epsilon), scale = gamma * inverse;
  return {static_cast<float>(found.mean), static_cast<float>(inverse), static_cast<float>(found.squares / (count - 1)),
          static_cast<float>(scale), static_cast<float>(beta - scale * found.mean)};
}

// With N values a row, x^ = (x - mean) k:  dx = gamma k (g - sum g / N - x^ sum(g x^) / N)
//                                            = of_gradient g + of_value x + constant
struct RowGradient {
  float of_gradient, of_value, constant, gamma, beta;
};

inline RowGradient row_gradient(const GradientSums& sums, double count, float gamma, float mean, float inverse) {
  const double by = static_cast<double>(gamma) * inverse;
  const double of_value = -by * inverse * inverse * sums.product / count;
  return {static_cast<float>(by), static_cast<float>(of_value),
          static_cast<float>(-by * sums.gradient / count - of_value * mean), static_cast<float>(sums.product * inverse),
          static_cast<float>(sums.gradient)};
}

}  // namespace spikingrx
