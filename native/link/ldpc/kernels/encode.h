// The LDPC encoder: one word, a byte a bit.
//
// With c the word in blocks of Z bits and P(V) the shifted identities, each row of the graph says: the sum over its
// edges of P(V) c[column] is zero. In the core, rows 0 to 3, columns K+1 to K+3 meet two rows each without a shift and
// column K meets three, two of them with the same shift; so the sum of the four rows leaves the third alone:
//
//   P(V) c[K] = sum over rows 0-3 of the information part
//
// The others follow row by row, and each row below the core gives its own column.
#pragma once
#include "link/ldpc/kernels/code.h"

namespace spikingrx::ldpc {

// information [code.information()] with the filler zeros -> word [code.length()], whose first part is the information.
SPIKINGRX_API void encode(const Code& code, const uint8_t* information, uint8_t* word);

}  // namespace spikingrx::ldpc
