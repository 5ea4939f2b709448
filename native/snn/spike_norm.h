// SpikeNorm: normalisation by channel whose statistics never mix time steps.
//
//   y[:,t,c] = gamma[c] (x[:,t,c] - mean[t,c]) / sqrt(variance[t,c] + epsilon) + beta[c]
//
// In training, mean and biased variance are those of step t over (B, H, W), as a BatchNorm2d called once a step
// computes them (Ioffe & Szegedy 2015). Evaluation uses running statistics: one pair a channel ([C], updated once a
// step in the order of time) or one pair a step and channel ([T, C]).
#pragma once
#include <ATen/core/Tensor.h>

#include "api.h"

namespace spikingrx {

struct SpikeNormOptions {
  bool training = false;
  double momentum = 0.1;
  double epsilon = 1e-5;
  // An input of one step that stands for this many equal steps: the running statistics are updated as often.
  int64_t repeats = 1;
};

struct NormTensors {
  at::Tensor gamma, beta;                     // [C]
  at::Tensor running_mean, running_variance;  // [C] or [T, C], updated in place when training
};

// input [B, C, H, W] or [B, T, C, H, W]. With statistics [T, C], T must be the input's number of steps (times repeats).
SPIKINGRX_API at::Tensor spike_norm(const at::Tensor& input, const NormTensors& norm, const SpikeNormOptions& options);

}  // namespace spikingrx
