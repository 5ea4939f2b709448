// spikingrx::ldpc_rate_match, spikingrx::ldpc_rate_recover (kernels/rate_matching.h).
#include "link/ldpc/kernels/rate_matching.h"

#include <ATen/Parallel.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/zeros.h>
#include <torch/library.h>

#include <algorithm>
#include <atomic>

#include "error.h"
#include "link/ldpc/arguments.h"

namespace spikingrx::ldpc {
namespace {

constexpr int64_t kMostSent = int64_t(1) << 24;
constexpr int64_t kBitsPerTask = 16384;
constexpr float kSaturated = 1e30f;  // what an infinite LLR counts as, so that two of them can cancel

std::vector<int32_t> checked_positions(const Code& code, RateMatching matching, const char* owner) {
  const int64_t longest = code.length() - kPuncturedColumns * code.lifting;
  SPIKINGRX_CHECK(matching.buffer >= 0 && matching.buffer <= longest, "ERR_RANGE", owner, " expects a buffer of 1 to ",
                  longest, " bits (0: all), got ", matching.buffer);
  if (matching.buffer == 0) matching.buffer = longest;
  SPIKINGRX_CHECK(matching.redundancy_version >= 0 && matching.redundancy_version <= 3, "ERR_RANGE", owner,
                  " expects a redundancy version from 0 to 3, got ", matching.redundancy_version);
  SPIKINGRX_CHECK(matching.length >= 1 && matching.length <= kMostSent, "ERR_RANGE", owner, " sends 1 to ", kMostSent,
                  " bits, got ", matching.length);
  SPIKINGRX_CHECK(matching.bits_per_symbol >= 1 && matching.length % matching.bits_per_symbol == 0, "ERR_RANGE", owner,
                  " expects a whole number of symbols: ", matching.length, " bits are no multiple of ",
                  matching.bits_per_symbol, " bits a symbol");
  SPIKINGRX_CHECK(sendable_bits(code, matching) >= 1, "ERR_RANGE", owner, " has a buffer of ", matching.buffer,
                  " bits with nothing but filler: make it longer");
  std::vector<int32_t> positions(matching.length);
  sent_positions(code, matching, positions.data());
  return positions;
}

int64_t grain(int64_t bits) { return std::max<int64_t>(1, kBitsPerTask / bits); }

// words [..., columns x lifting] -> [..., length]
at::Tensor ldpc_rate_match(const at::Tensor& words, int64_t graph, int64_t lifting, int64_t information, int64_t length,
                           int64_t redundancy_version, int64_t bits_per_symbol, int64_t buffer) {
  const char* owner = "ldpc_rate_match";
  const at::Tensor input = checked_bits(words, owner);
  const Code code = checked_code(graph, lifting, information, owner);
  SPIKINGRX_CHECK(input.size(-1) == code.length(), "ERR_SHAPE", owner, " expects code words of ", code.length(),
                  " bits, got ", input.size(-1));
  const std::vector<int32_t> positions =
      checked_positions(code, {information, length, buffer, redundancy_version, bits_per_symbol}, owner);
  at::Tensor output = at::empty(with_last(input, length), input.options());
  const uint8_t* from = input.const_data_ptr<uint8_t>();
  uint8_t* to = output.mutable_data_ptr<uint8_t>();
  at::parallel_for(0, words_of(input), grain(length), [&](int64_t begin, int64_t end) {
    for (int64_t word = begin; word < end; word++)
      for (int64_t i = 0; i < length; i++) to[word * length + i] = from[word * code.length() + positions[i]];
  });
  return output;
}

// llr [..., length] -> [..., columns x lifting]: the sum of what was received of each bit, and of `earlier` where
// given.
at::Tensor ldpc_rate_recover(const at::Tensor& llr, int64_t graph, int64_t lifting, int64_t information,
                             int64_t redundancy_version, int64_t bits_per_symbol, int64_t buffer,
                             const std::optional<at::Tensor>& earlier) {
  const char* owner = "ldpc_rate_recover";
  const at::Tensor input = checked_llr(llr, owner);
  const Code code = checked_code(graph, lifting, information, owner);
  const int64_t length = input.size(-1), words = words_of(input);
  const std::vector<int32_t> positions =
      checked_positions(code, {information, length, buffer, redundancy_version, bits_per_symbol}, owner);
  at::Tensor output;
  if (earlier.has_value()) {
    output = checked_llr(*earlier, owner).clone();
    SPIKINGRX_CHECK(output.sizes() == with_last(input, code.length()), "ERR_SHAPE", owner,
                    " expects earlier LLRs of shape ", at::IntArrayRef(with_last(input, code.length())), ", got ",
                    output.sizes());
  } else {
    output = at::zeros(with_last(input, code.length()), input.options());
  }
  const float* from = input.const_data_ptr<float>();
  float* to = output.mutable_data_ptr<float>();
  std::atomic<int64_t> nan{-1};
  at::parallel_for(0, words, grain(length), [&](int64_t begin, int64_t end) {
    for (int64_t word = begin; word < end; word++) {
      for (int64_t i = 0; i < length; i++) {
        const float value = from[word * length + i];
        if (value != value) nan = word * length + i;
        to[word * code.length() + positions[i]] += std::min(std::max(value, -kSaturated), kSaturated);
      }
    }
  });
  SPIKINGRX_CHECK(nan < 0, "ERR_RANGE", owner, " expects LLRs that are numbers, got NaN in word ", nan / length,
                  " at place ", nan % length);
  return output;
}

}  // namespace

TORCH_LIBRARY_IMPL(spikingrx, CompositeExplicitAutograd, library) {
  library.impl("ldpc_rate_match", &ldpc_rate_match);
  library.impl("ldpc_rate_recover", &ldpc_rate_recover);
}

}  // namespace spikingrx::ldpc
