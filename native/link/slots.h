// Whole slots: bits on a grid, through a channel drawn for each.
#pragma once
#include <ATen/core/Tensor.h>

#include <string_view>
#include <tuple>

#include "link/draws.h"

namespace spikingrx::link {

struct Range {
  double low, high;
};

struct SlotOptions {
  std::string_view modulation, channel;  // "awgn", "rayleigh" (one tap, constant over the slot), "tdl-a".."tdl-e"
  Range snr, delay_spread, speed;        // Es/N0 dB, s, m/s; drawn evenly for each sample
  double carrier;                        // Hz
  int64_t antennas, sinusoids;
};

// Received [B, R, S, K, 2], bits [B, bits, S, K] (given, or drawn where undefined), response [B, R, S, K, 2], and of
// each sample N0, Es/N0 in dB, delay spread in s, speed in m/s: [B].
using Slots = std::tuple<at::Tensor, at::Tensor, at::Tensor, at::Tensor, at::Tensor, at::Tensor, at::Tensor>;

// pilots [S, K, 2], kinds [S, K], times [S] s and frequencies [K] Hz of the grid; all on one device. One sequence of
// draws a sample.
Slots simulate_slots(const at::Tensor& pilots, const at::Tensor& kinds, const at::Tensor& times,
                     const at::Tensor& frequencies, const std::optional<at::Tensor>& bits, const SlotOptions& options,
                     const Samples& samples);

// The response of the channel alone, [B, R, S, K, 2]; doppler [B] or [1] Hz, delay_spread [B] or [1] s.
at::Tensor draw_response(std::string_view channel, const at::Tensor& doppler, const at::Tensor& delay_spread,
                         const at::Tensor& times, const at::Tensor& frequencies, int64_t antennas, int64_t sinusoids,
                         const Samples& samples);

}  // namespace spikingrx::link
