// spikingrx::gold_sequence, spikingrx::scramble: scrambling of TS 38.211 (kernels/scrambling.h).
#include "link/ldpc/kernels/scrambling.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/empty.h>
#include <torch/library.h>

#include "error.h"
#include "link/ldpc/arguments.h"

namespace spikingrx::ldpc {
namespace {

constexpr int64_t kLongestSequence = int64_t(1) << 31;  // the period of the sequence is 2^31 - 1

// uint8 [length]
at::Tensor gold(int64_t length, int64_t initial) {
  SPIKINGRX_CHECK(length >= 0 && length < kLongestSequence, "ERR_RANGE",
                  "gold_sequence expects a length from 0 to 2147483647, got ", length);
  SPIKINGRX_CHECK(initial >= 0 && initial < (int64_t(1) << 31), "ERR_RANGE",
                  "gold_sequence expects an initial state from 0 to 2147483647, got ", initial);
  at::Tensor sequence = at::empty({length}, at::kByte);
  gold_sequence(static_cast<uint32_t>(initial), length, sequence.mutable_data_ptr<uint8_t>());
  return sequence;
}

// Bits [..., n] are added to the sequence mod 2; LLRs [..., n] turn their sign where it is 1. Its own inverse.
at::Tensor scramble(const at::Tensor& input, int64_t initial) {
  SPIKINGRX_CHECK(input.dim() >= 1, "ERR_SHAPE", "scramble expects [..., n], got a tensor without axes");
  if (at::isFloatingType(input.scalar_type())) {
    const at::Tensor sequence = gold(input.size(-1), initial);
    return input * (1 - 2 * sequence.to(input.scalar_type())).to(input.device());
  }
  const at::Tensor bits = checked_bits(input, "scramble");
  return bits.bitwise_xor(gold(bits.size(-1), initial));
}

}  // namespace

TORCH_LIBRARY_IMPL(spikingrx, CompositeExplicitAutograd, library) {
  library.impl("gold_sequence", &gold);
  library.impl("scramble", &scramble);
}

}  // namespace spikingrx::ldpc
