// Included once for each instruction set: SPIKINGRX_ISA names its namespace; see decode.h.
#include "link/ldpc/kernels/decode.h"
#include "link/ldpc/kernels/lanes.h"

#include <algorithm>

namespace spikingrx::ldpc::SPIKINGRX_ISA {
namespace {

constexpr int64_t kWidestRegister = 16;  // floats; widths of rows are multiples of it

// The group's arrays. A variable's row has one register more than its width, which repeats its first elements: so what
// begins anywhere in a row and runs round its end is read at once. Signs are those of log P(0) / P(1) in here.
struct Arrays {
  const Code* code;
  int64_t words, interleave;
  int64_t width, stride;  // elements of a row, and from one variable's row to the next
  int64_t rows;           // of the graph, from the first on, that are used
  float *channel, *total, *next, *messages;

  int64_t columns() const { return code->information_columns + rows; }
};

Arrays arrays_of(const DecoderGroup& group) {
  Arrays a;
  a.code = group.code;
  a.words = group.words;
  a.interleave = interleave(group.code->lifting);
  a.width = group.code->lifting * a.interleave;
  a.stride = a.width + kWidestRegister;
  a.rows = group.code->rows;
  a.channel = group.workspace;
  a.total = a.channel + a.stride * group.code->columns;
  a.next = a.total + a.stride * group.code->columns;
  a.messages = a.next + a.stride * group.code->columns;
  return a;
}

// What was stored at `at` of a row may have run over its end: brings both ends together again.
SPIKINGRX_LANES void close_row(float* row, int64_t at, int64_t width) {
  if (at + kLanes > width) std::memcpy(row, row + width, static_cast<size_t>(at + kLanes - width) * sizeof(float));
  if (at < kLanes || at + kLanes > width) store(row + width, load(row));
}

// Where the elements of register `first` of a check's row lie in the row of a variable.
SPIKINGRX_LANES int64_t rotated(int64_t first, int64_t shift, int64_t width) {
  const int64_t at = first + shift;
  return at < width ? at : at - width;
}

// Messages of one check, all its edges, in two passes: magnitudes together, then each without its own.
struct MinSum {
  Lanes scale, offset;
  Lanes least, second;

  SPIKINGRX_LANES void begin() { least = second = all(1e30f); }
  SPIKINGRX_LANES void take(int64_t, Lanes a) {
    second = smaller(second, larger(least, a));
    least = smaller(least, a);
  }
  SPIKINGRX_LANES void close(int64_t) {
    whole = least;
    least = larger(least - offset, Lanes{}) * scale;
    second = larger(second - offset, Lanes{}) * scale;
  }
  SPIKINGRX_LANES Lanes give(int64_t, Lanes a) const { return a == whole ? second : least; }

 private:
  Lanes whole;
};

// With t = exp(-|q|), 1 - tanh(|q| / 2) = 2 t / (1 + t) =: u. The complement of a product of tanh is then
// u1 + u2 - u1 u2, which loses nothing where tanh is close to 1, and |r| = log((2 - u) / u).
struct SumProduct {
  Lanes u[kLargestRow], before[kLargestRow + 1];
  Lanes after[kLargestRow + 1];

