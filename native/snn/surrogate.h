// Surrogate gradients: S = H(x) = [x >= 0] forward, dS/dx := g(x) backward.
//
//   triangular    max(0, 1 - |x|/a) / a            width a       (Esser et al. 2016; Bellec et al. 2018)
//   sigmoid       k s(kx) (1 - s(kx))              slope k       (Zenke & Ganguli 2018; s the logistic function)
//   atan          (a/2) / (1 + (pi a x / 2)^2)     a             (Fang et al. 2021)
//   fastSigmoid   1 / (1 + k|x|)^2                 slope k       (Zenke & Ganguli 2018)
//   boxcar        1/(2w) where |x| < w             half width w  (Wu et al. 2018)
#pragma once
#include <ATen/core/Tensor.h>

#include <string>

#include "api.h"
#include "snn/kernels/surrogate_gradient.h"

namespace spikingrx {

// Throws c10::ValueError for an unknown name or a parameter that is not positive and finite.
SPIKINGRX_API Surrogate parse_surrogate(const std::string& kind, double parameter);

// x floating point, any shape: spikes 0 or 1 of the same dtype; differentiable by g.
SPIKINGRX_API at::Tensor surrogate(const at::Tensor& x, const Surrogate& surrogate);

}  // namespace spikingrx
