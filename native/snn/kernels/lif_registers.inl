// Registers full of neighbouring neurons, and rows of a piece (lif_rows.inl) as the scan goes through them: over the
// steps of a chunk with the neurons' state in registers. Included by lif_forward.inl and lif_backward.inl, once for
// each instruction set; SPIKINGRX_REGISTER is the size of its registers in bytes.
#pragma once
#include <algorithm>
#include <cstdint>
#include <cstring>
#include <type_traits>

#include "snn/kernels/lif_rows.inl"

namespace spikingrx::SPIKINGRX_ISA {
namespace {

template <class Real>
struct Register {
  static constexpr int64_t kWidth = SPIKINGRX_REGISTER / sizeof(Real);
  // Registers that are worked on at once: one's operations run while those of another wait. More are more code, which
  // is saved where it is worth least: for double, and without AVX.
  static constexpr int kGroup = sizeof(Real) == sizeof(double) ? 1 : SPIKINGRX_REGISTER == 16 ? 2 : 4;
  typedef Real Value __attribute__((vector_size(SPIKINGRX_REGISTER)));

  [[gnu::always_inline]] static Value load(const Real* from) {
    Value value;
    std::memcpy(&value, from, sizeof value);
    return value;
  }
  [[gnu::always_inline]] static void store(const Value& value, Real* to) { std::memcpy(to, &value, sizeof value); }
  // Past the caches; `to` is aligned. Whole lines are written: see `fits`.
  [[gnu::always_inline]] static void stream(const Value& value, Real* to) {
#if defined(__x86_64__) && SPIKINGRX_REGISTER == 64
    _mm512_stream_si512(reinterpret_cast<__m512i*>(to), (__m512i)value);
#elif defined(__x86_64__) && SPIKINGRX_REGISTER == 32
    _mm256_stream_si256(reinterpret_cast<__m256i*>(to), (__m256i)value);
#elif defined(__x86_64__)
    _mm_stream_si128(reinterpret_cast<__m128i*>(to), (__m128i)value);
#else
    store(value, to);
#endif
  }
  static constexpr int64_t padded(int64_t width) { return (width + kWidth - 1) / kWidth * kWidth; }
};

// One value a neuron for `count` registers of them; zeros from null.
template <class Real, int count>
struct Group {
  typename Register<Real>::Value at[count];

  [[gnu::always_inline]] explicit Group(const Real* from) {
#pragma GCC unroll 4
    for (int v = 0; v < count; v++)
      at[v] = from ? Register<Real>::load(from + v * Register<Real>::kWidth) : typename Register<Real>::Value{};
  }
  [[gnu::always_inline]] void store(Real* to) const {
#pragma GCC unroll 4
    for (int v = 0; v < count; v++) Register<Real>::store(at[v], to + v * Register<Real>::kWidth);
  }
};

// Rows of a piece, a time step each.
template <class Real>
struct Rows {
  Real* first;
  int64_t step;
  [[gnu::always_inline]] Real* at(int64_t t, int64_t n) const { return first + t * step + n; }
};

// Rows of the current, or of what LifNorm makes the current of.
template <class Real>
struct Currents {
  Rows<const Real> rows;
  const float *scale, *shift;  // of the piece's first step; null: nothing to make
  int64_t step;
  [[gnu::always_inline]] typename Register<Real>::Value load(int64_t t, int64_t n) const {
    const auto value = Register<Real>::load(rows.at(t, n));
    if constexpr (std::is_same_v<Real, float>)
      if (scale) return scale[t * step] * value + shift[t * step];
    return value;
  }
};

template <class Real>
struct Target {
  Rows<Real> rows;
  bool streaming;
  [[gnu::always_inline]] void put(const typename Register<Real>::Value& value, int64_t t, int64_t n) const {
    if (streaming)
      Register<Real>::stream(value, rows.at(t, n));
    else
      Register<Real>::store(value, rows.at(t, n));
  }
};

// Rows that are read after those of this piece. Asked for a little at every step, into the second-level cache:
// processors foresee the lines of one row, but not where the next one begins.
struct Ahead {
  const char* first;  // null: none
  int64_t step, rows, element;

