// Rate matching of LDPC code words, TS 38.212, 5.4.2: which bit of the code word is sent at each place.
//
//   the circular buffer d is the word without its 2 Z punctured bits, cut to `buffer` bits;
//   from k0(redundancy version) on, round and round, all but the filler bits give e[0], ..., e[E-1];
//   the interleaver sends f[i + j Q] = e[i E/Q + j],  Q bits a symbol
#pragma once
#include <cstdint>

#include "api.h"
#include "link/ldpc/kernels/code.h"

namespace spikingrx::ldpc {

struct RateMatching {
  int64_t information = 0;         // K': bits with CRC; the filler is [K', code.information())
  int64_t length = 0;              // E: bits sent
  int64_t buffer = 0;              // N_cb in 1 to code.length() - 2 Z
  int64_t redundancy_version = 0;  // 0 to 3
  int64_t bits_per_symbol = 1;     // Q, divides E
};

// Bits of the buffer that are no filler; there must be one.
SPIKINGRX_API int64_t sendable_bits(const Code& code, const RateMatching& matching);

// positions [E]: for each bit sent, its place in the code word.
SPIKINGRX_API void sent_positions(const Code& code, const RateMatching& matching, int32_t* positions);

}  // namespace spikingrx::ldpc