  SPIKINGRX_LANES static Lanes join(Lanes a, Lanes b) { return a + (b - a * b); }
  SPIKINGRX_LANES void begin() { before[0] = Lanes{}; }
  SPIKINGRX_LANES void take(int64_t e, Lanes a) {
    const Lanes t = exp_of_minus(a);
    u[e] = (t + t) / (1.f + t);
    before[e + 1] = join(before[e], u[e]);
  }
  SPIKINGRX_LANES void close(int64_t edges) {
    after[edges] = Lanes{};
    for (int64_t e = edges - 1; e > 0; e--) after[e] = join(after[e + 1], u[e]);
  }
  SPIKINGRX_LANES Lanes give(int64_t e, Lanes) const {
    const Lanes others = join(before[e], after[e + 1]);
    return larger(log_of((2.f - others) / others), Lanes{});
  }
};

// One row of the graph: reads totals, replaces the messages, adds to `to` what changed (layered, `to` is the totals) or
// the messages (flooding).
template <bool layered, class Rule>
void update_row(const Arrays& a, int64_t row, Rule& rule, float clip, float* to) {
  const int32_t begin = a.code->row_starts[row], edges = a.code->row_starts[row + 1] - begin;
  const Edge* edge = a.code->edges.data() + begin;
  float* messages = a.messages + begin * a.width;
  const Lanes limit = all(clip);
  for (int64_t first = 0; first < a.width; first += kLanes) {
    Lanes incoming[kLargestRow];
    Integers sign{};
    rule.begin();
    for (int32_t e = 0; e < edges; e++) {
      const int64_t at = rotated(first, edge[e].shift * a.interleave, a.width);
      const Lanes total = load(a.total + edge[e].column * a.stride + at);
      const Lanes q = between(total - load(messages + e * a.width + first), limit);
      incoming[e] = q;
      sign ^= sign_bit(q);
      rule.take(e, magnitude(q));
    }
    rule.close(edges);
    for (int32_t e = 0; e < edges; e++) {
      const Lanes q = incoming[e];
      const Lanes r = with_sign(smaller(rule.give(e, magnitude(q)), limit), sign ^ sign_bit(q));
      float* message = messages + e * a.width + first;
      float* target = to + edge[e].column * a.stride;
      const int64_t at = rotated(first, edge[e].shift * a.interleave, a.width);
      const Lanes change = layered ? r - load(message) : r;
      store(target + at, load(target + at) + change);
      close_row(target, at, a.width);
      store(message, r);
    }
  }
}

template <class Rule>
void iterate(Arrays& a, Rule& rule, const DecoderOptions& options) {
  if (options.layered) {
    for (int64_t row = 0; row < a.rows; row++) update_row<true>(a, row, rule, options.clip, a.total);
    return;
  }
  std::memcpy(a.next, a.channel, static_cast<size_t>(a.columns() * a.stride) * sizeof(float));
  for (int64_t row = 0; row < a.rows; row++) update_row<false>(a, row, rule, options.clip, a.next);
  std::swap(a.total, a.next);
}

// Bit g is set for each word g whose checks all hold; looked for among `pending`.
uint32_t satisfied(const Arrays& a, uint32_t pending) {
  constexpr int64_t registers = kWidestRegister / kLanes;
  Integers broken[registers] = {};
  uint32_t failed = 0;
  for (int64_t row = 0; row < a.rows && (pending & ~failed) != 0; row++) {
    for (int64_t first = 0; first < a.width; first += kLanes) {
      Integers sign{}, undecided{};
      for (int32_t e = a.code->row_starts[row]; e < a.code->row_starts[row + 1]; e++) {
        const Edge& edge = a.code->edges[e];
        const Lanes total = load(a.total + edge.column * a.stride + rotated(first, edge.shift * a.interleave, a.width));
        sign ^= (Integers)total;
        undecided |= total == Lanes{};
      }
      broken[first / kLanes % registers] |= (sign & INT32_MIN) | undecided;
    }
    for (int64_t i = 0; i < kWidestRegister; i++)
      if (broken[i / kLanes][i % kLanes] != 0) failed |= 1u << (i % a.interleave);
  }
  return pending & ~failed;
}

// Fills `channel` from the words: sign turned, clipped, filler known, words that are not there easy to decode. Gives
// the place of a NaN, or -1.
int64_t read_channel(const DecoderGroup& group, Arrays& a, float clip) {
  const int64_t z = a.code->lifting, length = a.code->length();
  int64_t nan = -1;
  for (int64_t g = 0; g < a.interleave; g++) {
    const float* llr = group.llr + std::min(g, group.words - 1) * length;
    for (int64_t column = 0; column < a.code->columns; column++) {
      float* row = a.channel + column * a.stride + g;
      for (int64_t i = 0; i < z; i++) {
        const float value = llr[column * z + i];
        if (value != value && nan < 0) nan = llr - group.llr + column * z + i;
        row[i * a.interleave] = -std::min(std::max(value, -clip), clip);
      }
    }
    for (int64_t bit = group.information; bit < a.code->information(); bit++)
      a.channel[bit / z * a.stride + bit % z * a.interleave + g] = clip;
  }
  if (nan >= 0) return nan;
  // A row of the graph whose own column was not received at all tells nothing.
  const auto received = [&](int64_t column) {
    const float* row = a.channel + column * a.stride;
    return std::any_of(row, row + a.width, [](float value) { return value != 0; });
  };
  while (a.rows > kCoreRows && !received(a.columns() - 1)) a.rows--;
  for (int64_t column = 0; column < a.columns(); column++) {
    float* row = a.channel + column * a.stride;
    std::memcpy(row + a.width, row, kWidestRegister * sizeof(float));
  }
  return -1;
}

void write_bits(const DecoderGroup& group, const Arrays& a, int64_t g) {
  const int64_t z = a.code->lifting;
  uint8_t* bits = group.bits + g * group.information;
  for (int64_t bit = 0; bit < group.information; bit++)
    bits[bit] = a.total[bit / z * a.stride + bit % z * a.interleave + g] < 0;
}

void write_posterior(const DecoderGroup& group, const Arrays& a, int64_t g, float clip) {
  const int64_t z = a.code->lifting, length = a.code->length();
  float* posterior = group.posterior + g * length;
  for (int64_t column = 0; column < a.columns(); column++) {
    const float* row = a.total + column * a.stride + g;
    for (int64_t i = 0; i < z; i++) posterior[column * z + i] = -std::min(std::max(row[i * a.interleave], -clip), clip);
  }
  std::fill(posterior + a.columns() * z, posterior + length, 0.f);
}

bool crc_is_right(const DecoderGroup& group, int64_t g, const CrcPolynomial* crc) {
  return crc == nullptr || crc_remainder(*crc, group.bits + g * group.information, group.information) == 0;
}

template <class Rule>
void run(const DecoderGroup& group, Arrays& a, Rule& rule, const DecoderOptions& options) {
  uint32_t pending = (1u << group.words) - 1;
  for (int32_t iteration = 1; iteration <= options.iterations && pending != 0; iteration++) {
    iterate(a, rule, options);
    const bool last = iteration == options.iterations;
    if (!last && !options.stop_early) continue;
    const uint32_t holding = satisfied(a, pending);
    for (int64_t g = 0; g < group.words; g++) {
      if ((pending >> g & 1) == 0) continue;
      const bool holds = holding >> g & 1;
      if (!holds && !last) continue;
      write_bits(group, a, g);
      group.valid[g] = holds && crc_is_right(group, g, options.crc);
      if (!group.valid[g] && !last) continue;
      group.iterations[g] = iteration;
      if (group.posterior) write_posterior(group, a, g, options.clip);
      pending &= ~(1u << g);
    }
  }
}

}  // namespace

int64_t decode_group(const DecoderGroup& group, const DecoderOptions& options) {
  Arrays a = arrays_of(group);
  const int64_t nan = read_channel(group, a, options.clip);
  if (nan >= 0) return nan;
  std::memcpy(a.total, a.channel, static_cast<size_t>(a.columns() * a.stride) * sizeof(float));
  std::fill_n(a.messages, a.code->row_starts[a.rows] * a.width, 0.f);
  if (options.update == CheckUpdate::kMinSum) {
    MinSum rule;
    rule.scale = all(options.scale), rule.offset = all(options.offset);
    run(group, a, rule, options);
  } else {
    SumProduct rule;
    run(group, a, rule, options);
  }
  return -1;
}

}  // namespace spikingrx::ldpc::SPIKINGRX_ISA
