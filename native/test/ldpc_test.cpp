// LDPC kernels: what the encoder makes passes every check, and every instruction set decodes to the same bits.
#include <algorithm>
#include <cmath>
#include <memory>
#include <new>
#include <random>
#include <vector>

#include "check.h"
#include "link/ldpc/kernels/decode.h"
#include "link/ldpc/kernels/encode.h"
#include "snn/kernels/instruction_set.h"

namespace {

using namespace spikingrx;
using namespace spikingrx::ldpc;

using DecodeGroup = int64_t (*)(const DecoderGroup&, const DecoderOptions&);

std::vector<DecodeGroup> decoders() {
  std::vector<DecodeGroup> found{portable::decode_group};
#if defined(__x86_64__)
  if (instruction_set() >= InstructionSet::kV3) found.push_back(v3::decode_group);
  if (instruction_set() >= InstructionSet::kV4) found.push_back(v4::decode_group);
#endif
  return found;
}

template <class Body>
void for_codes(Body&& body) {
  for (int64_t graph : {1, 2})
    for (int64_t lifting = 2; lifting <= kLargestLifting; lifting++)
      if (lifting_set(lifting) >= 0) body(lift(graph, lifting));
}

std::vector<uint8_t> random_word(const Code& code, std::mt19937& random) {
  std::vector<uint8_t> information(code.information()), word(code.length());
  for (uint8_t& bit : information) bit = random() & 1;
  encode(code, information.data(), word.data());
  return word;
}

// Checks of the lifted graph that do not hold, bit by bit.
int64_t broken_checks(const Code& code, const std::vector<uint8_t>& word) {
  int64_t broken = 0;
  for (int64_t row = 0; row < code.rows; row++)
    for (int64_t r = 0; r < code.lifting; r++) {
      int parity = 0;
      for (int32_t e = code.row_starts[row]; e < code.row_starts[row + 1]; e++)
        parity ^= word[code.edges[e].column * code.lifting + (r + code.edges[e].shift) % code.lifting];
      broken += parity;
    }
  return broken;
}

struct Decoded {
  std::vector<float> posterior;
  std::vector<uint8_t> bits;
  std::vector<int32_t> iterations;
};

Decoded decode_with(DecodeGroup decoder, const Code& code, const std::vector<float>& llr,
                    const DecoderOptions& options) {
  const int64_t words = static_cast<int64_t>(llr.size()) / code.length();
  Decoded result{std::vector<float>(llr.size()), std::vector<uint8_t>(words * code.information()),
                 std::vector<int32_t>(words)};
  constexpr std::align_val_t alignment{64};
  float* workspace = static_cast<float*>(::operator new(workspace_floats(code) * sizeof(float), alignment));
  std::fill_n(workspace, workspace_floats(code), std::nanf(""));  // nothing may be read before it is written
  const std::unique_ptr<bool[]> valid(new bool[words]);
  decoder({&code, words, code.information(), llr.data(), workspace, result.bits.data(), result.posterior.data(),
           result.iterations.data(), valid.get()},
          options);
  ::operator delete(workspace, alignment);
  return result;
}

}  // namespace

TEST("finds the 51 lifting sizes of TS 38.212 and their sets") {
  int64_t sizes = 0;
  for (int64_t lifting = -1; lifting <= 400; lifting++) sizes += lifting_set(lifting) >= 0;
  EXPECT_EQ(sizes, 51);
  EXPECT_EQ(lifting_set(2), 0);
  EXPECT_EQ(lifting_set(256), 0);
  EXPECT_EQ(lifting_set(384), 1);
  EXPECT_EQ(lifting_set(240), 7);
  EXPECT_EQ(lifting_set(17), -1);
}

TEST("encodes to words that every check of the graph accepts") {
  std::mt19937 random(1);
  for_codes([&](const Code& code) {
    std::vector<uint8_t> word = random_word(code, random);
    EXPECT_EQ(broken_checks(code, word), 0);
    word[random() % word.size()] ^= 1;
    EXPECT(broken_checks(code, word) > 0);
  });
}

TEST("decodes to the same bits with every instruction set") {
  std::mt19937 random(2);
  std::normal_distribution<float> noise;
  for_codes([&](const Code& code) {
    const int64_t words = interleave(code.lifting);
    std::vector<float> llr;
    for (int64_t w = 0; w < words; w++) {
      const std::vector<uint8_t> word = random_word(code, random);
      const int64_t sent = code.information() + code.lifting * (6 + w % 3);
      for (int64_t i = 0; i < code.length(); i++)
        llr.push_back(i < 2 * code.lifting || i >= sent ? 0.f : (word[i] ? 2.f : -2.f) + 1.4f * noise(random));
    }
    DecoderOptions options;
    options.update = code.lifting % 2 ? CheckUpdate::kMinSum : CheckUpdate::kSumProduct;
    options.layered = code.lifting % 3 != 0;
    options.iterations = 5;
    const std::vector<DecodeGroup> all = decoders();
    const Decoded first = decode_with(all[0], code, llr, options);
    EXPECT(std::all_of(first.posterior.begin(), first.posterior.end(), [](float x) { return x >= -20 && x <= 20; }));
    for (const DecodeGroup decoder : all) {
      const Decoded other = decode_with(decoder, code, llr, options);
      EXPECT(other.posterior == first.posterior);
      EXPECT(other.bits == first.bits);
      EXPECT(other.iterations == first.iterations);
    }
  });
}

CHECK_MAIN()
