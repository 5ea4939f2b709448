// ConvBlock: a 2-d convolution alone, Y = W * X + b, with time folded into the batch.
#pragma once
#include <ATen/core/Tensor.h>

#include <vector>

#include "api.h"

namespace spikingrx {

// input [B, C, H, W] or [B, T, C, H, W]; weight [O, C, kh, kw]; bias [O] or undefined. One convolution call for all
// steps.
SPIKINGRX_API at::Tensor conv_block(const at::Tensor& input, const at::Tensor& weight, const at::Tensor& bias,
                                    at::IntArrayRef stride, at::IntArrayRef padding);

// Applies a function of [N, ...] to [B, T, ...] with time folded into the batch. No copy where the input is contiguous.
template <class Function>
at::Tensor fold_time(const at::Tensor& input, Function&& function) {
  const int64_t batch = input.size(0), steps = input.size(1);
  const at::Tensor output = function(input.flatten(0, 1));
  auto shape = output.sizes().vec();
  shape[0] = steps;
  shape.insert(shape.begin(), batch);
  return output.view(shape);
}

}  // namespace spikingrx
