// The scan backward. Included by lif_scan.inl, once for each instruction set.
//
// Chunk by chunk from the last one, a piece of the neurons at a time. A group of registers goes through the chunk's
// steps forward, to compute their membranes again, and back, with what it carries in registers; the membranes between
// lie in the first-level cache.
#pragma once
#include <utility>

#include "snn/kernels/lif_norm.inl"
#include "snn/kernels/lif_registers.inl"

namespace spikingrx::SPIKINGRX_ISA {
namespace {

template <class Real>
struct BackwardPiece {
  int64_t steps, width;  // of whole registers
  Currents<Real> current;
  Rows<const Real> grad_spikes, grad_trace;  // no trace: null
  Rows<const Real> membranes;                // before reset
  Real* recomputed;                          // where they are, or null: they were saved
  // The state that enters, or, where membranes were saved, the one before reset of the step before.
  const Real* entered;
  bool enters;  // `entered` is a state
  Target<Real> grad_current;
  const Real *decay, *gain, *threshold;
  Real *carry, *carried_spike, *grad_decay, *grad_threshold;
  Real* sum;  // of the gradients, for a current that is the same at every step; else null
  Real parameter, keep, input_share;
  Ahead forth, back;  // asked for while it goes forward, if it does, and while it goes back
};

// Membranes before reset, exactly as forward computed them, into rows of kPiece.
template <Reset reset, bool delay, int count, class Real>
[[gnu::always_inline]] inline void recompute_group(const BackwardPiece<Real>& piece, int64_t n) {
  using R = Register<Real>;
  constexpr ResetRule rule = reset_rule(reset, delay);
  Group<Real, count> u(piece.entered + n);
  const Group<Real, count> decay(piece.decay + n), gain(piece.gain + n), threshold(piece.threshold + n);
  for (int64_t t = 0; t < piece.steps; t++) {
    piece.forth.template ask<count * SPIKINGRX_REGISTER>(t, n);
#pragma GCC unroll 4
    for (int v = 0; v < count; v++) {
      const int64_t at = n + v * R::kWidth;
      typename R::Value before;
      advance(rule, u.at[v], gain.at[v] * piece.current.load(t, at), decay.at[v], threshold.at[v], before);
      R::store(before, piece.recomputed + t * kPiece + at);
    }
  }
}

template <Reset reset, bool delay, SurrogateKind kind, bool learn, int count, class Real>
[[gnu::always_inline]] inline void group_back(const BackwardPiece<Real>& piece, int64_t n) {
  using R = Register<Real>;
  using Value = typename R::Value;
  constexpr ResetRule rule = reset_rule(reset, delay);
  const Group<Real, count> decay(piece.decay + n), gain(piece.gain + n), threshold(piece.threshold + n);
  Group<Real, count> carry(piece.carry + n), carried_spike(delay ? piece.carried_spike + n : nullptr),
      grad_decay(learn ? piece.grad_decay + n : nullptr), grad_threshold(learn ? piece.grad_threshold + n : nullptr),
      sum(piece.sum ? piece.sum + n : nullptr);
  const Value keep = Value{} + piece.keep, input_share = Value{} + piece.input_share;
  for (int64_t t = piece.steps - 1; t >= 0; t--) {
    piece.back.template ask<count * SPIKINGRX_REGISTER>(t, n);
    if (!piece.recomputed) piece.forth.template ask<count * SPIKINGRX_REGISTER>(t, n);
#pragma GCC unroll 4
    for (int v = 0; v < count; v++) {
      const int64_t at = n + v * R::kWidth;
      const Value membrane = R::load(piece.membranes.at(t, at)), spikes = R::load(piece.grad_spikes.at(t, at)),
                  before = R::load(t == 0 ? piece.entered + at : piece.membranes.at(t - 1, at)),
                  current = learn ? piece.current.load(t, at) : Value{},
                  trace = piece.grad_trace.first ? R::load(piece.grad_trace.at(t, at)) : Value{};
      const Value g = surrogate_gradient<kind>(membrane - threshold.at[v], piece.parameter);
      LifCarry<Value> back{carry.at[v], carried_spike.at[v], grad_decay.at[v], grad_threshold.at[v]};
      const Value grad_u = step_back<learn>(rule, back, membrane, before, t == 0 && piece.enters, g, spikes, trace,
                                            current, decay.at[v], threshold.at[v], keep, input_share);
      carry.at[v] = back.membrane;
      if constexpr (delay) carried_spike.at[v] = back.spike;
      if constexpr (learn) grad_decay.at[v] = back.grad_decay, grad_threshold.at[v] = back.grad_threshold;
      const Value result = gain.at[v] * grad_u;
      if (piece.sum)
        sum.at[v] += result;
      else
        piece.grad_current.put(result, t, at);
    }
  }
  carry.store(piece.carry + n);
  if constexpr (delay) carried_spike.store(piece.carried_spike + n);
  if constexpr (learn) grad_decay.store(piece.grad_decay + n), grad_threshold.store(piece.grad_threshold + n);
  if (piece.sum) sum.store(piece.sum + n);
}

template <Reset reset, bool delay, SurrogateKind kind, bool learn, class Real>
[[gnu::noinline]] void backward_piece(const BackwardPiece<Real>& piece) {
  constexpr int kGroup = Register<Real>::kGroup;
  constexpr int64_t kWidth = Register<Real>::kWidth;
  int64_t n = 0;
  for (; n + kGroup * kWidth <= piece.width; n += kGroup * kWidth) {
    if (piece.recomputed) recompute_group<reset, delay, kGroup>(piece, n);
    group_back<reset, delay, kind, learn, kGroup>(piece, n);
  }
  for (; n < piece.width; n += kWidth) {
    if (piece.recomputed) recompute_group<reset, delay, 1>(piece, n);
    group_back<reset, delay, kind, learn, 1>(piece, n);
  }
}

template <class Real>
using BackwardScan = void (*)(const BackwardPiece<Real>&);

template <class Real>
void backward_tile(const LifBackwardTile<Real>& tile, BackwardScan<Real> scan) {
  const Element element = tile.element;
  const bool constant = tile.grad_current_step == 0, streaming = tile.streaming && !constant;
  const bool saved = tile.membranes != nullptr, learn = tile.grad_decay != nullptr;
  Real *carried_spike = tile.scratch, *sums = carried_spike + tile.width;
  std::fill_n(carried_spike, 2 * tile.width, Real(0));
  Buffers<Real, kLifChunk> currents, spikes, traces, membranes, results;
  Buffers<Real, 9> neurons;
  ChunkSums gathered;
  for (int64_t end = tile.steps; end > 0;) {
    const int64_t begin = (end - 1) / kLifChunk * kLifChunk, steps = end - begin;
    for_pieces(tile.width, [&](int64_t first, int64_t width) {
      const bool whole = width % Register<Real>::kWidth == 0, as_it_lies = whole && element == Element::kReal;
      const auto gradient_rows = [&](const void* tensor, int64_t step, Real* room) {
        return rows_in_registers(
            as_it_lies, tensor, begin, steps, step, first, width, room,
            [&](int64_t t, Real* buffer) { return read(element, tensor, t * step + first, buffer, width); });
      };
      BackwardPiece<Real> piece{};
      piece.steps = steps, piece.width = Register<Real>::padded(width);
      if (learn || !saved) piece.current = currents_of(tile, begin, steps, first, width, currents.values[0]);
      piece.grad_spikes = gradient_rows(tile.grad_spikes, tile.grad_spikes_step, spikes.values[0]);
      if (tile.grad_trace_step != 0)
        piece.grad_trace = gradient_rows(tile.grad_trace, tile.grad_trace_step, traces.values[0]);

      const Real* entered = tile.initial + first;
      if (saved) {
        const int64_t step = tile.membranes_step;
        piece.membranes =
            rows_in_registers(whole, tile.membranes, begin, steps, step, first, width, membranes.values[0],
                              [&](int64_t t, Real*) { return tile.membranes + t * step + first; });
        if (begin > 0) entered = tile.membranes + (begin - 1) * step + first;
      } else {
        piece.membranes = {membranes.values[0], kPiece};
        piece.recomputed = membranes.values[0];
        if (begin > 0) entered = tile.states + (begin / kLifChunk - 1) * tile.states_step + first;
      }
      piece.enters = begin == 0 || !saved;

      Real* row = neurons.values[0];
      const auto padded = [&](const Real* values) {
        return in_registers(values, width, std::exchange(row, row + kPiece));
      };
      piece.entered = padded(entered);
      piece.decay = padded(tile.decay + first), piece.gain = padded(tile.gain + first);
      piece.threshold = padded(tile.threshold + first);
      piece.carry = padded(tile.carry + first), piece.carried_spike = padded(carried_spike + first);
      piece.sum = constant ? padded(sums + first) : nullptr;
      piece.grad_decay = learn ? padded(tile.grad_decay + first) : nullptr;
      piece.grad_threshold = learn ? padded(tile.grad_threshold + first) : nullptr;
      piece.parameter = static_cast<Real>(tile.surrogate.parameter);
      piece.keep = tile.detach_reset ? Real(0) : Real(1), piece.input_share = tile.decay_input ? Real(1) : Real(0);

      const int64_t at = begin * tile.grad_current_step + first;
      const bool direct = fits<Real>(element, streaming, tile.grad_current, at, tile.grad_current_step, width);
      piece.grad_current = {direct ? Rows<Real>{static_cast<Real*>(tile.grad_current) + at, tile.grad_current_step}
                                   : Rows<Real>{results.values[0], kPiece},
                            direct && streaming};

      // The next piece of these steps, the first one of the chunk before, or that of the next tile, whose last chunk
      // comes first.
      const bool last_piece = first + width == tile.width, last = last_piece && begin == 0;
      const int64_t last_chunk = (tile.steps - 1) / kLifChunk * kLifChunk;
      const int64_t next = last ? last_chunk : last_piece ? begin - kLifChunk : begin;
      const int64_t next_first = (last_piece ? 0 : first + width) + (last ? tile.next_tile : 0);
      const int64_t rows = std::min(kLifChunk, tile.steps - next);
      const auto ahead = [&](Element kind, const void* tensor, int64_t step) {
        return ahead_of<Real>(kind, tensor, next * step + next_first, step, rows);
      };
      piece.forth = saved ? ahead(Element::kReal, tile.membranes, tile.membranes_step)
                          : ahead(element, tile.current, tile.current_step);
      piece.back = ahead(element, tile.grad_spikes, tile.grad_spikes_step);
      scan(piece);

      put_back(piece.carry, tile.carry + first, width);
      put_back(piece.carried_spike, carried_spike + first, width);
      if (constant) put_back(piece.sum, sums + first, width);
      if (learn) {
        put_back(piece.grad_decay, tile.grad_decay + first, width);
        put_back(piece.grad_threshold, tile.grad_threshold + first, width);
      }
      if (constant) return;
      for (int64_t t = 0; t < steps; t++) {
        gather_step(tile, begin + t, first, piece.grad_current.rows.at(t, 0), width, gathered);
        if (!direct)
          put(element, streaming, results.values[t], tile.grad_current, at + t * tile.grad_current_step, width);
      }
    });
    add_chunk(gathered, tile.norm, begin, end);
    end = begin;
  }
  if (constant)
    for_pieces(tile.width, [&](int64_t first, int64_t width) {
      put(element, false, sums + first, tile.grad_current, first, width);
    });
  finish_streaming();
}

// A delayed reset at the first step depends on the initial state through its spike.
template <SurrogateKind kind, class Real>
void through_initial_spike(const LifBackwardTile<Real>& tile) {
  const Real parameter = static_cast<Real>(tile.surrogate.parameter), *carried_spike = tile.scratch;
  for (int64_t n = 0; n < tile.width; n++) {
    const Real g = surrogate_gradient<kind>(tile.initial[n] - tile.threshold[n], parameter) * carried_spike[n];
    tile.carry[n] += g;
    if (tile.grad_threshold) tile.grad_threshold[n] -= g;
  }
}

}  // namespace
}  // namespace spikingrx::SPIKINGRX_ISA
