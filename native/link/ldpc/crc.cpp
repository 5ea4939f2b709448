// spikingrx::crc_attach, spikingrx::crc_check: a CRC behind the last axis of bits (kernels/crc.h).
#include <ATen/Parallel.h>
#include <ATen/ops/empty.h>
#include <torch/library.h>

#include <cstring>

#include "error.h"
#include "link/ldpc/arguments.h"

namespace spikingrx::ldpc {
namespace {

constexpr int64_t kBitsPerTask = 16384;

int64_t grain(int64_t bits) { return std::max<int64_t>(1, kBitsPerTask / std::max<int64_t>(1, bits)); }

// bits [..., n] -> [..., n + length]
at::Tensor crc_attach(const at::Tensor& bits, std::string_view name) {
  const CrcPolynomial& polynomial = checked_polynomial(name, "crc_attach");
  const at::Tensor input = checked_bits(bits, "crc_attach");
  const int64_t count = input.size(-1), all = count + polynomial.length;
  at::Tensor output = at::empty(with_last(input, all), input.options());
  const uint8_t* from = input.const_data_ptr<uint8_t>();
  uint8_t* to = output.mutable_data_ptr<uint8_t>();
  at::parallel_for(0, words_of(input), grain(count), [&](int64_t begin, int64_t end) {
    for (int64_t word = begin; word < end; word++) {
      uint8_t* target = to + word * all;
      std::memcpy(target, from + word * count, count);
      const uint32_t remainder = crc_remainder(polynomial, target, count);
      for (int32_t i = 0; i < polynomial.length; i++) target[count + i] = remainder >> (polynomial.length - 1 - i) & 1;
    }
  });
  return output;
}

// bits [..., n + length] -> bool [...]: whether the last bits are the CRC of the others.
at::Tensor crc_check(const at::Tensor& bits, std::string_view name) {
  const CrcPolynomial& polynomial = checked_polynomial(name, "crc_check");
  const at::Tensor input = checked_bits(bits, "crc_check");
  const int64_t count = input.size(-1);
  SPIKINGRX_CHECK(count >= polynomial.length, "ERR_SHAPE", "crc_check expects at least the ", polynomial.length,
                  " bits of ", polynomial.name, ", got ", count);
  at::Tensor right = at::empty(input.sizes().slice(0, input.dim() - 1), input.options().dtype(at::kBool));
  const uint8_t* from = input.const_data_ptr<uint8_t>();
  bool* to = right.mutable_data_ptr<bool>();
  at::parallel_for(0, right.numel(), grain(count), [&](int64_t begin, int64_t end) {
    for (int64_t word = begin; word < end; word++)
      to[word] = crc_remainder(polynomial, from + word * count, count) == 0;
  });
  return right;
}

}  // namespace

TORCH_LIBRARY_IMPL(spikingrx, CompositeExplicitAutograd, library) {
  library.impl("crc_attach", &crc_attach);
  library.impl("crc_check", &crc_check);
}

}  // namespace spikingrx::ldpc
