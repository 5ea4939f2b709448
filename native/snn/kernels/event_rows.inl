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

constexpr int64_t kAheadBytes = 8192;  // of weights, asked for before they are added: no prefetcher foresees which come

// Lists `size` values that begin at place `base`; returns the number of entries. Stores a whole register at a time,
// hence the room behind the line.
template <bool with_values>
[[gnu::always_inline]] inline int64_t find_values(const float* __restrict x, int64_t base, int64_t size,
                                                  int32_t* __restrict places, float* __restrict values) {
  int64_t found = 0, i = 0;
#if defined(__AVX512F__)
  __m512i place = _mm512_add_epi32(_mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15),
                                   _mm512_set1_epi32(static_cast<int32_t>(base)));
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
    places[found] = static_cast<int32_t>(base + i);
    if constexpr (with_values) values[found] = x[i];
    found += x[i] != 0;
  }
  return found;
}

template <bool with_values>
int64_t find_line(const float* x, const EventList& list, int32_t* starts, int32_t* places, float* values) {
  int64_t found = 0;
  if (list.groups == 1 || list.size % 16 == 0) {
    for (int64_t group = 0; group < list.groups; group++) {
      starts[group] = static_cast<int32_t>(found);
      found += find_values<with_values>(x + group * list.size, group * list.size, list.size, places + found,
                                        with_values ? values + found : nullptr);
    }
  } else {  // small groups: the line at once, then where each begins
    found = find_values<with_values>(x, 0, list.groups * list.size, places, values);
    int64_t entry = 0;
    for (int64_t group = 0; group < list.groups; group++) {
      while (entry < found && places[entry] < group * list.size) entry++;
      starts[group] = static_cast<int32_t>(entry);
    }
  }
  starts[list.groups] = static_cast<int32_t>(found);
  return found;
}

