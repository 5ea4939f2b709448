// bfloat16 and float16 as bits, to float and back, without a header of libtorch; the same values as libtorch's own
// conversions, to the bit.
//
//   bfloat16   the upper half of a float
//   float16    1 sign, 5 exponent (bias 15), 10 fraction bits (IEEE 754 binary16)
//
// To float is exact. From float rounds to nearest, ties to even; what is too large becomes infinite, and NaN becomes
// 0x7FC0 (bfloat16) or 0x7E00 with its sign (float16). No branch, so that loops over them become vector code.
#pragma once
#include <cstdint>
#include <cstring>

#include "snn/kernels/host_device.h"

namespace spikingrx {

struct BFloat16Bits {
  uint16_t bits;
};

struct HalfBits {
  uint16_t bits;
};

SPIKINGRX_INLINE uint32_t bits_of(float value) {
  uint32_t bits;
  std::memcpy(&bits, &value, sizeof bits);
  return bits;
}

SPIKINGRX_INLINE float float_of(uint32_t bits) {
  float value;
  std::memcpy(&value, &bits, sizeof value);
  return value;
}

SPIKINGRX_INLINE float widened(BFloat16Bits value) { return float_of(uint32_t{value.bits} << 16); }

SPIKINGRX_INLINE float widened(HalfBits value) {
  const uint32_t magnitude = value.bits & 0x7FFFu, sign = (value.bits & 0x8000u) << 16;
  const uint32_t normal = (magnitude << 13) + (112u << 23);  // the biases differ by 112
  // Fractions of 2^-24. Through int: processors convert signed integers.
  const uint32_t subnormal = bits_of(static_cast<float>(static_cast<int32_t>(magnitude)) * 0x1p-24f);
  const uint32_t quiet = magnitude > 0x7C00u ? 0x400000u : 0u;
  const uint32_t special = ((magnitude << 13) + (224u << 23)) | quiet;  // infinite or NaN
  const uint32_t finite = magnitude < 0x400u ? subnormal : normal;
  return float_of(sign | (magnitude >= 0x7C00u ? special : finite));
}

SPIKINGRX_INLINE void narrow_into(float value, BFloat16Bits& result) {
  const uint32_t bits = bits_of(value);
  const uint32_t rounded = (bits + 0x7FFFu + ((bits >> 16) & 1u)) >> 16;
  const bool nan = (bits & 0x7FFFFFFFu) > 0x7F800000u;
  result.bits = static_cast<uint16_t>(nan ? 0x7FC0u : rounded);
}

SPIKINGRX_INLINE void narrow_into(float value, HalfBits& result) {
  const uint32_t bits = bits_of(value), magnitude = bits & 0x7FFFFFFFu, sign = (bits >> 16) & 0x8000u;
  // A carry out of the fraction steps the exponent, at the largest exponent to infinity.
  const uint32_t normal = ((magnitude + 0xFFFu + ((magnitude >> 13) & 1u)) >> 13) - (112u << 10);
  // In 1/2 + x a unit in the last place is 2^-24, that of a subnormal float16: the sum rounds for us.
  const uint32_t subnormal = bits_of(float_of(magnitude) + 0.5f) - 0x3F000000u;
  const uint32_t special = magnitude > 0x7F800000u ? 0x7E00u : 0x7C00u;
  const uint32_t finite = magnitude < 0x38800000u ? subnormal : normal;                       // below 2^-14
  result.bits = static_cast<uint16_t>(sign | (magnitude >= 0x47800000u ? special : finite));  // from 2^16 on
}

}  // namespace spikingrx
