#include "link/ldpc/kernels/decode.h"

#include "snn/kernels/instruction_set.h"

namespace spikingrx::ldpc {
namespace {

constexpr int64_t kRowFloats = 16;

using DecodeGroup = int64_t (*)(const DecoderGroup&, const DecoderOptions&);

DecodeGroup choose() {
#if defined(__x86_64__)
  if (instruction_set() == InstructionSet::kV4) return v4::decode_group;
  if (instruction_set() == InstructionSet::kV3) return v3::decode_group;
#endif
  return portable::decode_group;
}

}  // namespace

int64_t interleave(int64_t lifting) {
  int64_t words = 1;
  while (lifting * words % kRowFloats != 0) words *= 2;
  return words;
}

int64_t workspace_floats(const Code& code) {
  const int64_t width = code.lifting * interleave(code.lifting);
  return 3 * code.columns * (width + kRowFloats) + static_cast<int64_t>(code.edges.size()) * width;
}

int64_t decode(const DecoderGroup& group, const DecoderOptions& options) {
  static const DecodeGroup chosen = choose();
  return chosen(group, options);
}

}  // namespace spikingrx::ldpc
