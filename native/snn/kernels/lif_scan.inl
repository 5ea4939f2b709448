// Included once for each instruction set: SPIKINGRX_ISA names its namespace, SPIKINGRX_SCAN_TYPES the element types
// that it is worth compiling for; see lif_scan.h.
#include "snn/kernels/lif_scan.h"

namespace spikingrx::SPIKINGRX_ISA {
namespace {

template <Reset reset, bool delay, bool with_trace, class Value>
void forward_tile(const LifForwardTile<Value>& tile) {
  constexpr ResetRule rule = reset_rule(reset, delay);
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
      const Real spike = advance(rule, state, gain[n] * static_cast<Real>(current[n]), decay[n], threshold[n], before);
      u[n] = state;
      spikes[n] = static_cast<Value>(spike);
      if constexpr (with_trace) trace[n] = static_cast<Value>(before);
    }
  }
}

template <Reset reset, bool delay, SurrogateKind kind, bool learn, class Value>
void backward_tile(const LifBackwardTile<Value>& tile) {
  constexpr ResetRule rule = reset_rule(reset, delay);
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
        advance(rule, state, gain[n] * static_cast<Real>(current[n]), decay[n], threshold[n], before);
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
      const Real g = surrogate_gradient<kind>(membranes[n] - threshold[n], parameter);
      LifCarry<Real> back{carry[n], carry_spike[n], learn ? grad_decay[n] : Real(0),
                          learn ? grad_threshold[n] : Real(0)};
      const Real grad_u = step_back<learn>(rule, back, membranes[n], previous[n], first, g,
                                           static_cast<Real>(grad_spikes[n]), static_cast<Real>(grad_trace[n]),
                                           static_cast<Real>(current[n]), decay[n], threshold[n], keep, input_share);
      carry[n] = back.membrane;
      if constexpr (delay) carry_spike[n] = back.spike;
      if constexpr (learn) grad_decay[n] = back.grad_decay, grad_threshold[n] = back.grad_threshold;
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

// Calls body(reset, delay) with both as compile-time constants; without a reset there is no delay.
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
