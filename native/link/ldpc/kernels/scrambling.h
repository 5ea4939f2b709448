// The pseudo-random sequence of TS 38.211, 5.2.1, a Gold sequence of length 31:
//
//   c[n] = x1[n + 1600] ^ x2[n + 1600]
//   x1[n + 31] = x1[n + 3] ^ x1[n],                          x1 = 1, 0, 0, ...
//   x2[n + 31] = x2[n + 3] ^ x2[n + 2] ^ x2[n + 1] ^ x2[n],  x2 = the bits of `initial`, lowest first
#pragma once
#include <cstdint>

#include "api.h"

namespace spikingrx::ldpc {

// sequence [length] of 0 and 1.
SPIKINGRX_API void gold_sequence(uint32_t initial, int64_t length, uint8_t* sequence);

}  // namespace spikingrx::ldpc
