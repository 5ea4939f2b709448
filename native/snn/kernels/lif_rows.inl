// Pieces of the rows of a tile: where values of one time step are read and written. Included by lif_registers.inl and
// lif_norm.inl, once for each instruction set.
//
// A piece that is converted, or whose rows are no whole lines and written past the caches, is computed in a buffer in
// the first-level cache and put from there. Past the caches means non-temporal stores of whole lines: the memory
// written is not read first, which saves a third of the traffic of a copy, and what the caches hold stays there.
#pragma once
#include <algorithm>
#include <cstdint>
#include <cstring>
#include <type_traits>
#if defined(__x86_64__)
#include <immintrin.h>
#endif

#include "snn/kernels/half_precision.h"
#include "snn/kernels/lif_scan_sets.h"

namespace spikingrx::SPIKINGRX_ISA {
namespace {

inline constexpr int64_t kLine = 64;
inline constexpr int64_t kPiece = 256;  // elements

// Not inlined, as all that follows: each of the many scans would carry a copy.
[[gnu::noinline]] void stream(const void* from, void* to, int64_t bytes) {
#if defined(__x86_64__)
  const auto* source = static_cast<const char*>(from);
  auto* target = static_cast<char*>(to);
  const int64_t head = -reinterpret_cast<intptr_t>(target) & (kLine - 1);
  if (head + kLine <= bytes) {
    std::memcpy(target, source, static_cast<size_t>(head));
    int64_t at = head;
    for (; at + kLine <= bytes; at += kLine) {
#if defined(__AVX512F__)
      _mm512_stream_si512(reinterpret_cast<__m512i*>(target + at), _mm512_loadu_si512(source + at));
#elif defined(__AVX2__)
      for (int64_t half = at; half < at + kLine; half += 32)
        _mm256_stream_si256(reinterpret_cast<__m256i*>(target + half),
                            _mm256_loadu_si256(reinterpret_cast<const __m256i*>(source + half)));
#else
      for (int64_t quarter = at; quarter < at + kLine; quarter += 16)
        _mm_stream_si128(reinterpret_cast<__m128i*>(target + quarter),
                         _mm_loadu_si128(reinterpret_cast<const __m128i*>(source + quarter)));
#endif
    }
    source += at, target += at, bytes -= at;
  }
  std::memcpy(target, source, static_cast<size_t>(bytes));
#else
  std::memcpy(to, from, static_cast<size_t>(bytes));
#endif
}

// Non-temporal stores are not ordered with those that tell another thread that they are done.
inline void finish_streaming() {
#if defined(__x86_64__)
  _mm_sfence();
#endif
}

template <class Narrow>
[[gnu::noinline]] void widen(const Narrow* from, float* to, int64_t width) {
  for (int64_t n = 0; n < width; n++) to[n] = widened(from[n]);
}

template <class Narrow>
[[gnu::noinline]] void narrow(const float* from, Narrow* to, int64_t width) {
  for (int64_t n = 0; n < width; n++) narrow_into(from[n], to[n]);
}

template <class Real>
int64_t element_size(Element element) {
  return element == Element::kReal ? static_cast<int64_t>(sizeof(Real)) : 2;
}

// Calls body(first, width) for each piece of a row.
template <class Body>
[[gnu::always_inline]] inline void for_pieces(int64_t width, Body&& body) {
  for (int64_t n = 0; n < width; n += kPiece) body(n, std::min(kPiece, width - n));
}

// A piece of a tensor as values of the computing type: where it lies, or converted into `buffer`.
template <class Real>
const Real* read(Element element, const void* first, int64_t offset, Real* buffer, int64_t width) {
  if (element == Element::kReal) return static_cast<const Real*>(first) + offset;
  if constexpr (std::is_same_v<Real, float>) {
    if (element == Element::kBFloat16) widen(static_cast<const BFloat16Bits*>(first) + offset, buffer, width);
    if (element == Element::kHalf) widen(static_cast<const HalfBits*>(first) + offset, buffer, width);
  }
  return buffer;
}

// Puts what was computed in `piece` where it belongs.
template <class Real>
[[gnu::noinline]] void put(Element element, bool streaming, const Real* piece, void* first, int64_t offset,
                           int64_t width) {
  char* target = static_cast<char*>(first) + offset * element_size<Real>(element);
  const void* source = piece;
  if constexpr (std::is_same_v<Real, float>) {
    alignas(64) uint16_t halves[kPiece];
    void* converted = streaming ? static_cast<void*>(halves) : target;
    if (element == Element::kBFloat16) narrow(piece, static_cast<BFloat16Bits*>(converted), width);
    if (element == Element::kHalf) narrow(piece, static_cast<HalfBits*>(converted), width);
    if (element != Element::kReal) source = converted;
  }
  const int64_t bytes = width * element_size<Real>(element);
  if (streaming)
    stream(source, target, bytes);
  else if (source != target)
    std::memcpy(target, source, static_cast<size_t>(bytes));
}

// Pieces to compute or convert by way of.
template <class Real, int64_t count>
struct alignas(64) Buffers {
  Real values[count][kPiece];
};

}  // namespace
}  // namespace spikingrx::SPIKINGRX_ISA
