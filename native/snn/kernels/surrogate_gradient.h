// g(x) of each surrogate gradient, for the CPU and for CUDA; the equations are in snn/surrogate.h.
#pragma once
#include <cmath>
#include <cstdint>
#include <cstring>
#include <type_traits>

#include "snn/kernels/host_device.h"

namespace spikingrx {

enum class SurrogateKind : int64_t { kTriangular, kSigmoid, kAtan, kFastSigmoid, kBoxcar };

struct Surrogate {
  SurrogateKind kind = SurrogateKind::kTriangular;
  double parameter = 1.0;  // a, k or w, positive
};

// exp(y) for y <= 0.
template <class Real>
SPIKINGRX_INLINE Real decaying_exponential(Real y) {
  return std::exp(y);
}

#if !defined(__CUDACC__)
// exp(y) = 2^n exp(r), n = round(y / ln 2), |r| <= ln 2 / 2, within 2 units in the last place. In elementary
// operations, which compilers vectorise: libm's function, called for each neuron, took two thirds of the time of LIF's
// backward. 0 below -87, where float32 has no normal number left.
template <>
SPIKINGRX_INLINE float decaying_exponential(float y) {
  constexpr float kShift = 12582912;  // 1.5 x 2^23: adding it rounds to an integer, kept in the lowest bits
  const float shifted = y * 1.44269504f + kShift, n = shifted - kShift;
  const float r = y - n * 0.693359375f + n * 2.12194440e-4f;  // ln 2 in two parts, n times the first exact
  float series = 1.0f / 5040;                                 // Taylor's: the eighth term is below 6e-9
  series = series * r + 1.0f / 720;
  series = series * r + 1.0f / 120;
  series = series * r + 1.0f / 24;
  series = series * r + 1.0f / 6;
  series = series * r + 0.5f;
  series = series * r + 1;
  series = series * r + 1;
  uint32_t bits;
  std::memcpy(&bits, &shifted, sizeof bits);
  bits = (bits + 127) << 23;  // of 2^n
  float power;
  std::memcpy(&power, &bits, sizeof power);
  return y < -87 ? 0 : series * power;
}
#endif

template <SurrogateKind kind, class Real>
SPIKINGRX_INLINE Real surrogate_gradient(Real x, Real parameter) {
  const Real one = 1;
  if constexpr (kind == SurrogateKind::kTriangular) {
    const Real height = one / parameter;
    const Real g = (one - std::abs(x) * height) * height;
    return g > 0 ? g : Real(0);
  } else if constexpr (kind == SurrogateKind::kSigmoid) {
    // s(z)(1 - s(z)) is even in z: exp(-|z|) cannot overflow.
    const Real e = decaying_exponential(-std::abs(parameter * x));
    return parameter * e / ((one + e) * (one + e));
  } else if constexpr (kind == SurrogateKind::kAtan) {
    const Real z = Real(1.57079632679489661923) * parameter * x;  // pi / 2
    return (parameter / 2) / (one + z * z);
  } else if constexpr (kind == SurrogateKind::kFastSigmoid) {
    const Real d = one + parameter * std::abs(x);
    return one / (d * d);
  } else {
    return std::abs(x) < parameter ? one / (2 * parameter) : Real(0);
  }
}

// Calls body with the kind as a compile-time constant.
SPIKINGRX_ANY_BODY
template <class Body>
SPIKINGRX_INLINE auto with_surrogate_kind(SurrogateKind kind, Body&& body) {
  switch (kind) {
    case SurrogateKind::kSigmoid:
      return body(std::integral_constant<SurrogateKind, SurrogateKind::kSigmoid>{});
    case SurrogateKind::kAtan:
      return body(std::integral_constant<SurrogateKind, SurrogateKind::kAtan>{});
    case SurrogateKind::kFastSigmoid:
      return body(std::integral_constant<SurrogateKind, SurrogateKind::kFastSigmoid>{});
    case SurrogateKind::kBoxcar:
      return body(std::integral_constant<SurrogateKind, SurrogateKind::kBoxcar>{});
    case SurrogateKind::kTriangular:
    default:
      return body(std::integral_constant<SurrogateKind, SurrogateKind::kTriangular>{});
  }
}

}  // namespace spikingrx
