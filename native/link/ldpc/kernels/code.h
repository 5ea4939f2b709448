// A 5G NR LDPC code: a base graph lifted by Z (TS 38.212, 5.3.2). A code word is columns x Z bits: 2 Z punctured
// information bits, the other information bits (the last of them filler, known to be zero), the parity bits.
#pragma once
#include <cstdint>
#include <vector>

#include "api.h"
#include "link/ldpc/kernels/base_graph.h"

namespace spikingrx::ldpc {

struct Edge {
  int32_t column;
  int32_t shift;  // in [0, Z): bit r of the row's block meets bit (r + shift) mod Z of the column's block
};

struct Code {
  int64_t lifting = 0;  // Z
  int64_t rows = 0, columns = 0, information_columns = 0;
  std::vector<int32_t> row_starts;  // [rows + 1] into edges
  std::vector<Edge> edges;

  int64_t length() const { return columns * lifting; }  // with the punctured bits
  int64_t information() const { return information_columns * lifting; }
};

// Set index 0 to 7 of a lifting size (table 5.3.2-1: 2, 3, 5, 7, 9, 11, 13, 15 times a power of two), -1 of none.
SPIKINGRX_API int32_t lifting_set(int64_t lifting);

// `graph` 1 or 2; `lifting` a size that has a set.
SPIKINGRX_API Code lift(int64_t graph, int64_t lifting);

}  // namespace spikingrx::ldpc
