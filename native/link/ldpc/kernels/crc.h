// Cyclic redundancy checks of TS 38.212, 5.1: the remainder of the bits times D^length by the generator polynomial,
// first bit the highest power, register zero at the start.
#pragma once
#include <cstdint>

#include "api.h"

namespace spikingrx::ldpc {

struct CrcPolynomial {
  const char* name;
  int32_t length;      // parity bits
  uint32_t generator;  // without the highest power
};

// crc24a, crc24b, crc24c, crc16, crc11, crc6; null for another name.
SPIKINGRX_API const CrcPolynomial* crc_polynomial(const char* name);

// bits [count] of 0 and 1 -> the parity bits as a number, the first bit the highest.
SPIKINGRX_API uint32_t crc_remainder(const CrcPolynomial& polynomial, const uint8_t* bits, int64_t count);

}  // namespace spikingrx::ldpc
