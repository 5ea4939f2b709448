// Included once for each instruction set: SPIKINGRX_ISA names its namespace, SPIKINGRX_LANES tells how many floats a
// register holds, SPIKINGRX_WIDEST how many registers sum outputs; see event_rows.h.
#include <algorithm>
#include <cstring>

#include "snn/kernels/event_rows_sets.h"

#if defined(__AVX512F__)
#include <immintrin.h>
#endif

namespace spikingrx::SPIKINGRX_ISA {
namespace {

constexpr int64_t kLanes = SPIKINGRX_LANES;
using Vector [[gnu::vector_size(kLanes * sizeof(float))]] = float;

constexpr int64_t kAhead = 4;  // rows of weights asked for before they are added: no prefetcher foresees which come

// Lists one row; returns the number of entries. Stores a whole register at a time, hence the room behind the row.
template <bool with_values>
int64_t find_row(const float* __restrict x, int64_t size, int32_t* __restrict places, float* __restrict values) {
  int64_t found = 0, i = 0;
#if defined(__AVX512F__)
  __m512i place = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
  for (; i + 16 <= size; i += 16, place = _mm512_add_epi32(place, _mm512_set1_epi32(16))) {
    const __m512 value = _mm512_loadu_ps(x + i);
    const __mmask16 set = _mm512_cmp_ps_mask(value, _mm512_setzero_ps(), _CMP_NEQ_UQ);
    // Compressed in a register: compressing stores are slow on some processors.
    _mm512_storeu_si512(places + found, _mm512_maskz_compress_epi32(set, place));
    if constexpr (with_values) _mm512_storeu_ps(values + found, _mm512_maskz_compress_ps(set, value));
    found += __builtin_popcount(set);
  }
#endif
  for (; i < size; i++) {
    places[found] = static_cast<int32_t>(i);
    if constexpr (with_values) values[found] = x[i];
    found += x[i] != 0;
  }
  return found;
}

int64_t find(const float* x, int64_t rows, int64_t size, const EventList& list) {
  int64_t total = 0;
  for (int64_t r = 0; r < rows; r++) {
    int32_t* places = list.places + r * list.room;
    const int64_t found = list.values ? find_row<true>(x + r * size, size, places, list.values + r * list.room)
                                      : find_row<false>(x + r * size, size, places, nullptr);
    list.counts[r] = static_cast<int32_t>(found);
    total += found;
  }
  return total;
}

int64_t count(const float* x, int64_t size) {
  int64_t total = 0;
  constexpr int64_t kPart = int64_t{1} << 20;  // a count of 32 bits vectorises best, and can't overflow in a part
  for (int64_t start = 0; start < size; start += kPart) {
    int32_t part = 0;
    const int64_t end = std::min(size, start + kPart);
    for (int64_t i = start; i < end; i++) part += x[i] != 0;
    total += part;
  }
  return total;
}

// sum[v] += the rows at `places`, of `vectors` registers each. Few registers are summed in several chains, so that an
// addition need not wait for the one before.
template <int vectors, bool with_values>
[[gnu::always_inline]] inline void add_rows(const float* __restrict weight, int64_t stride,
                                            const int32_t* __restrict places, const float* __restrict values,
                                            int64_t count, Vector (&sum)[vectors]) {
  constexpr int chains = vectors >= 8 ? 1 : 8 / vectors;
  Vector partial[chains][vectors];
#pragma GCC unroll 16
  for (int c = 0; c < chains; c++)
#pragma GCC unroll 16
    for (int v = 0; v < vectors; v++) partial[c][v] = c == 0 ? sum[v] : Vector{};
  const auto add = [&](int64_t i, Vector(&into)[vectors]) __attribute__((always_inline)) {
    const auto* row = reinterpret_cast<const Vector*>(weight + places[i] * stride);
#pragma GCC unroll 16
    for (int v = 0; v < vectors; v++) {
      if constexpr (with_values)
        into[v] += values[i] * row[v];
      else
        into[v] += row[v];
    }
  };
  int64_t i = 0;
  if constexpr (chains == 1) {
    for (; i + kAhead < count; i++) {
      const char* next = reinterpret_cast<const char*>(weight + places[i + kAhead] * stride);
#pragma GCC unroll 16
      for (int64_t byte = 0; byte < vectors * static_cast<int64_t>(sizeof(Vector)); byte += 64)
        __builtin_prefetch(next + byte);
      add(i, partial[0]);
    }
  } else {
    for (; i + chains <= count; i += chains)
#pragma GCC unroll 16
      for (int c = 0; c < chains; c++) add(i + c, partial[c]);
  }
  for (; i < count; i++) add(i, partial[0]);
#pragma GCC unroll 16
  for (int v = 0; v < vectors; v++) {
    Vector total = partial[0][v];
#pragma GCC unroll 16
    for (int c = 1; c < chains; c++) total += partial[c][v];
    sum[v] = total;
  }
}

// Outputs `first` to `first` + vectors kLanes - 1 of one row; of the last ones only those that are.
template <int vectors, bool with_values>
void sum_outputs(const EventWeights& weights, int64_t first, const int32_t* places, const float* values, int64_t count,
                 float* y) {
  Vector sum[vectors];
  std::memcpy(sum, weights.bias + first, sizeof(sum));
  add_rows<vectors, with_values>(weights.weight + first, weights.stride, places, values, count, sum);
  if (first + vectors * kLanes <= weights.outputs)
    std::memcpy(y + first, sum, sizeof(sum));
  else
    std::memcpy(y + first, sum, sizeof(float) * static_cast<size_t>(std::max<int64_t>(0, weights.outputs - first)));
}

// Calls body(vectors, first) for blocks that cover all outputs, the widest first.
template <class Body>
[[gnu::always_inline]] inline void for_blocks(const EventWeights& weights, Body&& body) {
  int64_t first = 0;
  const auto left = [&] { return (weights.stride - first) / kLanes; };
  const auto blocks = [&](auto vectors) __attribute__((always_inline)) {
    for (; left() >= vectors(); first += vectors() * kLanes) body(vectors, first);
  };
  blocks(std::integral_constant<int, SPIKINGRX_WIDEST>{});
  if constexpr (SPIKINGRX_WIDEST > 8) blocks(std::integral_constant<int, 8>{});
  blocks(std::integral_constant<int, 4>{});
  blocks(std::integral_constant<int, 2>{});
  blocks(std::integral_constant<int, 1>{});
}

template <bool with_values>
void product_of(const EventWeights& weights, const EventList& list, int64_t first, int64_t last, float* y) {
  // A block of outputs for all rows before the next: its part of the weights stays in cache from row to row.
  for_blocks(weights, [&](auto vectors, int64_t output) {
    for (int64_t r = first; r < last; r++)
      sum_outputs<vectors(), with_values>(weights, output, list.places + r * list.room,
                                          with_values ? list.values + r * list.room : nullptr, list.counts[r],
                                          y + r * weights.outputs);
  });
}

void product(const EventWeights& weights, const EventList& list, int64_t first, int64_t last, float* y) {
  if (list.values)
    product_of<true>(weights, list, first, last, y);
  else
    product_of<false>(weights, list, first, last, y);
}

// Appends a list, its places moved on by `base`. Copies whole registers, hence the room behind each list.
template <bool with_values>
[[gnu::always_inline]] inline int64_t append(const EventList& list, int64_t row, int32_t base, int64_t end,
                                             int32_t* __restrict places, float* __restrict values) {
  const int64_t count = list.counts[row];
  const int32_t* __restrict from = list.places + row * list.room;
  const float* __restrict from_values = with_values ? list.values + row * list.room : nullptr;
  for (int64_t i = 0; i < count; i += 16) {
#pragma GCC unroll 16
    for (int64_t j = 0; j < 16; j++) places[end + i + j] = from[i + j] + base;
    if constexpr (with_values) std::memcpy(values + end + i, from_values + i, 16 * sizeof(float));
  }
  return end + count;
}

template <bool with_values>
void convolution_of(const EventWeights& weights, const EventWindow& window, const EventList& list, int64_t first,
                    int64_t last, float* y, float* scratch) {
  int32_t* places = reinterpret_cast<int32_t*>(scratch);
  float* values = scratch + window.scratch() / 2;
  for (int64_t line = first; line < last; line++) {
    const int64_t image = line / window.output[0], top = line % window.output[0] * window.step[0] - window.padding[0];
    const int64_t from_row = std::max<int64_t>(0, -top), to_row = std::min(window.kernel[0], window.height - top);
    float* out = y + line * window.output[1] * weights.outputs;
    for (int64_t x = 0; x < window.output[1]; x++, out += weights.outputs) {
      const int64_t left = x * window.step[1] - window.padding[1];
      const int64_t from_column = std::max<int64_t>(0, -left),
                    to_column = std::min(window.kernel[1], window.width - left);
      int64_t count = 0;
      for (int64_t i = from_row; i < to_row; i++) {
        const int64_t row = (image * window.height + top + i) * window.width + left;
        for (int64_t j = from_column; j < to_column; j++)
          count = append<with_values>(list, row + j, static_cast<int32_t>((i * window.kernel[1] + j) * window.channels),
                                      count, places, values);
      }
      for_blocks(weights, [&](auto vectors, int64_t output) __attribute__((always_inline)) {
        sum_outputs<vectors(), with_values>(weights, output, places, values, count, out);
      });
    }
  }
}

void convolution(const EventWeights& weights, const EventWindow& window, const EventList& list, int64_t first,
                 int64_t last, float* y, float* scratch) {
  if (list.values)
    convolution_of<true>(weights, window, list, first, last, y, scratch);
  else
    convolution_of<false>(weights, window, list, first, last, y, scratch);
}

}  // namespace

const EventKernels event_kernels = {find, count, product, convolution};

}  // namespace spikingrx::SPIKINGRX_ISA
