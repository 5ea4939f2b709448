// Included once for each instruction set: SPIKINGRX_ISA names its namespace, SPIKINGRX_SCAN_DOUBLE tells whether double
// is worth compiling for it; see lif_scan.h.
#include <type_traits>

#include "snn/kernels/half_precision.h"
#include "snn/kernels/lif_scan_sets.h"

namespace spikingrx::SPIKINGRX_ISA {
namespace {

// Not inlined: each of the many scans below would carry a copy.
template <class Narrow>
[[gnu::noinline]] void widen(const Narrow* from, float* to, int64_t width) {
  for (int64_t n = 0; n < width; n++) to[n] = widened(from[n]);
}

template <class Narrow>
[[gnu::noinline]] void narrow(const float* from, Narrow* to, int64_t width) {
  for (int64_t n = 0; n < width; n++) narrow_into(from[n], to[n]);
}

// A row of a tensor as values of the computing type: where it lies, or converted into `row`.
template <class Real>
const Real* read_row(Element element, const void* first, int64_t offset, Real* row, int64_t width) {
  if (element == Element::kReal) return static_cast<const Real*>(first) + offset;
  if constexpr (std::is_same_v<Real, float>) {
    if (element == Element::kBFloat16) widen(static_cast<const BFloat16Bits*>(first) + offset, row, width);
    if (element == Element::kHalf) widen(static_cast<const HalfBits*>(first) + offset, row, width);
  }
  return row;
}

// Where a row is computed: in its place, or in `row`, to be converted by put_row.
template <class Real>
Real* place_row(Element element, void* first, int64_t offset, Real* row) {
  return element == Element::kReal ? static_cast<Real*>(first) + offset : row;
}

template <class Real>
void put_row(Element element, const Real* row, void* first, int64_t offset, int64_t width) {
  if constexpr (std::is_same_v<Real, float>) {
    if (element == Element::kBFloat16) narrow(row, static_cast<BFloat16Bits*>(first) + offset, width);
    if (element == Element::kHalf) narrow(row, static_cast<HalfBits*>(first) + offset, width);
  }
}

// Rows to convert by way of; of no use where nothing is converted.
template <class Real, int64_t count>
struct alignas(64) Rows {
  Real values[count][std::is_same_v<Real, float> ? kWidestTile : 1];
};

template <Reset reset, bool delay, bool with_trace, class Real>
void forward_tile(const LifForwardTile<Real>& tile) {
  constexpr ResetRule rule = reset_rule(reset, delay);
  const Element element = tile.element;
  Rows<Real, 3> rows;
  Real* __restrict u = tile.membrane;
  const Real* __restrict decay = tile.decay, * __restrict gain = tile.gain, * __restrict threshold = tile.threshold;
  for (int64_t t = 0; t < tile.steps; t++) {
    const int64_t at = t * tile.output_step;
    const Real* __restrict current = read_row(element, tile.current, t * tile.current_step, rows.values[0], tile.width);
    Real* __restrict spikes = place_row(element, tile.spikes, at, rows.values[1]);
    Real* __restrict trace = with_trace ? place_row(element, tile.trace, at, rows.values[2]) : nullptr;
#pragma GCC ivdep
    for (int64_t n = 0; n < tile.width; n++) {
      Real before, state = u[n];
      spikes[n] = advance(rule, state, gain[n] * current[n], decay[n], threshold[n], before);
      u[n] = state;
      if constexpr (with_trace) trace[n] = before;
    }
    put_row(element, spikes, tile.spikes, at, tile.width);
    if constexpr (with_trace) put_row(element, trace, tile.trace, at, tile.width);
  }
}

// The membranes before reset of all steps again, exactly as forward computed them. Not inlined, as the conversions.
template <Reset reset, bool delay, class Real>
[[gnu::noinline]] void recompute_membranes(const LifBackwardTile<Real>& tile, Real* row) {
  constexpr ResetRule rule = reset_rule(reset, delay);
  const Real* __restrict decay = tile.decay, * __restrict gain = tile.gain, * __restrict threshold = tile.threshold;
  Real* __restrict after = tile.after;
  for (int64_t n = 0; n < tile.width; n++) after[n] = tile.initial[n];
  for (int64_t t = 0; t < tile.steps; t++) {
    const Real* __restrict current = read_row(tile.element, tile.current, t * tile.current_step, row, tile.width);
    Real* __restrict membranes = tile.membranes + t * tile.width;
#pragma GCC ivdep
    for (int64_t n = 0; n < tile.width; n++) {
      Real before, state = after[n];
      advance(rule, state, gain[n] * current[n], decay[n], threshold[n], before);
      after[n] = state;
      membranes[n] = before;
    }
  }
}

template <Reset reset, bool delay, SurrogateKind kind, bool learn, class Real>
void backward_tile(const LifBackwardTile<Real>& tile) {
  constexpr ResetRule rule = reset_rule(reset, delay);
  const Element element = tile.element;
  Rows<Real, 4> rows;
  const int64_t width = tile.width, steps = tile.steps;
  const Real* __restrict decay = tile.decay, * __restrict gain = tile.gain, * __restrict threshold = tile.threshold;
  const Real parameter = static_cast<Real>(tile.surrogate.parameter);
  const Real keep = tile.detach_reset ? Real(0) : Real(1);
  const Real input_share = tile.decay_input ? Real(1) : Real(0);

  recompute_membranes<reset, delay>(tile, rows.values[0]);
  Real* __restrict carry = tile.carry, * __restrict carry_spike = tile.carry_spike, * __restrict sum = tile.sum;
  for (int64_t n = 0; n < width; n++) carry_spike[n] = sum[n] = 0;
  for (int64_t t = steps - 1; t >= 0; t--) {
    const Real* __restrict current = read_row(element, tile.current, t * tile.current_step, rows.values[0], width);
    const Real* __restrict grad_spikes =
        read_row(element, tile.grad_spikes, t * tile.grad_spikes_step, rows.values[1], width);
    const Real* __restrict grad_trace =
        read_row(element, tile.grad_trace, t * tile.grad_trace_step, rows.values[2], width);
    const Real* __restrict membranes = tile.membranes + t * width;
    // Membrane before reset of step t - 1, from which the state that entered step t follows.
    const Real* __restrict previous = t > 0 ? membranes - width : tile.initial;
    const bool constant = tile.grad_current_step == 0;
    const int64_t at = t * tile.grad_current_step;
    Real* __restrict grad_current = constant ? tile.after : place_row(element, tile.grad_current, at, rows.values[3]);
    Real* __restrict grad_decay = tile.grad_decay, * __restrict grad_threshold = tile.grad_threshold;
    const bool first = t == 0;
#pragma GCC ivdep
    for (int64_t n = 0; n < width; n++) {
      const Real g = surrogate_gradient<kind>(membranes[n] - threshold[n], parameter);
      LifCarry<Real> back{carry[n], carry_spike[n], learn ? grad_decay[n] : Real(0),
                          learn ? grad_threshold[n] : Real(0)};
      const Real grad_u = step_back<learn>(rule, back, membranes[n], previous[n], first, g, grad_spikes[n],
                                           grad_trace[n], current[n], decay[n], threshold[n], keep, input_share);
      carry[n] = back.membrane;
      if constexpr (delay) carry_spike[n] = back.spike;
      if constexpr (learn) grad_decay[n] = back.grad_decay, grad_threshold[n] = back.grad_threshold;
      grad_current[n] = gain[n] * grad_u;
    }
    if (constant)
      for (int64_t n = 0; n < width; n++) sum[n] += grad_current[n];
    else
      put_row(element, grad_current, tile.grad_current, at, width);
  }
  if (tile.grad_current_step == 0) {
    Real* __restrict target = place_row(element, tile.grad_current, 0, rows.values[3]);
    for (int64_t n = 0; n < width; n++) target[n] = sum[n];
    put_row(element, target, tile.grad_current, 0, width);
  }
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

template <class Real>
void forward(const LifForwardTile<Real>& tile) {
  with_reset(tile.reset, tile.reset_delay, [&](auto reset, auto delay) {
    if (tile.trace)
      forward_tile<reset(), delay(), true>(tile);
    else
      forward_tile<reset(), delay(), false>(tile);
  });
}

template <class Real>
void backward(const LifBackwardTile<Real>& tile) {
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

template <class Real>
LifScan<Real> lif_scan() {
  return {&forward<Real>, &backward<Real>};
}

template LifScan<float> lif_scan<float>();
#if SPIKINGRX_SCAN_DOUBLE
template LifScan<double> lif_scan<double>();
#endif

}  // namespace spikingrx::SPIKINGRX_ISA
