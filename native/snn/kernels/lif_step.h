// One time step of LIF neurons, forward and backward: what the CPU's tiles and the CUDA kernels both compute, so that
// neither can differ from the other. The equations of forward are in snn/lif.h.
//
// Real is float or double, or, on the CPU, a register of them (lif_registers.inl): comparisons then give a mask, by
// which `mask ? a : b` selects lane by lane. Hence Real{} for zero, and no && between such comparisons.
#pragma once
#include <cstdint>

#include "snn/kernels/host_device.h"

namespace spikingrx {

enum class Reset : int64_t { kSubtract, kZero, kNone };

// Which reset acts when. The CPU gives it as a constant, so that only its own operations are compiled; the CUDA kernels
// as a value, since the same selections cost them less than five times the code.
struct ResetRule {
  bool subtract_now, zero_now, subtract_later, zero_later;
  SPIKINGRX_INLINE constexpr bool now() const { return subtract_now || zero_now; }
  SPIKINGRX_INLINE constexpr bool later() const { return subtract_later || zero_later; }
};

SPIKINGRX_INLINE constexpr ResetRule reset_rule(Reset reset, bool delay) {
  const bool subtract = reset == Reset::kSubtract, zero = reset == Reset::kZero;
  return {subtract && !delay, zero && !delay, subtract && delay, zero && delay};
}

// S[t] and the membrane that goes on to the next step, from the membrane of the last step `u` and the input `drive` =
// gain I[t]. `before` receives the membrane before reset.
template <class Real>
SPIKINGRX_INLINE Real advance(const ResetRule& rule, Real& u, Real drive, Real decay, Real threshold, Real& before) {
  const auto due = u >= threshold;
  const Real carried = rule.zero_later ? (due ? Real{} : u) : u;
  Real integrated = decay * carried + drive;
  if (rule.subtract_later) integrated = due ? integrated - threshold : integrated;
  before = integrated;
  const auto fires = integrated >= threshold;
  u = integrated;
  if (rule.subtract_now) u = fires ? integrated - threshold : u;
  if (rule.zero_now) u = fires ? Real{} : u;
  return fires ? 1 + Real{} : Real{};
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
template <bool learn, class Real>
SPIKINGRX_INLINE Real step_back(const ResetRule& rule, LifCarry<Real>& carry, Real u, Real before, bool entered, Real g,
                                Real grad_spike, Real grad_trace, Real current, Real decay, Real threshold, Real keep,
                                Real input_share) {
  const auto fired = u >= threshold, fired_before = before >= threshold;
  const Real onward = carry.membrane;
  const Real removed = rule.subtract_now ? threshold : u;  // R
  Real spike_gradient = rule.later() ? grad_spike + carry.spike : grad_spike;
  spike_gradient = rule.now() ? spike_gradient - keep * removed * onward : spike_gradient;
  const Real through = rule.zero_now ? (fired ? Real{} : onward) : onward;
  const Real grad_u = spike_gradient * g + through + grad_trace;
  const Real carried = rule.zero_later ? (fired_before ? Real{} : grad_u) : grad_u;              // f gU[t]
  carry.spike = rule.zero_later ? -keep * decay * before * grad_u : -keep * threshold * grad_u;  // if later()
  if constexpr (learn) {
    Real multiplied = before;
    if (rule.subtract_now && !entered) multiplied = fired_before ? before - threshold : before;
    if ((rule.zero_now && !entered) || rule.zero_later) multiplied = fired_before ? Real{} : multiplied;
    carry.grad_decay += grad_u * (multiplied - input_share * current);
    Real grad_theta = -spike_gradient * g;
    if (rule.subtract_later) grad_theta -= fired_before ? grad_u : Real{};
    if (rule.subtract_now) grad_theta -= fired ? onward : Real{};
    carry.grad_threshold += grad_theta;
  }
  carry.membrane = decay * carried;
  return grad_u;
}

}  // namespace spikingrx
