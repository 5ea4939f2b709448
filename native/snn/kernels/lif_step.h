// One time step of one LIF neuron, forward and backward: what the CPU's tiles and the CUDA kernels both compute, so
// that neither can differ from the other. The equations of forward are in snn/lif.h.
#pragma once
#include <cstdint>
#include <type_traits>

#include "snn/kernels/host_device.h"

namespace spikingrx {

enum class Reset : int64_t { kSubtract, kZero, kNone };

// S[t] and the membrane that goes on to the next step, from the membrane of the last step `u` and the input `drive` =
// gain I[t]. `before` receives the membrane before reset.
template <Reset reset, bool delay, class Real>
SPIKINGRX_INLINE Real advance(Real& u, Real drive, Real decay, Real threshold, Real& before) {
  Real carried = u;
  if constexpr (delay && reset == Reset::kZero) carried = u >= threshold ? Real(0) : u;
  Real integrated = decay * carried + drive;
  if constexpr (delay && reset == Reset::kSubtract) integrated = u >= threshold ? integrated - threshold : integrated;
  before = integrated;
  const bool fires = integrated >= threshold;
  u = integrated;
  if constexpr (!delay && reset == Reset::kSubtract) u = fires ? integrated - threshold : integrated;
  if constexpr (!delay && reset == Reset::kZero) u = fires ? Real(0) : integrated;
  return fires ? Real(1) : Real(0);
}

// What a neuron carries from step t + 1 back to step t.
template <class Real>
struct LifCarry {
  Real membrane;                    // gV: of the membrane after step t
  Real spike;                       // gR: of S[t] through a delayed reset
  Real grad_decay, grad_threshold;  // sums over the steps
};

// Backward at step t, with c = 0 where the reset is detached (else 1) and g' = g(U[t] - threshold), U before reset:
//
//   at once:  gU[t] = (gS[t] - c R gV) g' + gV (1 - [zero] S[t]) + gTrace[t];   gV := decay gU[t]
//             R = threshold (subtract) or U[t] (zero)
//   delayed:  gU[t] = (gS[t] + gR) g' + gV + gTrace[t];   f = 1 - [zero] S[t-1]
//             gV := decay f gU[t];   gR := -c threshold gU[t]  or  -c decay U[t-1] gU[t]
//
//   gDecay += gU[t] (U_in[t] - [decay_input] I[t]), U_in what the decay multiplied;
//   gThreshold -= (gS[t] + reset term) g' + [subtract] S gV or S[t-1] gU[t]
//
// Gives gU[t]; gI[t] = gain gU[t]. `u` is U[t]; `before` is U[t-1] before reset or, with `entered`, the state that
// entered step t (only a delayed reset is still due in it).
template <Reset reset, bool delay, bool learn, class Real>
SPIKINGRX_INLINE Real step_back(LifCarry<Real>& carry, Real u, Real before, bool entered, Real g, Real grad_spike,
                                Real grad_trace, Real current, Real decay, Real threshold, Real keep,
                                Real input_share) {
  const bool fired = u >= threshold, fired_before = before >= threshold;
  const Real onward = carry.membrane;
  Real spike_gradient = grad_spike, grad_u;
  if constexpr (delay) {
    spike_gradient += carry.spike;
    grad_u = spike_gradient * g + onward + grad_trace;
  } else {
    if constexpr (reset == Reset::kSubtract) spike_gradient -= keep * threshold * onward;
    if constexpr (reset == Reset::kZero) spike_gradient -= keep * u * onward;
    const Real through = reset == Reset::kZero && fired ? Real(0) : onward;
    grad_u = spike_gradient * g + through + grad_trace;
  }
  const Real carried = delay && reset == Reset::kZero && fired_before ? Real(0) : grad_u;  // f gU[t]
  if constexpr (delay && reset == Reset::kSubtract) carry.spike = -keep * threshold * grad_u;
  if constexpr (delay && reset == Reset::kZero) carry.spike = -keep * decay * before * grad_u;
  if constexpr (learn) {
    Real multiplied = before;
    const bool reset_before = fired_before && (delay || !entered);
    if constexpr (!delay && reset == Reset::kSubtract) multiplied = reset_before ? before - threshold : before;
    if constexpr (reset == Reset::kZero) multiplied = reset_before ? Real(0) : before;
    carry.grad_decay += grad_u * (multiplied - input_share * current);
    Real grad_theta = -spike_gradient * g;
    if constexpr (reset == Reset::kSubtract)
      grad_theta -= delay ? (fired_before ? grad_u : Real(0)) : (fired ? onward : Real(0));
    carry.grad_threshold += grad_theta;
  }
  carry.membrane = decay * carried;
  return grad_u;
}

// Calls body(reset, delay) with both as compile-time constants; without a reset there is no delay.
SPIKINGRX_ANY_BODY
template <class Body>
SPIKINGRX_INLINE void with_reset(Reset reset, bool delay, Body&& body) {
  using Subtract = std::integral_constant<Reset, Reset::kSubtract>;
  using Zero = std::integral_constant<Reset, Reset::kZero>;
  using None = std::integral_constant<Reset, Reset::kNone>;
  if (reset == Reset::kNone) return body(None{}, std::false_type{});
  if (reset == Reset::kZero) return delay ? body(Zero{}, std::true_type{}) : body(Zero{}, std::false_type{});
  return delay ? body(Subtract{}, std::true_type{}) : body(Subtract{}, std::false_type{});
}

}  // namespace spikingrx
