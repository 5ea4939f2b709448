// The passes of norm_lif over memory, without autograd. float32, [B, T, C, H, W] contiguous.
#pragma once
#include <ATen/core/Tensor.h>

#include <optional>

#include "snn/lif.h"

namespace spikingrx {

// What forward and backward read: x, the parameters, and the membrane before the first step (undefined: zeros).
struct NormLifInputs {
  at::Tensor input, gamma, beta, decay, threshold, membrane;
};

struct NormLifForward {
  at::Tensor spikes, membrane;
  at::Tensor states;          // the membrane that enters each 16th step (kernels/lif_chunk.h), if wanted
  at::Tensor rows;            // [4, T C]: mean, 1 / deviation, scale, shift
  at::Tensor mean, variance;  // [T, C], the batch's own, the variance unbiased
};

NormLifForward norm_lif_forward(const NormLifInputs& inputs, double epsilon, const LifOptions& options,
                                bool keep_states);

struct NormLifGradients {
  at::Tensor input, gamma, beta;          // gamma and beta [C]
  at::Tensor decay, threshold, membrane;  // decay and threshold if wanted
};

// `states` and `rows` as forward gave them. An upstream gradient may be undefined.
NormLifGradients norm_lif_backward(const at::Tensor& grad_spikes, const at::Tensor& grad_membrane,
                                   const NormLifInputs& inputs, const at::Tensor& states, const at::Tensor& rows,
                                   const LifOptions& options, bool parameter_gradients);

}  // namespace spikingrx