int64_t find(const float* x, int64_t lines, const EventList& list) {
  const int64_t length = list.groups * list.size, room = list.room();
  int64_t total = 0;
  for (int64_t line = 0; line < lines; line++, x += length) {
    int32_t *starts = list.starts + line * (list.groups + 1), *places = list.places + line * room;
    total += list.values ? find_line<true>(x, list, starts, places, list.values + line * room)
                         : find_line<false>(x, list, starts, places, nullptr);
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

// Sums of `vectors` registers of outputs. Few registers are summed in several chains, so that an addition need not wait
// for the one before.
template <int vectors>
struct Sums {
  static constexpr int chains = vectors >= 8 ? 1 : 8 / vectors;
  Vector chain[chains][vectors];

  [[gnu::always_inline]] explicit Sums(const float* bias) {
#pragma GCC unroll 16
    for (int c = 0; c < chains; c++)
#pragma GCC unroll 16
      for (int v = 0; v < vectors; v++) chain[c][v] = c == 0 ? reinterpret_cast<const Vector*>(bias)[v] : Vector{};
  }

  // Adds the rows of weights at `places`, each moved on by `base` rows. With `far` weights lie beyond the caches.
  template <bool with_values, bool far>
  [[gnu::always_inline]] void add(const float* __restrict weight, int64_t stride, int64_t base,
                                  const int32_t* __restrict places, const float* __restrict values, int64_t count) {
    const auto row = [&](int64_t i) __attribute__((always_inline)) { return weight + (base + places[i]) * stride; };
    const auto one = [&](int64_t i, Vector(&into)[vectors]) __attribute__((always_inline)) {
      const auto* from = reinterpret_cast<const Vector*>(row(i));
#pragma GCC unroll 16
      for (int v = 0; v < vectors; v++) {
        if constexpr (with_values)
          into[v] += values[i] * from[v];
        else
          into[v] += from[v];
      }
    };
    int64_t i = 0;
    if constexpr (far) {
      constexpr int64_t bytes = sizeof(Sums::chain[0]), ahead = std::min<int64_t>(32, kAheadBytes / bytes);
      for (; i + ahead + chains <= count; i += chains)
#pragma GCC unroll 16
        for (int c = 0; c < chains; c++) {
          const char* next = reinterpret_cast<const char*>(row(i + ahead + c));
#pragma GCC unroll 16
          for (int64_t byte = 0; byte < bytes; byte += 64) __builtin_prefetch(next + byte);
          one(i + c, chain[c]);
        }
    }
    for (; i + chains <= count; i += chains)
#pragma GCC unroll 16
      for (int c = 0; c < chains; c++) one(i + c, chain[c]);
    for (; i < count; i++) one(i, chain[0]);
  }

  // Stores those outputs that are, of which `left` are left.
  [[gnu::always_inline]] void store(float* y, int64_t left) {
    Vector total[vectors];
#pragma GCC unroll 16
    for (int v = 0; v < vectors; v++) {
      total[v] = chain[0][v];
#pragma GCC unroll 16
      for (int c = 1; c < chains; c++) total[v] += chain[c][v];
    }
    if (left >= vectors * kLanes)
      std::memcpy(y, total, sizeof(total));
    else if (left > 0)
      std::memcpy(y, total, sizeof(float) * static_cast<size_t>(left));
  }
};

// Calls body(vectors, first output, its weights) for blocks that cover all outputs, the widest first.
template <class Body>
[[gnu::always_inline]] inline void for_blocks(const EventWeights& weights, Body&& body) {
  int64_t first = 0;
  const auto blocks = [&](auto vectors) __attribute__((always_inline)) {
    for (; weights.padded() - first >= vectors() * kLanes; first += vectors() * kLanes)
      body(vectors, first, weights.weight + first);
  };
  blocks(std::integral_constant<int, SPIKINGRX_WIDEST>{});
  if constexpr (SPIKINGRX_WIDEST > 8) blocks(std::integral_constant<int, 8>{});
  blocks(std::integral_constant<int, 4>{});
  blocks(std::integral_constant<int, 2>{});
  blocks(std::integral_constant<int, 1>{});
}

// Rows of weights from end to end, four at a time, added to sums in the first-level cache: memory and the third-level
// cache give long rows half as fast again as parts of rows, since the processor fetches ahead by itself in a row.
template <bool with_values>
void add_whole_rows(const EventWeights& weights, const int32_t* __restrict places, const float* __restrict values,
                    int64_t count, float* __restrict y) {
  constexpr int64_t kPart = 4096;  // outputs
  alignas(64) float sums[kPart];
  for (int64_t start = 0; start < weights.outputs; start += kPart) {
    const int64_t width = std::min(kPart, weights.padded() - start);
    const auto row = [&](int64_t i, int64_t n) __attribute__((always_inline)) {
      Vector lanes;
      std::memcpy(&lanes, weights.weight + places[i] * weights.stride() + start + n, sizeof lanes);
      if constexpr (with_values) lanes *= values[i];
      return lanes;
    };
    const auto add = [&](int64_t n, const Vector& lanes)
                         __attribute__((always_inline)) { *reinterpret_cast<Vector*>(sums + n) += lanes; };
    std::memcpy(sums, weights.bias + start, sizeof(float) * static_cast<size_t>(width));
    int64_t i = 0;
    for (; i + 4 <= count; i += 4)
      for (int64_t n = 0; n < width; n += kLanes) add(n, (row(i, n) + row(i + 1, n)) + (row(i + 2, n) + row(i + 3, n)));
    for (; i < count; i++)
      for (int64_t n = 0; n < width; n += kLanes) add(n, row(i, n));
    std::memcpy(y + start, sums, sizeof(float) * static_cast<size_t>(std::min(width, weights.outputs - start)));
  }
}

// Up to as many inputs, the next row of spikes finds most of a block of weights in the second-level cache.
constexpr int64_t kNearInputs = 2048;
// Of more inputs too, where more than one in kFew is a spike and so in many rows at once.
constexpr int64_t kFew = 8;
// Shorter rows are no better than blocks.
constexpr int64_t kLongRow = 512;

template <bool with_values>
void product_of(const EventWeights& weights, const EventList& list, int64_t first, int64_t last, float* y) {
  const int64_t room = list.room(), stride = weights.stride();
  int64_t entries = 0;
  for (int64_t r = first; r < last; r++) entries += list.starts[2 * r + 1];
  const bool near = weights.inputs <= kNearInputs || entries * kFew > (last - first) * weights.inputs;
  if (weights.outputs >= kLongRow && (last - first == 1 || !near)) {
    for (int64_t r = first; r < last; r++)
      add_whole_rows<with_values>(weights, list.places + r * room, with_values ? list.values + r * room : nullptr,
                                  list.starts[2 * r + 1], y + r * weights.outputs);
    return;
  }
  // A block of outputs for all rows before the next: its weights stay in cache from row to row.
  for_blocks(weights, [&](auto vectors, int64_t output, const float* weight) {
    for (int64_t r = first; r < last; r++) {
      Sums<vectors()> sums(weights.bias + output);
      sums.template add<with_values, true>(weight, stride, 0, list.places + r * room,
                                           with_values ? list.values + r * room : nullptr, list.starts[2 * r + 1]);
      sums.store(y + r * weights.outputs + output, weights.outputs - output);
    }
  });
}

void product(const EventWeights& weights, const EventList& list, int64_t first, int64_t last, float* y) {
  if (list.values)
    product_of<true>(weights, list, first, last, y);
  else
    product_of<false>(weights, list, first, last, y);
}

template <bool with_values>
void convolution_of(const EventWeights& weights, const EventWindow& window, const EventList& list, int64_t first,
                    int64_t last, float* y) {
  const int64_t room = list.room(), groups = list.groups + 1, width = window.output[1], stride = weights.stride();
  for_blocks(weights, [&](auto vectors, int64_t output, const float* weight) {
    for (int64_t line = first; line < last; line++) {
      const int64_t image = line / window.output[0], top = line % window.output[0] * window.step[0] - window.padding[0];
      const int64_t from_row = std::max<int64_t>(0, -top), to_row = std::min(window.kernel[0], window.height - top);
      for (int64_t x = 0; x < width; x++) {
        // The columns of a window lie beside each other in a line, and so do their weights: one stretch of entries.
        const int64_t left = x * window.step[1] - window.padding[1];
        const int64_t from = std::clamp<int64_t>(left, 0, window.width),
                      to = std::clamp<int64_t>(left + window.kernel[1], 0, window.width);
        Sums<vectors()> sums(weights.bias + output);
        for (int64_t i = from_row; i < to_row; i++) {
          const int64_t row = image * window.height + top + i;
          const int64_t begin = list.starts[row * groups + from], end = list.starts[row * groups + to];
          const int64_t entry = row * room + begin;
          sums.template add<with_values, false>(weight, stride, (i * window.kernel[1] - left) * window.channels,
                                                list.places + entry, with_values ? list.values + entry : nullptr,
                                                end - begin);
        }
        sums.store(y + (line * width + x) * weights.outputs + output, weights.outputs - output);
      }
    }
  });
}

void convolution(const EventWeights& weights, const EventWindow& window, const EventList& list, int64_t first,
                 int64_t last, float* y) {
  if (list.values)
    convolution_of<true>(weights, window, list, first, last, y);
  else
    convolution_of<false>(weights, window, list, first, last, y);
}

}  // namespace

const EventKernels event_kernels = {find, count, product, convolution};

}  // namespace spikingrx::SPIKINGRX_ISA
