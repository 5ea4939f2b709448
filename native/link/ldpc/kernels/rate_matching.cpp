#include "link/ldpc/kernels/rate_matching.h"

#include <algorithm>

namespace spikingrx::ldpc {
namespace {

// k0, table 5.4.2.1-2: floor(share N_cb / N) Z, N the columns of the whole buffer times Z.
int64_t first_position(const Code& code, const RateMatching& matching) {
  static constexpr int64_t shares[2][4] = {{0, 17, 33, 56}, {0, 13, 25, 43}};
  const int64_t columns = code.columns - kPuncturedColumns;
  const int64_t share = shares[code.information_columns == 22 ? 0 : 1][matching.redundancy_version];
  return share * matching.buffer / (columns * code.lifting) * code.lifting;
}

}  // namespace

int64_t sendable_bits(const Code& code, const RateMatching& matching) {
  const int64_t punctured = kPuncturedColumns * code.lifting;
  const int64_t from = std::max<int64_t>(matching.information - punctured, 0);
  const int64_t filler_from = std::min(from, matching.buffer);
  const int64_t filler_to = std::min(code.information() - punctured, matching.buffer);
  return matching.buffer - (filler_to - filler_from);
}

void sent_positions(const Code& code, const RateMatching& matching, int32_t* positions) {
  const int64_t punctured = kPuncturedColumns * code.lifting;
  const int64_t symbols = matching.length / matching.bits_per_symbol;
  int64_t at = first_position(code, matching);
  for (int64_t sent = 0; sent < matching.length; at = at + 1 < matching.buffer ? at + 1 : 0) {
    const int64_t bit = punctured + at;
    if (bit >= matching.information && bit < code.information()) continue;
    positions[sent % symbols * matching.bits_per_symbol + sent / symbols] = static_cast<int32_t>(bit);
    sent++;
  }
}

}  // namespace spikingrx::ldpc
