// g(x) of each surrogate gradient, for the CPU and for CUDA; the equations are in snn/surrogate.h.
#pragma once
#include <cmath>
#include <cstdint>
#include <type_traits>

#include "snn/kernels/host_device.h"

namespace spikingrx {

enum class SurrogateKind : int64_t { kTriangular, kSigmoid, kAtan, kFastSigmoid, kBoxcar };

struct Surrogate {
  SurrogateKind kind = SurrogateKind::kTriangular;
  double parameter = 1.0;  // a, k or w, positive
};

template <SurrogateKind kind, class Real>
SPIKINGRX_INLINE Real surrogate_gradient(Real x, Real parameter) {
  const Real one = 1;
  if constexpr (kind == SurrogateKind::kTriangular) {
    const Real height = one / parameter;
    const Real g = (one - std::abs(x) * height) * height;
    return g > 0 ? g : Real(0);
  } else if constexpr (kind == SurrogateKind::kSigmoid) {
    // s(z)(1 - s(z)) is even in z: exp(-|z|) cannot overflow.
    const Real e = std::exp(-std::abs(parameter * x));
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