  template <int64_t bytes>
  [[gnu::always_inline]] void ask(int64_t t, int64_t n) const {
    if (!first || t >= rows) return;
    const char* line = first + t * step + n * element;
    for (int64_t at = 0; at < bytes; at += kLine) __builtin_prefetch(line + at, 0, 2);
  }
};

template <class Real>
Ahead ahead_of(Element element, const void* tensor, int64_t offset, int64_t step, int64_t rows) {
  const int64_t size = element_size<Real>(element);
  if (!tensor || step == 0) return {};
  return {static_cast<const char*>(tensor) + offset * size, step * size, rows, size};
}

// Whether registers can be put where a tensor's rows lie; past the caches whole lines only.
template <class Real>
bool fits(Element element, bool streaming, const void* first, int64_t offset, int64_t step, int64_t width) {
  const auto lines = [](uintptr_t bytes) { return bytes % kLine == 0; };
  const auto size = [](int64_t count) { return static_cast<uintptr_t>(count) * sizeof(Real); };
  return element == Element::kReal && width % Register<Real>::kWidth == 0 &&
         (!streaming || (lines(reinterpret_cast<uintptr_t>(static_cast<const Real*>(first) + offset)) &&
                         lines(size(step)) && lines(size(width))));
}

// One value a neuron in whole registers: where it lies, or copied into `room`, with zeros behind.
template <class Real>
Real* in_registers(const Real* row, int64_t width, Real* room) {
  if (!row || width % Register<Real>::kWidth == 0) return const_cast<Real*>(row);
  std::fill(std::copy_n(row, width, room), room + Register<Real>::padded(width), Real(0));
  return room;
}

// What was changed in a copy of in_registers.
template <class Real>
void put_back(const Real* changed, Real* row, int64_t width) {
  if (row && changed != row) std::copy_n(changed, width, row);
}

// Rows [begin, begin + rows) of a piece in whole registers: where they lie, or `read_row(t, buffer)` into `room`, row
// by row.
template <class Real, class Read>
Rows<const Real> rows_in_registers(bool where_they_lie, const void* tensor, int64_t begin, int64_t rows, int64_t step,
                                   int64_t first, int64_t width, Real* room, Read&& read_row) {
  if (where_they_lie) return {static_cast<const Real*>(tensor) + begin * step + first, step};
  const int64_t different = step == 0 ? std::min<int64_t>(rows, 1) : rows;
  for (int64_t t = 0; t < different; t++) {
    Real* buffer = room + t * kPiece;
    const Real* row = read_row(begin + t, buffer);
    if (row != buffer) std::copy_n(row, width, buffer);
    std::fill(buffer + width, buffer + Register<Real>::padded(width), Real(0));
  }
  return {room, step == 0 ? 0 : kPiece};
}

// Rows of a tile's current from step `begin` on.
template <class Real, class Tile>
Currents<Real> currents_of(const Tile& tile, int64_t begin, int64_t rows, int64_t first, int64_t width, Real* room) {
  const bool where_they_lie = tile.element == Element::kReal && width % Register<Real>::kWidth == 0;
  Currents<Real> currents{};
  currents.rows = rows_in_registers(
      where_they_lie, tile.current, begin, rows, tile.current_step, first, width, room, [&](int64_t t, Real* buffer) {
        return read(tile.element, tile.current, t * tile.current_step + first, buffer, width);
      });
  if (!tile.norm.scale) return currents;
  currents.step = tile.norm.step;
  currents.scale = tile.norm.scale + begin * currents.step, currents.shift = tile.norm.shift + begin * currents.step;
  return currents;
}

}  // namespace
}  // namespace spikingrx::SPIKINGRX_ISA
