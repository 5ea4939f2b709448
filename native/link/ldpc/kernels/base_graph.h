// The two base graphs of the 5G NR LDPC codes (TS 38.212, 5.3.2). An entry V of a graph stands for a Z x Z identity
// matrix whose ones are shifted right by V mod Z; Z is the lifting size.
//
//   graph 1: 46 x 68, 22 information columns;   graph 2: 42 x 52, 10 information columns
//
// The first four parity columns form a square core; each further row has one column of its own (an extension).
#pragma once
#include <cstdint>

namespace spikingrx::ldpc {

struct BaseEdge {
  uint8_t column;
  uint16_t shifts[8];  // one for each set of lifting sizes
};

struct BaseGraph {
  int32_t rows, columns, information_columns;
  const uint16_t* row_starts;  // [rows + 1] into edges
  const BaseEdge* edges;
};

inline constexpr int32_t kPuncturedColumns = 2;  // never sent
inline constexpr int32_t kCoreRows = 4;
inline constexpr int32_t kLargestRow = 19;  // edges
inline constexpr int32_t kLargestLifting = 384;

// `number` 1 or 2.
const BaseGraph& base_graph(int64_t number);

}  // namespace spikingrx::ldpc
