// Time-varying multipath as a sum of sinusoids, and its response on the grid.
//
//   g_l(t) = sqrt(p_l / N) sum_n exp(j (2 pi f_d t cos a_ln + b_ln)),   a_ln = (2 pi / N) (n + u),  u, b uniform
//   line of sight, tap 0:  + sqrt(p_0) exp(j (2 pi f_d t cos a_0 + b_0))
//   H(t, f) = sum_l g_l(t) exp(-2 pi j f tau_l)
//
// so that E[g(t)* g(t + s)] = p_l J0(2 pi f_d s), Jakes' spectrum (Xiao, Zheng and Beaulieu, 2006). f_d is the largest
// Doppler shift, speed carrier / c.
#pragma once
#include <ATen/core/Tensor.h>

#include "link/draws.h"
#include "link/tdl_profiles.h"

namespace spikingrx::link {

// All in turns (1 turn = 2 pi).
struct Sinusoids {
  at::Tensor angles;           // [B, N, L] angles of arrival, shared by the antennas
  at::Tensor phases;           // [B, R, N, L]
  at::Tensor specular_phases;  // [B], the line of sight's
};

Sinusoids draw_sinusoids(const Samples& samples, int64_t antennas, int64_t sinusoids, int64_t taps, at::Device device);

// powers [L], doppler [B] or [1] Hz, times [T] s -> [B, R, T, L, 2]. float32 on the CPU runs kernels/draws.h, all else
// libtorch's operators.
at::Tensor tap_gains(const at::Tensor& powers, double specular, double specular_cosine, const at::Tensor& doppler,
                     const at::Tensor& times, const Sinusoids& drawn);

// gains [B, R, T, L, 2], delays [B, L] or [1, L] s, frequencies [K] Hz -> [B, R, T, K, 2]
at::Tensor frequency_response(const at::Tensor& gains, const at::Tensor& delays, const at::Tensor& frequencies);

// The discrete channel at `bandwidth` samples a second behind ideal low-pass filters: gains at every sample
// [B, R, T, L, 2] -> [B, R, T, last - first + 1, 2], h(t, n) = sum_l g_l(t) sinc(n - bandwidth tau_l).
at::Tensor time_response(const at::Tensor& gains, const at::Tensor& delays, double bandwidth, int64_t first,
                         int64_t last);

// y(t) = sum_n h(t, n) x(t - n): signal [B, T, 2] through response [B, R, T or 1, last - first + 1, 2] ->
// [B, R, T, 2]; what would come before the first or after the last sample is left out.
at::Tensor filter_signal(const at::Tensor& signal, const at::Tensor& response, int64_t first);

// y = H x + n: grid [B, S, K, 2], response [B or 1, R, S, K, 2], noise_power [B] or [1] -> [B, R, S, K, 2]
at::Tensor receive(const at::Tensor& grid, const at::Tensor& response, const at::Tensor& noise_power,
                   const Samples& samples);

}  // namespace spikingrx::link
