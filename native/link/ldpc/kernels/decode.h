// Belief propagation over a group of LDPC code words, in one thread.
//
// A block of Z bits of G words is a row of Z G floats in which the words alternate: element z G + g is bit z of word g.
// A shift of the graph is then a rotation of the row by shift x G, and all else runs along the row: over Z where Z is
// a multiple of 16 (G = 1, each word stops on its own), over the words too where it is not (G = 16 for odd Z).
//
//   check to variable   r[c,v] = boxplus over v' != v of q[c,v'],   q[c,v] = L[v] - r[c,v] of the last iteration
//   variable            L[v] = channel[v] + sum of r[c,v]
//
// boxplus, exact: the product of signs and of tanh(|q| / 2) (sum-product), or scale x max(min |q| - offset, 0)
// (min-sum). Flooding: all checks from the last iteration's L; layered: each row of the graph sees the rows before it.
// Messages q and r are kept in [-clip, clip].
#pragma once
#include <cstdint>

#include "api.h"
#include "link/ldpc/kernels/code.h"
#include "link/ldpc/kernels/crc.h"

namespace spikingrx::ldpc {

enum class CheckUpdate : int8_t { kSumProduct, kMinSum };

struct DecoderOptions {
  CheckUpdate update = CheckUpdate::kSumProduct;
  bool layered = true;
  bool stop_early = true;  // a word is done as soon as it is valid
  int32_t iterations = 20;
  float scale = 0.75f, offset = 0;     // of min-sum
  float clip = 20;                     // in (0, 80], so that exp(-clip) is a normal number
  const CrcPolynomial* crc = nullptr;  // over the information; asked for besides the parity checks
};

// LLR = log P(bit = 1) / P(bit = 0). A bit is 1 where its LLR is positive. A word is valid when all checks hold, no bit
// of them is undecided (an LLR of exactly 0), and the CRC is right.
struct DecoderGroup {
  const Code* code;
  int64_t words;        // 1 to interleave(code.lifting)
  int64_t information;  // K': bits [K', code.information()) are filler, known to be zero
  const float* llr;     // [words][code.length()]; infinite is allowed
  float* workspace;     // workspace_floats(code), 64-byte aligned
  uint8_t* bits;        // out: [words][K']
  float* posterior;     // out: [words][code.length()], or null
  int32_t* iterations;  // out: [words]
  bool* valid;          // out: [words]
};

// Words that are decoded together, G: the fewest that make rows of a multiple of 16 floats.
SPIKINGRX_API int64_t interleave(int64_t lifting);

SPIKINGRX_API int64_t workspace_floats(const Code& code);

// Picks the instruction set. Gives -1, or the place in `llr` of a NaN.
SPIKINGRX_API int64_t decode(const DecoderGroup& group, const DecoderOptions& options);

// One for each instruction set; all give the same bits.
#define SPIKINGRX_DECLARE_DECODER(isa)                                                          \
  namespace isa {                                                                               \
  SPIKINGRX_API int64_t decode_group(const DecoderGroup& group, const DecoderOptions& options); \
  }
SPIKINGRX_DECLARE_DECODER(portable)
SPIKINGRX_DECLARE_DECODER(v3)
SPIKINGRX_DECLARE_DECODER(v4)
#undef SPIKINGRX_DECLARE_DECODER

}  // namespace spikingrx::ldpc
