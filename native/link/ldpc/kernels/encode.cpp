#include "link/ldpc/kernels/encode.h"

#include <cstring>

namespace spikingrx::ldpc {
namespace {

// sum[r] ^= block[(r + shift) mod Z]
void add_shifted(uint8_t* __restrict sum, const uint8_t* __restrict block, int64_t shift, int64_t lifting) {
  const int64_t first = lifting - shift;
  for (int64_t r = 0; r < first; r++) sum[r] ^= block[r + shift];
  for (int64_t r = 0; r < shift; r++) sum[first + r] ^= block[r];
}

// The shift of core column K that is left when the rows of the core are added: the one that occurs an odd number of
// times.
int64_t remaining_shift(const Code& code) {
  int64_t remaining = 0;  // the two that are equal cancel each other
  for (int32_t e = 0; e < code.row_starts[kCoreRows]; e++)
    if (code.edges[e].column == code.information_columns) remaining ^= code.edges[e].shift;
  return remaining;
}

}  // namespace

void encode(const Code& code, const uint8_t* information, uint8_t* word) {
  const int64_t z = code.lifting, core = code.information_columns;
  std::memcpy(word, information, code.information());
  std::memset(word + code.information(), 0, code.length() - code.information());

  // What each row of the core sums to over the information.
  uint8_t sums[kCoreRows][kLargestLifting] = {};
  uint8_t total[kLargestLifting] = {};
  for (int64_t row = 0; row < kCoreRows; row++) {
    for (int32_t e = code.row_starts[row]; e < code.row_starts[row + 1]; e++)
      if (code.edges[e].column < core) add_shifted(sums[row], word + code.edges[e].column * z, code.edges[e].shift, z);
    add_shifted(total, sums[row], 0, z);
  }
  const int64_t back = (z - remaining_shift(code)) % z;
  add_shifted(word + core * z, total, back, z);

  // Row by row, the one column that is not known yet takes what the others sum to. A core column that meets the row
  // without a shift is known from then on: in order K+1, K+2, K+3.
  bool known[4] = {true, false, false, false};
  for (int64_t solved = 1; solved < kCoreRows;) {
    for (int64_t row = 0; row < kCoreRows; row++) {
      int64_t unknown = -1, count = 0;
      for (int32_t e = code.row_starts[row]; e < code.row_starts[row + 1]; e++) {
        const int64_t column = code.edges[e].column - core;
        if (column >= 0 && !known[column]) unknown = column, count++;
      }
      if (count != 1) continue;
      uint8_t* block = word + (core + unknown) * z;
      add_shifted(block, sums[row], 0, z);
      for (int32_t e = code.row_starts[row]; e < code.row_starts[row + 1]; e++) {
        const int64_t column = code.edges[e].column - core;
        if (column >= 0 && column != unknown)
          add_shifted(block, word + code.edges[e].column * z, code.edges[e].shift, z);
      }
      known[unknown] = true, solved++;
    }
  }
  for (int64_t row = kCoreRows; row < code.rows; row++) {
    uint8_t* block = word + (core + row) * z;
    for (int32_t e = code.row_starts[row]; e < code.row_starts[row + 1]; e++)
      if (code.edges[e].column != core + row)
        add_shifted(block, word + code.edges[e].column * z, code.edges[e].shift, z);
  }
}

}  // namespace spikingrx::ldpc
