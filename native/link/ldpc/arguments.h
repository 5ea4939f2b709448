// Arguments of the channel code's operators, checked: bits, soft bits, codes. All compute on the CPU, whatever the
// device of what they are given, and answer there.
#pragma once
#include <ATen/core/Tensor.h>

#include <string_view>

#include "link/ldpc/kernels/code.h"
#include "link/ldpc/kernels/crc.h"

namespace spikingrx::ldpc {

// bits [..., n] of any dtype -> contiguous uint8 of 0 and 1. ERR_SHAPE without an axis, ERR_RANGE for another value.
at::Tensor checked_bits(const at::Tensor& bits, const char* owner);

// llr [..., n] floating point -> contiguous float32. ERR_TYPE for another dtype.
at::Tensor checked_llr(const at::Tensor& llr, const char* owner);

// ERR_RANGE unless graph is 1 or 2, `lifting` a lifting size and 1 <= information <= the code's.
Code checked_code(int64_t graph, int64_t lifting, int64_t information, const char* owner);

// ERR_ARGUMENT for another name.
const CrcPolynomial& checked_polynomial(std::string_view name, const char* owner);

// The shape of `tensor` with another last axis.
std::vector<int64_t> with_last(const at::Tensor& tensor, int64_t last);

// Product of all axes but the last.
int64_t words_of(const at::Tensor& tensor);

}  // namespace spikingrx::ldpc
