// Gray-mapped QPSK, 16-QAM and 64-QAM of 3GPP TS 38.211, 5.1, of unit mean energy, and their soft demapping.
//
//   I = (1 - 2 b0) [2^(n-1) - (1 - 2 b2) [2^(n-2) - ...]] / scale,   Q the same of b1, b3, b5;   n = bits / 2
//
// Bits and LLRs lie as [B, bits, ...], complex numbers as [..., 2]. LLR = log P(b = 1) / P(b = 0).
#pragma once
#include <ATen/core/Tensor.h>

#include <string_view>

namespace spikingrx::link {

// 2, 4 or 6: "qpsk", "16qam", "64qam".
int64_t bits_per_symbol(std::string_view modulation);

// [2^bits, 2] float64: the point of the bits b0 b1 ..., b0 the most significant of the index.
at::Tensor constellation(std::string_view modulation);

// bits [B, bits, ...] of 0 and 1 -> [B, ..., 2]
at::Tensor map_bits(const at::Tensor& bits, std::string_view modulation);

// symbols [B, ..., 2] with circular noise of variance `noise` [B, ...] -> LLRs [B, bits, ...]. method "app": exact;
// "maxlog": the largest exponent in the place of each sum.
at::Tensor demap(const at::Tensor& symbols, const at::Tensor& noise, std::string_view modulation,
                 std::string_view method);

}  // namespace spikingrx::link
