// What LLRs are worth, on the data elements of a grid. llrs and bits [B, bits, S, K]; kinds [S, K].
#pragma once
#include <ATen/core/Tensor.h>

namespace spikingrx::link {

// Wrong hard decisions of each slot, [B] int64; LLR > 0 says 1.
at::Tensor count_errors(const at::Tensor& llrs, const at::Tensor& bits, const at::Tensor& kinds);

// Information a bit of each slot, [B] float64: 1 - mean log2(1 + exp(-(2 b - 1) LLR)). Its mean times the bits of a
// symbol is the rate that bit-metric decoding reaches with these LLRs; below 0 when they mislead.
at::Tensor information(const at::Tensor& llrs, const at::Tensor& bits, const at::Tensor& kinds);

// The data elements' values in the order of a codeword: by symbol, then subcarrier, then bit (TS 38.211, 7.3.1.6).
// [B, bits, S, K] -> [B, E], and back with zeros elsewhere.
at::Tensor gather_data(const at::Tensor& grid, const at::Tensor& kinds);
at::Tensor scatter_data(const at::Tensor& codeword, const at::Tensor& kinds, int64_t bits);

}  // namespace spikingrx::link
