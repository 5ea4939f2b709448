// Included once for each instruction set: SPIKINGRX_ISA names its namespace, SPIKINGRX_SCAN_DOUBLE tells whether double
// is worth compiling for it; see lif_scan.h.
#include "snn/kernels/lif_norm.inl"
#include "snn/kernels/lif_rows.inl"

namespace spikingrx::SPIKINGRX_ISA {
namespace {

template <Reset reset, bool delay, bool with_trace, class Real>
void forward_tile(const LifForwardTile<Real>& tile) {
  constexpr ResetRule rule = reset_rule(reset, delay);
  const Element element = tile.element;
  const bool streaming = tile.streaming;
  Buffers<Real, 3> buffers;
  auto& [current_buffer, spikes_buffer, before_buffer] = buffers.values;
  for (int64_t t = 0; t < tile.steps; t++) {
    const bool enters_chunk = tile.states && t > 0 && t % kLifChunk == 0;
    const int64_t next = t + 1 < tile.steps ? (t + 1) * tile.current_step : tile.next_tile;
    for_pieces(tile.width, [&](int64_t first, int64_t width) {
      Real* __restrict u = tile.membrane + first;
      const Real* __restrict decay = tile.decay + first, * __restrict gain = tile.gain + first, * __restrict threshold = tile.threshold + first;
      const int64_t at = t * tile.output_step + first;
      if (enters_chunk)
        put(Element::kReal, streaming, u, tile.states, (t / kLifChunk - 1) * tile.states_step + first, width);
      prefetch<Real>(element, tile.current, next + first, width);
      const Real* __restrict current = read_current(tile, t, first, current_buffer, width);
      Real* __restrict spikes = tile.spikes ? place(element, streaming, tile.spikes, at, spikes_buffer) : spikes_buffer;
#pragma GCC ivdep
      for (int64_t n = 0; n < width; n++) {
        Real before, state = u[n];
        spikes[n] = advance(rule, state, gain[n] * current[n], decay[n], threshold[n], before);
        u[n] = state;
        if constexpr (with_trace) before_buffer[n] = before;
      }
      if (tile.spikes) put(element, streaming, spikes, tile.spikes, at, width);
      if constexpr (with_trace) {
        if (tile.trace) put(element, streaming, before_buffer, tile.trace, at, width);
        if (tile.membranes) put(Element::kReal, streaming, before_buffer, tile.membranes, at, width);
      }
    });
  }
  finish_streaming();
}

// Membranes before reset of the steps [begin, end) of `width` neurons from `first` on, exactly as forward computed
// them, into rows of kPiece; `entered` is the membrane that enters. Not inlined, as the conversions. Asks for the
// gradients that backward reads next.
template <Reset reset, bool delay, class Real>
[[gnu::noinline]] void recompute_membranes(const LifBackwardTile<Real>& tile, int64_t begin, int64_t end, int64_t first,
                                           int64_t width, const Real* entered, Real* membranes) {
  constexpr ResetRule rule = reset_rule(reset, delay);
  Buffers<Real, 2> buffers;
  Real* __restrict u = buffers.values[1];
  const Real* __restrict decay = tile.decay + first, * __restrict gain = tile.gain + first, * __restrict threshold = tile.threshold + first;
  std::copy_n(entered, width, u);
  for (int64_t t = begin; t < end; t++) {
    prefetch<Real>(tile.element, tile.grad_spikes, t * tile.grad_spikes_step + first, width);
    const Real* __restrict current = read_current(tile, t, first, buffers.values[0], width);
    Real* __restrict computed = membranes + (t - begin) * kPiece;
#pragma GCC ivdep
    for (int64_t n = 0; n < width; n++) {
      Real before, state = u[n];
      advance(rule, state, gain[n] * current[n], decay[n], threshold[n], before);
      u[n] = state;
      computed[n] = before;
    }
  }
}

// The steps of one chunk back, for a piece of the neurons: rows of `membranes` are `step` apart; `entered` is the state
// that entered the chunk, or the membrane before reset of the step before where all of these were saved.
template <Reset reset, bool delay, SurrogateKind kind, bool learn, class Real>
void chunk_back(const LifBackwardTile<Real>& tile, int64_t begin, int64_t end, int64_t first, int64_t width,
                const Real* entered, const Real* membranes, int64_t step, Real* carried_spike, Real* sums,
                ChunkSums& gathered) {
  constexpr ResetRule rule = reset_rule(reset, delay);
  const Element element = tile.element;
  const bool constant = tile.grad_current_step == 0, streaming = tile.streaming && !constant;
  const Real parameter = static_cast<Real>(tile.surrogate.parameter);
  const Real keep = tile.detach_reset ? Real(0) : Real(1);
  const Real input_share = tile.decay_input ? Real(1) : Real(0);
  Buffers<Real, 4> buffers;
  auto& [current_buffer, spikes_buffer, trace_buffer, result_buffer] = buffers.values;
  const Real* __restrict decay = tile.decay + first, * __restrict gain = tile.gain + first, * __restrict threshold = tile.threshold + first;
  Real* __restrict carry = tile.carry + first, * __restrict carry_spike = carried_spike + first, * __restrict sum = sums + first;
  Real* __restrict grad_decay = learn ? tile.grad_decay + first : nullptr, * __restrict grad_threshold =
                                                                               learn ? tile.grad_threshold + first
                                                                                     : nullptr;
  // What is read after this piece: the next one of these steps, the first one of the chunk before, or that of the next
  // tile, which begins with the last chunk.
  const bool last_piece = first + width == tile.width, last = last_piece && begin == 0;
  const int64_t last_chunk = (tile.steps - 1) / kLifChunk * kLifChunk;
  const int64_t steps_on = last ? last_chunk : last_piece ? -kLifChunk : 0;
  const int64_t next_piece = last_piece ? 0 : first + width, next_width = std::min(kPiece, tile.width - next_piece);
  const int64_t next_current = next_piece + (last ? tile.next_tile : 0);
  for (int64_t t = end - 1; t >= begin; t--) {
    const int64_t next = std::min(t + steps_on, tile.steps - 1);
    if (tile.membranes) {
      prefetch<Real>(Element::kReal, tile.membranes, next * step + next_piece, next_width);
      prefetch<Real>(element, tile.grad_spikes, next * tile.grad_spikes_step + next_piece, next_width);
    } else {
      prefetch<Real>(element, tile.current, next * tile.current_step + next_current, next_width);
    }
    const Real* __restrict membrane = membranes + (t - begin) * step;
    // Membrane before reset of step t - 1, from which the state that entered step t follows; or that state.
    const bool enters = t == 0 || (t == begin && !tile.membranes);
    const Real* __restrict previous = t == begin ? entered : membrane - step;
    const Real* __restrict current = learn ? read_current(tile, t, first, current_buffer, width) : nullptr;
    const Real* __restrict grad_spikes =
        read(element, tile.grad_spikes, t * tile.grad_spikes_step + first, spikes_buffer, width);
    const Real* __restrict grad_trace =
        read(element, tile.grad_trace, t * tile.grad_trace_step + first, trace_buffer, width);
    const int64_t at = t * tile.grad_current_step + first;
    Real* __restrict grad_current =
        constant ? result_buffer : place(element, streaming, tile.grad_current, at, result_buffer);
#pragma GCC ivdep
    for (int64_t n = 0; n < width; n++) {
      const Real g = surrogate_gradient<kind>(membrane[n] - threshold[n], parameter);
      LifCarry<Real> back{carry[n], carry_spike[n], learn ? grad_decay[n] : Real(0),
                          learn ? grad_threshold[n] : Real(0)};
      const Real grad_u =
          step_back<learn>(rule, back, membrane[n], previous[n], enters, g, grad_spikes[n], grad_trace[n],
                           learn ? current[n] : Real(0), decay[n], threshold[n], keep, input_share);
      carry[n] = back.membrane;
      if constexpr (delay) carry_spike[n] = back.spike;
      if constexpr (learn) grad_decay[n] = back.grad_decay, grad_threshold[n] = back.grad_threshold;
      grad_current[n] = gain[n] * grad_u;
    }
    gather_step(tile, t, first, grad_current, width, gathered);
    if (constant)
      for (int64_t n = 0; n < width; n++) sum[n] += grad_current[n];
    else
      put(element, streaming, grad_current, tile.grad_current, at, width);
  }
}

// Chunk by chunk from the last one, and a piece of the neurons at a time, so that the membranes of a chunk stay in the
// first-level cache.
template <Reset reset, bool delay, SurrogateKind kind, bool learn, class Real>
void backward_tile(const LifBackwardTile<Real>& tile) {
  Real *carried_spike = tile.scratch, *sums = carried_spike + tile.width;
  std::fill_n(carried_spike, 2 * tile.width, Real(0));
  Buffers<Real, kLifChunk> chunk;
  ChunkSums gathered;
  for (int64_t end = tile.steps; end > 0;) {
    const int64_t begin = (end - 1) / kLifChunk * kLifChunk;
    for_pieces(tile.width, [&](int64_t first, int64_t width) {
      const Real *entered = tile.initial + first, *membranes = chunk.values[0];
      int64_t step = kPiece;
      if (tile.membranes) {
        step = tile.membranes_step;
        membranes = tile.membranes + begin * step + first;
        if (begin > 0) entered = membranes - step;
      } else {
        if (begin > 0) entered = tile.states + (begin / kLifChunk - 1) * tile.states_step + first;
        recompute_membranes<reset, delay>(tile, begin, end, first, width, entered, chunk.values[0]);
      }
      chunk_back<reset, delay, kind, learn>(tile, begin, end, first, width, entered, membranes, step, carried_spike,
                                            sums, gathered);
    });
    add_chunk(gathered, tile.norm, begin, end);
    end = begin;
  }
  if (tile.grad_current_step == 0)
    for_pieces(tile.width, [&](int64_t first, int64_t width) {
      put(tile.element, false, sums + first, tile.grad_current, first, width);
    });
  if constexpr (delay) {  // the reset at the first step depends on the initial state through its spike
    const Real parameter = static_cast<Real>(tile.surrogate.parameter);
    for (int64_t n = 0; n < tile.width; n++) {
      const Real g = surrogate_gradient<kind>(tile.initial[n] - tile.threshold[n], parameter) * carried_spike[n];
      tile.carry[n] += g;
      if constexpr (learn) tile.grad_threshold[n] -= g;
    }
  }
  finish_streaming();
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
    if (tile.trace || tile.membranes)
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
