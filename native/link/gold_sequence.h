// The length-31 Gold sequence of 3GPP TS 38.211, 5.2.1:
//
//   c(n) = x1(n + 1600) + x2(n + 1600),  x1(n + 31) = x1(n + 3) + x1(n),  x2(n + 31) = x2(n + 3) + x2(n + 2) + x2(n +
//   1)
//   + x2(n)   (mod 2);   x1 begins 1, 0, 0, ...;  x2 with the bits of `initial`
#pragma once
#include <cstdint>
#include <vector>

namespace spikingrx::link {

inline std::vector<uint8_t> gold_sequence(uint32_t initial, int64_t length) {
  uint32_t x1 = 1, x2 = initial & 0x7fffffffu;
  const auto step = [&] {
    x1 = (x1 >> 1) | (((x1 >> 3 ^ x1) & 1) << 30);
    x2 = (x2 >> 1) | (((x2 >> 3 ^ x2 >> 2 ^ x2 >> 1 ^ x2) & 1) << 30);
  };
  for (int n = 0; n < 1600; n++) step();
  std::vector<uint8_t> sequence(length);
  for (auto& bit : sequence) bit = static_cast<uint8_t>((x1 ^ x2) & 1), step();
  return sequence;
}

}  // namespace spikingrx::link
