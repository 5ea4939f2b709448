#include "snn/conv_block.h"

#include <ATen/ops/conv2d.h>
#include <torch/library.h>

#include "error.h"

namespace spikingrx {

at::Tensor conv_block(const at::Tensor& input, const at::Tensor& weight, const at::Tensor& bias, at::IntArrayRef stride,
                      at::IntArrayRef padding) {
  SPIKINGRX_CHECK(input.is_floating_point(), "ERR_TYPE", "convBlock expects a floating point input, got ",
                  input.dtype());
  SPIKINGRX_CHECK(input.dim() == 4 || input.dim() == 5, "ERR_SHAPE",
                  "convBlock expects [B, C, H, W] or [B, T, C, H, W], got ", input.sizes());
  SPIKINGRX_CHECK(weight.dim() == 4 && weight.size(1) == input.size(-3), "ERR_SHAPE", "convBlock weight ",
                  weight.sizes(), " does not fit an input with ", input.size(-3), " channels");
  const auto convolve = [&](const at::Tensor& x) { return at::conv2d(x, weight, bias, stride, padding); };
  return input.dim() == 4 ? convolve(input) : fold_time(input, convolve);
}

namespace {
at::Tensor conv_block_operator(const at::Tensor& input, const at::Tensor& weight, const std::optional<at::Tensor>& bias,
                               at::IntArrayRef stride, at::IntArrayRef padding) {
  return conv_block(input, weight, bias.value_or(at::Tensor()), stride, padding);
}
}  // namespace

TORCH_LIBRARY_IMPL(spikingrx, CompositeImplicitAutograd, library) { library.impl("conv_block", &conv_block_operator); }

}  // namespace spikingrx
