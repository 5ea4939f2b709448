// Connect functions of the spike-element-wise (SEW) residual block (Fang et al. 2021): g(main O, shortcut I).
//
//   add  O + I      and  O I      iand  I (1 - O)      mean  (O + I) / 2
//
// With add the values exceed 1: what enters the next layer is no longer binary.
#pragma once
#include <ATen/core/Tensor.h>

#include <string>

#include "api.h"

namespace spikingrx {

enum class Connect { kAdd, kAnd, kIand, kMean };

// Throws c10::ValueError for a name other than add, and, iand, mean.
SPIKINGRX_API Connect parse_connect(const std::string& connect);

// Two tensors of one shape.
SPIKINGRX_API at::Tensor sew_connect(const at::Tensor& main, const at::Tensor& shortcut, Connect connect);

}  // namespace spikingrx
