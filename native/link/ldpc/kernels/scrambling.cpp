#include "link/ldpc/kernels/scrambling.h"

namespace spikingrx::ldpc {

void gold_sequence(uint32_t initial, int64_t length, uint8_t* sequence) {
  constexpr int64_t skipped = 1600;
  uint32_t x1 = 1, x2 = initial & 0x7fffffffu;  // bit i holds x[n + i]
  for (int64_t n = 0; n < skipped + length; n++) {
    if (n >= skipped) sequence[n - skipped] = static_cast<uint8_t>((x1 ^ x2) & 1);
    const uint32_t next1 = ((x1 >> 3) ^ x1) & 1, next2 = ((x2 >> 3) ^ (x2 >> 2) ^ (x2 >> 1) ^ x2) & 1;
    x1 = (x1 >> 1) | (next1 << 30);
    x2 = (x2 >> 1) | (next2 << 30);
  }
}

}  // namespace spikingrx::ldpc
