// Included once for each instruction set: SPIKINGRX_ISA names its namespace, SPIKINGRX_SCAN_TYPES the element types
// that it is worth compiling for; see lif_scan.h.
#include "snn/kernels/lif_scan.h"

namespace spikingrx::SPIKINGRX_ISA {
namespace {

// S[t] and the membrane that goes on to the next step, from the membrane of the last step `u` and the input `drive` =
// gain I[t]. `before` receives the membrane before reset.
template <Reset reset, bool delay, class Real>
[[gnu::always_inline]] inline Real advance(Real& u, Real drive, Real decay, Real threshold, Real& before) {
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

template <Reset reset, bool delay, bool with_trace, class Value>
void forward_tile(const LifForwardTile<Value>& tile) {
  using Real = typename ComputeType<Value>::type;
  Real* __restrict u = tile.membrane;
  const Real* __restrict decay = tile.decay, * __restrict gain = tile.gain, * __restrict threshold = tile.threshold;
  for (int64_t t = 0; t < tile.steps; t++) {
    const Value* __restrict current = tile.current + t * tile.current_step;
    Value* __restrict spikes = tile.spikes + t * tile.output_step;
    Value* __restrict trace = with_trace ? tile.trace + t * tile.output_step : nullptr;
#pragma GCC ivdep
    for (int64_t n = 0; n < tile.width; n++) {
      Real before, state = u[n];
      const Real spike =
          advance<reset, delay>(state, gain[n] * static_cast<Real>(current[n]), decay[n], threshold[n], before);
      u[n] = state;
      spikes[n] = static_cast<Value>(spike);
      if constexpr (with_trace) trace[n] = static_cast<Value>(before);
    }
  }
}

// Backward at step t, with c = 0 where the reset is detached (else 1) and g' = g(U[t] - threshold), U before reset:
//
//   at once:  gU[t] = (gS[t] - c R gV) g' + gV (1 - [zero] S[t]) + gTrace[t];   gV := decay gU[t]
//             R = threshold (subtract) or U[t] (zero)
//   delayed:  gU[t] = (gS[t] + gR) g' + gV + gTrace[t];   f = 1 - [zero] S[t-1]
//             gV := decay f gU[t];   gR := -c threshold gU[t]  or  -c decay U[t-1] gU[t]
//
//   gI[t] = gain gU[t];   gDecay += gU[t] (U_in[t] - [decay_input] I[t]), U_in what the decay multiplied;
//   gThreshold -= (gS[t] + reset term) g' + [subtract] S gV or S[t-1] gU[t]
template <Reset reset, bool delay, SurrogateKind kind, bool learn, class Value>
void backward_tile(const LifBackwardTile<Value>& tile) {
  using Real = typename ComputeType<Value>::type;
  const int64_t width = tile.width, steps = tile.steps;
  const Real* __restrict decay = tile.decay, * __restrict gain = tile.gain, * __restrict threshold = tile.threshold;
  const Real parameter = static_cast<Real>(tile.surrogate.parameter);
  const Real keep = tile.detach_reset ? Real(0) : Real(1);
  const Real input_share = tile.decay_input ? Real(1) : Real(0);

  {  // the membranes again, exactly as forward computed them
    Real* __restrict after = tile.after;
    for (int64_t n = 0; n < width; n++) after[n] = tile.initial[n];
    for (int64_t t = 0; t < steps; t++) {
      const Value* __restrict current = tile.current + t * tile.current_step;
      Real* __restrict membranes = tile.membranes + t * width;
#pragma GCC ivdep
      for (int64_t n = 0; n < width; n++) {
        Real before, state = after[n];
        advance<reset, delay>(state, gain[n] * static_cast<Real>(current[n]), decay[n], threshold[n], before);
        after[n] = state;
        membranes[n] = before;
      }
    }
  }

  Real* __restrict carry = tile.carry, * __restrict carry_spike = tile.carry_spike, * __restrict sum = tile.sum;
  for (int64_t n = 0; n < width; n++) carry_spike[n] = sum[n] = 0;
  for (int64_t t = steps - 1; t >= 0; t--) {
    const Value* __restrict current = tile.current + t * tile.current_step;
    const Value* __restrict grad_spikes = tile.grad_spikes + t * tile.grad_spikes_step;
    const Value* __restrict grad_trace = tile.grad_trace + t * tile.grad_trace_step;
    const Real* __restrict membranes = tile.membranes + t * width;
    // Membrane before reset of step t - 1, from which the state that entered step t follows.
    const Real* __restrict previous = t > 0 ? membranes - width : tile.initial;
    const bool constant = tile.grad_current_step == 0;
    Value* __restrict grad_current = tile.grad_current + t * tile.grad_current_step;
    Real* __restrict grad_decay = tile.grad_decay, * __restrict grad_threshold = tile.grad_threshold;
    const bool first = t == 0;
#pragma GCC ivdep
    for (int64_t n = 0; n < width; n++) {
      const Real u = membranes[n], theta = threshold[n], distance = u - theta;
      const bool fired = u >= theta;
      const Real g = surrogate_gradient<kind>(distance, parameter);
      const Real onward = carry[n];
      Real spike_gradient = static_cast<Real>(grad_spikes[n]);
      Real grad_u;
      if constexpr (delay) {
        spike_gradient += carry_spike[n];
        grad_u = spike_gradient * g + onward + static_cast<Real>(grad_trace[n]);
      } else {
        if constexpr (reset == Reset::kSubtract) spike_gradient -= keep * theta * onward;
        if constexpr (reset == Reset::kZero) spike_gradient -= keep * u * onward;
        const Real through = reset == Reset::kZero && fired ? Real(0) : onward;
        grad_u = spike_gradient * g + through + static_cast<Real>(grad_trace[n]);
      }
      const Real before = previous[n];
      const bool fired_before = before >= theta;
      const Real carried = delay && reset == Reset::kZero && fired_before ? Real(0) : grad_u;  // f gU[t]
      if constexpr (delay && reset == Reset::kSubtract) carry_spike[n] = -keep * theta * grad_u;
      if constexpr (delay && reset == Reset::kZero) carry_spike[n] = -keep * decay[n] * before * grad_u;
      if constexpr (learn) {
        Real entered = before;  // what the decay multiplied; `initial` is a state already, unless its reset is due
        const bool reset_before = fired_before && (delay || !first);
        if constexpr (!delay && reset == Reset::kSubtract) entered = reset_before ? before - theta : before;
        if constexpr (reset == Reset::kZero) entered = reset_before ? Real(0) : before;
        grad_decay[n] += grad_u * (entered - input_share * static_cast<Real>(current[n]));
        Real grad_theta = -spike_gradient * g;
        if constexpr (reset == Reset::kSubtract)
          grad_theta -= delay ? (fired_before ? grad_u : Real(0)) : (fired ? onward : Real(0));
        grad_threshold[n] += grad_theta;
      }
      carry[n] = decay[n] * carried;
      const Real grad_input = gain[n] * grad_u;
      if (constant)
        sum[n] += grad_input;
      else
        grad_current[n] = static_cast<Value>(grad_input);
    }
  }
  if (tile.grad_current_step == 0)
    for (int64_t n = 0; n < width; n++) tile.grad_current[n] = static_cast<Value>(sum[n]);
  if constexpr (delay)  // the reset at the first step depends on the initial state through its spike
    for (int64_t n = 0; n < width; n++) {
      const Real g = surrogate_gradient<kind>(tile.initial[n] - threshold[n], parameter) * carry_spike[n];
      carry[n] += g;
      if constexpr (learn) tile.grad_threshold[n] -= g;
    }
}

template <class Body>
void with_reset(Reset reset, bool delay, Body&& body) {
  using Subtract = std::integral_constant<Reset, Reset::kSubtract>;
  using Zero = std::integral_constant<Reset, Reset::kZero>;
  using None = std::integral_constant<Reset, Reset::kNone>;
  if (reset == Reset::kNone) return body(None{}, std::false_type{});
  if (reset == Reset::kZero) return delay ? body(Zero{}, std::true_type{}) : body(Zero{}, std::false_type{});
  return delay ? body(Subtract{}, std::true_type{}) : body(Subtract{}, std::false_type{});
}

template <class Value>
void forward(const LifForwardTile<Value>& tile) {
  with_reset(tile.reset, tile.reset_delay, [&](auto reset, auto delay) {
    if (tile.trace)
      forward_tile<reset(), delay(), true>(tile);
    else
      forward_tile<reset(), delay(), false>(tile);
  });
}

template <class Value>
void backward(const LifBackwardTile<Value>& tile) {
  with_reset(tile.reset, tile.reset_delay, [&](auto reset, auto delay) {
    with_surrogate_kind(tile.surrogate.kind, [&](auto kind) {
      if (tile.grad_decay)
        backward_tile<reset(), delay(), kind(), true>(tile);
      else
        backward_tile<reset(), delay(), kind(), false>(tile);
    });
  });
}

}  // namespace

template <class Value>
LifScan<Value> lif_scan() {
  return {&forward<Value>, &backward<Value>};
}

#define SPIKINGRX_SCAN(value) template LifScan<value> lif_scan<value>();
SPIKINGRX_SCAN_TYPES(SPIKINGRX_SCAN)

}  // namespace spikingrx::SPIKINGRX_ISA
