// Surrogate gradients: S = H(x) = [x >= 0] forward, dS/dx := g(x) backward.
//
//   triangular    max(0, 1 - |x|/a) / a            width a       (Esser et al. 2016; Bellec et al. 2018)
//   sigmoid       k s(kx) (1 - s(kx))              slope k       (Zenke & Ganguli 2018; s the logistic function)
//   atan          (a/2) / (1 + (pi a x / 2)^2)     a             (Fang et al. 2021)
//   fastSigmoid   1 / (1 + k|x|)^2                 slope k       (Zenke & Ganguli 2018)
//   boxcar        1/(2w) where |x| < w             half width w  (Wu et al. 2018)
#pragma once
#include <ATen/core/Tensor.h>

#include <cmath>
#include <cstdint>
#include <string>

#include "api.h"

namespace spikingrx {

enum class SurrogateKind : int64_t { kTriangular, kSigmoid, kAtan, kFastSigmoid, kBoxcar };

struct Surrogate {
  SurrogateKind kind = SurrogateKind::kTriangular;
  double parameter = 1.0;  // a, k or w, positive
};

// Throws c10::ValueError for an unknown name or a parameter that is not positive and finite.
SPIKINGRX_API Surrogate parse_surrogate(const std::string& kind, double parameter);

// x floating point, any shape: spikes 0 or 1 of the same dtype; differentiable by g.
SPIKINGRX_API at::Tensor surrogate(const at::Tensor& x, const Surrogate& surrogate);

// Always inlined: it is compiled for several instruction sets, and the linker must not merge these.
template <SurrogateKind kind, class Real>
[[gnu::always_inline]] inline Real surrogate_gradient(Real x, Real parameter) {
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
    const Real z = Real(M_PI / 2) * parameter * x;
    return (parameter / 2) / (one + z * z);
  } else if constexpr (kind == SurrogateKind::kFastSigmoid) {
    const Real d = one + parameter * std::abs(x);
    return one / (d * d);
  } else {
    return std::abs(x) < parameter ? one / (2 * parameter) : Real(0);
  }
}

// Calls body with the kind as a compile-time constant.
template <class Body>
auto with_surrogate_kind(SurrogateKind kind, Body&& body) {
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
