// spikingrx::ldpc_decode: groups of code words over threads (kernels/decode.h).
#include "link/ldpc/kernels/decode.h"

#include <ATen/Parallel.h>
#include <ATen/ops/empty.h>
#include <torch/library.h>

#include <algorithm>
#include <atomic>
#include <memory>
#include <new>

#include "error.h"
#include "link/ldpc/arguments.h"

namespace spikingrx::ldpc {
namespace {

constexpr std::align_val_t kAlignment{64};

struct FreeAligned {
  void operator()(float* memory) const { ::operator delete(memory, kAlignment); }
};

DecoderOptions checked_options(std::string_view update, std::string_view schedule, int64_t iterations, bool stop_early,
                               double scale, double offset, double clip, const std::optional<std::string_view>& crc) {
  const char* owner = "ldpc_decode";
  SPIKINGRX_CHECK(update == "sum-product" || update == "min-sum", "ERR_ARGUMENT", owner,
                  " knows the updates sum-product and min-sum, got ", update);
  SPIKINGRX_CHECK(schedule == "flooding" || schedule == "layered", "ERR_ARGUMENT", owner,
                  " knows the schedules flooding and layered, got ", schedule);
  SPIKINGRX_CHECK(iterations >= 1 && iterations <= 1000, "ERR_RANGE", owner, " expects 1 to 1000 iterations, got ",
                  iterations);
  SPIKINGRX_CHECK(scale > 0 && scale <= 1, "ERR_RANGE", owner, " expects a scale in (0, 1], got ", scale);
  SPIKINGRX_CHECK(offset >= 0 && offset <= 10, "ERR_RANGE", owner, " expects an offset in [0, 10], got ", offset);
  SPIKINGRX_CHECK(clip >= 1 && clip <= 80, "ERR_RANGE", owner, " expects a clip in [1, 80], got ", clip);
  DecoderOptions options;
  options.update = update == "min-sum" ? CheckUpdate::kMinSum : CheckUpdate::kSumProduct;
  options.layered = schedule == "layered";
  options.stop_early = stop_early;
  options.iterations = static_cast<int32_t>(iterations);
  options.scale = static_cast<float>(scale), options.offset = static_cast<float>(offset);
  options.clip = static_cast<float>(clip);
  options.crc = crc.has_value() ? &checked_polynomial(*crc, owner) : nullptr;
  return options;
}

// llr [..., columns x lifting] -> bits uint8 [..., K'], LLRs after decoding (as llr, or [0]), iterations int32 [...],
// valid bool [...].
std::tuple<at::Tensor, at::Tensor, at::Tensor, at::Tensor> ldpc_decode(
    const at::Tensor& llr, int64_t graph, int64_t lifting, int64_t information, std::string_view update,
    std::string_view schedule, int64_t iterations, bool stop_early, double scale, double offset, double clip,
    std::optional<std::string_view> crc, bool posterior) {
  const at::Tensor input = checked_llr(llr, "ldpc_decode");
  const Code code = checked_code(graph, lifting, information, "ldpc_decode");
  const int64_t length = code.length(), words = words_of(input);
  SPIKINGRX_CHECK(input.size(-1) == length, "ERR_SHAPE", "ldpc_decode expects LLRs of whole code words, [..., ", length,
                  "], got ", input.sizes());
  const DecoderOptions options = checked_options(update, schedule, iterations, stop_early, scale, offset, clip, crc);
  SPIKINGRX_CHECK(options.crc == nullptr || information >= options.crc->length, "ERR_RANGE",
                  "ldpc_decode expects information bits that hold the CRC, got ", information);

  at::Tensor bits = at::empty(with_last(input, information), at::kByte);
  at::Tensor after = posterior ? at::empty(input.sizes(), at::kFloat) : at::empty({0}, at::kFloat);
  const at::IntArrayRef leading = input.sizes().slice(0, input.dim() - 1);
  at::Tensor used = at::empty(leading, at::kInt), valid = at::empty(leading, at::kBool);
  const float* from = input.const_data_ptr<float>();
  uint8_t* bits_to = bits.mutable_data_ptr<uint8_t>();
  float* after_to = posterior ? after.mutable_data_ptr<float>() : nullptr;
  int32_t* used_to = used.mutable_data_ptr<int32_t>();
  bool* valid_to = valid.mutable_data_ptr<bool>();

  const int64_t together = interleave(lifting), floats = workspace_floats(code);
  std::atomic<int64_t> nan{-1};
  at::parallel_for(0, (words + together - 1) / together, 1, [&](int64_t begin, int64_t end) {
    const std::unique_ptr<float, FreeAligned> workspace(
        static_cast<float*>(::operator new(floats * sizeof(float), kAlignment)));
    for (int64_t i = begin; i < end; i++) {
      const int64_t first = i * together;
      DecoderGroup group;
      group.code = &code;
      group.words = std::min(together, words - first);
      group.information = information;
      group.llr = from + first * length;
      group.workspace = workspace.get();
      group.bits = bits_to + first * information;
      group.posterior = posterior ? after_to + first * length : nullptr;
      group.iterations = used_to + first;
      group.valid = valid_to + first;
      const int64_t place = decode(group, options);
      if (place >= 0) nan = first * length + place;
    }
  });
  SPIKINGRX_CHECK(nan < 0, "ERR_RANGE", "ldpc_decode expects LLRs that are numbers, got NaN in word ", nan / length,
                  " at place ", nan % length);
  return {bits, after, used, valid};
}

}  // namespace

TORCH_LIBRARY_IMPL(spikingrx, CompositeExplicitAutograd, library) { library.impl("ldpc_decode", &ldpc_decode); }

}  // namespace spikingrx::ldpc
