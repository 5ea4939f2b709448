// g(x) of each surrogate gradient, for the CPU and for CUDA; the equations are in snn/surrogate.h. Real: see
// lif_step.h; its Parameter is always a number.
#pragma once
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <type_traits>

#include "snn/kernels/host_device.h"

namespace spikingrx {

enum class SurrogateKind : int64_t { kTriangular, kSigmoid, kAtan, kFastSigmoid, kBoxcar };

struct Surrogate {
  SurrogateKind kind = SurrogateKind::kTriangular;
  double parameter = 1.0;  // a, k or w, positive
};

template <class Real>
SPIKINGRX_INLINE Real magnitude(Real x) {
  if constexpr (std::is_floating_point_v<Real>) {
    return std::abs(x);
  } else {
    using Bits = decltype(x < x);  // integers of the lanes' size
    return (Real)((Bits)x & std::numeric_limits<std::decay_t<decltype(Bits{}[0])>>::max());
  }
}

// exp(y) = 2^n exp(r), n = round(y / ln 2), |r| <= ln 2 / 2, for float and y <= 0, within 2 units in the last place. In
// elementary operations: libm's function, called for each neuron, took two thirds of the time of LIF's backward. 0
// below -87, where float32 has no normal number left.
template <class Bits, class Real>
SPIKINGRX_INLINE Real exponential_series(Real y) {
  constexpr float kShift = 12582912;  // 1.5 x 2^23: adding it rounds to an integer, kept in the lowest bits
  const Real shifted = y * 1.44269504f + kShift, n = shifted - kShift;
  const Real r = y - n * 0.693359375f + n * 2.12194440e-4f;  // ln 2 in two parts, n times the first exact
  Real series = Real{} + 1.0f / 5040;                        // Taylor's: the eighth term is below 6e-9
  series = series * r + 1.0f / 720;
  series = series * r + 1.0f / 120;
  series = series * r + 1.0f / 24;
  series = series * r + 1.0f / 6;
  series = series * r + 0.5f;
  series = series * r + 1;
  series = series * r + 1;
  Bits bits;
  std::memcpy(&bits, &shifted, sizeof bits);
  bits = (bits + 127) << 23;  // of 2^n
  Real power;
  std::memcpy(&power, &bits, sizeof power);
  return y < -87 ? Real{} : series * power;
}

// exp(y) for y <= 0.
template <class Real>
SPIKINGRX_INLINE Real decaying_exponential(Real y) {
  if constexpr (std::is_floating_point_v<Real>) {
#if !defined(__CUDACC__)
    if constexpr (std::is_same_v<Real, float>) return exponential_series<uint32_t>(y);
#endif
    return std::exp(y);
  } else if constexpr (sizeof(y[0]) == sizeof(float)) {
    return exponential_series<decltype(y < y)>(y);
  } else {
    for (size_t lane = 0; lane < sizeof(y) / sizeof(y[0]); lane++) y[lane] = std::exp(y[lane]);
    return y;
  }
}

template <SurrogateKind kind, class Real, class Parameter>
SPIKINGRX_INLINE Real surrogate_gradient(Real x, Parameter parameter) {
  if constexpr (kind == SurrogateKind::kTriangular) {
    const Parameter height = 1 / parameter;
    const Real g = (1 - magnitude(x) * height) * height;
    return g > Real{} ? g : Real{};
  } else if constexpr (kind == SurrogateKind::kSigmoid) {
    // s(z)(1 - s(z)) is even in z: exp(-|z|) cannot overflow.
    const Real e = decaying_exponential(-magnitude(parameter * x));
    return parameter * e / ((1 + e) * (1 + e));
  } else if constexpr (kind == SurrogateKind::kAtan) {
    const Real z = Parameter(1.57079632679489661923) * parameter * x;  // pi / 2
    return (parameter / 2) / (1 + z * z);
  } else if constexpr (kind == SurrogateKind::kFastSigmoid) {
    const Real d = 1 + parameter * magnitude(x);
    return 1 / (d * d);
  } else {
    return magnitude(x) < parameter ? Real{} + 1 / (2 * parameter) : Real{};
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
