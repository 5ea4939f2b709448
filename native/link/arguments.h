// What the operators of the link share: complex numbers cross as a last axis of 2 (real, imaginary), and arguments are
// checked before anything is computed.
#pragma once
#include <ATen/core/Tensor.h>
#include <ATen/ops/view_as_complex.h>
#include <ATen/ops/view_as_real.h>

#include <cmath>

#include "error.h"

namespace spikingrx::link {

// [..., 2] -> complex [...], a view where the layout allows.
inline at::Tensor as_complex(const at::Tensor& pairs) {
  return at::view_as_complex(pairs.stride(-1) == 1 && pairs.is_contiguous() ? pairs : pairs.contiguous());
}

inline at::Tensor as_pairs(const at::Tensor& complex) { return at::view_as_real(complex.contiguous()); }

inline void check_real(const char* name, const at::Tensor& tensor) {
  SPIKINGRX_CHECK(tensor.scalar_type() == at::kFloat || tensor.scalar_type() == at::kDouble, "ERR_TYPE", name,
                  " must be float32 or float64, got ", tensor.dtype());
}

// Complex pairs with `axes` axes before the last.
inline void check_pairs(const char* name, const at::Tensor& tensor, int64_t axes) {
  check_real(name, tensor);
  SPIKINGRX_CHECK(tensor.dim() == axes + 1 && tensor.size(-1) == 2, "ERR_SHAPE", name, " must have ", axes,
                  " axes and a last one of real and imaginary part, got ", tensor.sizes());
}

inline void check_axes(const char* name, const at::Tensor& tensor, int64_t axes) {
  check_real(name, tensor);
  SPIKINGRX_CHECK(tensor.dim() == axes, "ERR_SHAPE", name, " must have ", axes, " axes, got ", tensor.sizes());
}

inline void check_alike(const char* name, const at::Tensor& tensor, const at::Tensor& model) {
  SPIKINGRX_CHECK(tensor.scalar_type() == model.scalar_type(), "ERR_TYPE", name, " must be ", model.dtype(),
                  " as the others are, got ", tensor.dtype());
  SPIKINGRX_CHECK(tensor.device() == model.device(), "ERR_DEVICE", name, " must be on ", model.device(),
                  " as the others are, got ", tensor.device());
}

// One value a sample, or one for all.
inline void check_per_sample(const char* name, const at::Tensor& tensor, int64_t batch) {
  check_axes(name, tensor, 1);
  SPIKINGRX_CHECK(tensor.size(0) == batch || tensor.size(0) == 1, "ERR_SHAPE", name, " must have ", batch,
                  " values or one, got ", tensor.size(0));
}

// The grid [S, K] of a received tensor [B, R, S, K, 2].
inline void check_grid(const char* name, const at::Tensor& grid, int64_t symbols, int64_t subcarriers) {
  SPIKINGRX_CHECK(grid.size(0) == symbols && grid.size(1) == subcarriers, "ERR_SHAPE", name, " must be for ", symbols,
                  " symbols x ", subcarriers, " subcarriers, got ", grid.size(0), " x ", grid.size(1));
}

}  // namespace spikingrx::link
