// The resource grid of a 5G NR slot: S symbols x K subcarriers, pilots on some elements, data on others.
//
// kinds [S, K] uint8: 0 empty, 1 data, 2 pilot.
#pragma once
#include <ATen/core/Tensor.h>

#include <string_view>

namespace spikingrx::link {

constexpr int64_t kEmpty = 0, kData = 1, kPilot = 2;

// The demodulation reference signal r(0..length-1) of 3GPP TS 38.211, 7.4.1.1.1, [length, 2] float64, |r| = 1.
// symbol in the slot, slot in the frame, N_ID 0..65535, n_SCID 0 or 1.
at::Tensor reference_signal(int64_t symbol, int64_t slot, int64_t identity, int64_t scrambling, int64_t length);

// bits [B, bits, S, K], pilots [S, K, 2] -> the transmitted grid [B, S, K, 2]: symbols of unit energy on data elements,
// pilots as they are, zeros elsewhere.
at::Tensor transmit(const at::Tensor& bits, const at::Tensor& pilots, const at::Tensor& kinds,
                    std::string_view modulation);

// Orthonormal OFDM. Subcarrier k of K lies at frequency (k - K / 2) spacing (K / 2 rounded down).
// grid [..., S, K, 2] -> samples [..., S (size + prefix), 2], and back.
at::Tensor ofdm_modulate(const at::Tensor& grid, int64_t size, int64_t prefix);
at::Tensor ofdm_demodulate(const at::Tensor& samples, int64_t symbols, int64_t subcarriers, int64_t size,
                           int64_t prefix);

// What the receiver network reads: received [B, 1, S, K, 2] and pilots -> [B, 4, S, K], real and imaginary part of
// either.
at::Tensor network_input(const at::Tensor& received, const at::Tensor& pilots);

}  // namespace spikingrx::link
