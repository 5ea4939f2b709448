// The scan forward. Included by lif_scan.inl, once for each instruction set.
//
// Chunks of kLifChunk steps, a piece of the neurons at a time: a group of registers goes through the chunk's steps with
// its membranes, decays and thresholds in registers, so that a step is one load and one store a register.
#pragma once
#include "snn/kernels/lif_registers.inl"

namespace spikingrx::SPIKINGRX_ISA {
namespace {

template <class Real>
struct ForwardPiece {
  int64_t steps, width;  // of whole registers
  Currents<Real> current;
  Target<Real> spikes, before;
  Real* membrane;
  const Real *decay, *gain, *threshold;
  Ahead ahead;
};

template <Reset reset, bool delay, bool with_trace, int count, class Real>
[[gnu::always_inline]] inline void forward_group(const ForwardPiece<Real>& piece, int64_t n) {
  using R = Register<Real>;
  constexpr ResetRule rule = reset_rule(reset, delay);
  Group<Real, count> u(piece.membrane + n);
  const Group<Real, count> decay(piece.decay + n), gain(piece.gain + n), threshold(piece.threshold + n);
  for (int64_t t = 0; t < piece.steps; t++) {
    piece.ahead.template ask<count * SPIKINGRX_REGISTER>(t, n);
#pragma GCC unroll 4
    for (int v = 0; v < count; v++) {
      const int64_t at = n + v * R::kWidth;
      typename R::Value before;
      const auto spikes =
          advance(rule, u.at[v], gain.at[v] * piece.current.load(t, at), decay.at[v], threshold.at[v], before);
      piece.spikes.put(spikes, t, at);
      if constexpr (with_trace) piece.before.put(before, t, at);
    }
  }
  u.store(piece.membrane + n);
}

template <Reset reset, bool delay, bool with_trace, class Real>
[[gnu::noinline]] void forward_piece(const ForwardPiece<Real>& piece) {
  constexpr int64_t kTogether = Register<Real>::kGroup * Register<Real>::kWidth;
  int64_t n = 0;
  for (; n + kTogether <= piece.width; n += kTogether)
    forward_group<reset, delay, with_trace, Register<Real>::kGroup>(piece, n);
  for (; n < piece.width; n += Register<Real>::kWidth) forward_group<reset, delay, with_trace, 1>(piece, n);
}

template <class Real>
using ForwardScan = void (*)(const ForwardPiece<Real>&);

template <class Real>
void forward_tile(const LifForwardTile<Real>& tile, ForwardScan<Real> scan) {
  const Element element = tile.element;
  const bool streaming = tile.streaming;
  Buffers<Real, kLifChunk> currents, spikes, befores;
  Buffers<Real, 4> neurons;
  for (int64_t begin = 0; begin < tile.steps; begin += kLifChunk) {
    const int64_t steps = std::min(kLifChunk, tile.steps - begin);
    for_pieces(tile.width, [&](int64_t first, int64_t width) {
      if (tile.states && begin > 0)
        put(Element::kReal, streaming, tile.membrane + first, tile.states,
            (begin / kLifChunk - 1) * tile.states_step + first, width);
      ForwardPiece<Real> piece;
      piece.steps = steps, piece.width = Register<Real>::padded(width);
      piece.current = currents_of(tile, begin, steps, first, width, currents.values[0]);

      const int64_t at = begin * tile.output_step + first;
      const auto target = [&](Element kind, void* tensor, Real* buffer) -> Target<Real> {
        if (tensor && fits<Real>(kind, streaming, tensor, at, tile.output_step, width))
          return {{static_cast<Real*>(tensor) + at, tile.output_step}, streaming};
        return {{buffer, kPiece}, false};
      };
      piece.spikes = target(element, tile.spikes, spikes.values[0]);
      piece.before = target(Element::kReal, tile.trace ? nullptr : tile.membranes, befores.values[0]);
      piece.membrane = in_registers(tile.membrane + first, width, neurons.values[0]);
      piece.decay = in_registers(tile.decay + first, width, neurons.values[1]);
      piece.gain = in_registers(tile.gain + first, width, neurons.values[2]);
      piece.threshold = in_registers(tile.threshold + first, width, neurons.values[3]);

      // The next piece of these steps, the first one of the next chunk, or that of the next tile.
      const bool last_piece = first + width == tile.width, last = last_piece && begin + steps == tile.steps;
      const int64_t next = last ? 0 : last_piece ? begin + steps : begin;
      const int64_t offset = next * tile.current_step + (last_piece ? 0 : first + width) + (last ? tile.next_tile : 0);
      piece.ahead =
          ahead_of<Real>(element, tile.current, offset, tile.current_step, std::min(kLifChunk, tile.steps - next));
      scan(piece);

      put_back(piece.membrane, tile.membrane + first, width);
      for (int64_t t = 0; t < steps; t++) {
        const int64_t to = at + t * tile.output_step;
        if (tile.spikes && piece.spikes.rows.first == spikes.values[0])
          put(element, streaming, spikes.values[t], tile.spikes, to, width);
        if (piece.before.rows.first != befores.values[0]) continue;
        if (tile.trace) put(element, streaming, befores.values[t], tile.trace, to, width);
        if (tile.membranes) put(Element::kReal, streaming, befores.values[t], tile.membranes, to, width);
      }
    });
  }
  finish_streaming();
}

}  // namespace
}  // namespace spikingrx::SPIKINGRX_ISA
