#include "link/ldpc/kernels/crc.h"

#include <cstring>

namespace spikingrx::ldpc {

const CrcPolynomial* crc_polynomial(const char* name) {
  static constexpr CrcPolynomial polynomials[] = {
      {"crc24a", 24, 0x864CFB}, {"crc24b", 24, 0x800063}, {"crc24c", 24, 0xB2B117},
      {"crc16", 16, 0x1021},    {"crc11", 11, 0x621},     {"crc6", 6, 0x21},
  };
  for (const CrcPolynomial& polynomial : polynomials)
    if (std::strcmp(polynomial.name, name) == 0) return &polynomial;
  return nullptr;
}

uint32_t crc_remainder(const CrcPolynomial& polynomial, const uint8_t* bits, int64_t count) {
  const uint32_t top = 1u << (polynomial.length - 1), mask = (top << 1) - 1;
  uint32_t remainder = 0;
  for (int64_t i = 0; i < count; i++) {
    const bool carry = ((remainder & top) != 0) != (bits[i] != 0);
    remainder = ((remainder << 1) & mask) ^ (carry ? polynomial.generator : 0);
  }
  return remainder;
}

}  // namespace spikingrx::ldpc
