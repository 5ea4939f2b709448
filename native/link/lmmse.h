// Linear minimum mean square error channel estimation from the channel's statistics.
//
//   estimate = R_ap (R_pp + N0 D^-2)^-1 h_p,   D = diag |x_p|,   R the channel's covariance between elements
//
// joint: over time and frequency at once, the best linear estimate. With D R_pp D = U L U^H the noise power enters
// as L + N0 only, so that one decomposition serves every sample:
//
//   estimate = C (L + N0)^-1 A h_p,   A = U^H D,   C = R_ap D U
//
// separable: first along the subcarriers of each symbol with pilots, then along the symbols, each with its own one-axis
// covariance and with errors taken as independent in between (the order "f-t" of NVIDIA Sionna); cheaper where the grid
// is large, and a little worse.
#pragma once
#include <ATen/core/Tensor.h>

#include <tuple>

namespace spikingrx::link {

// What the statistics are made of.
struct ChannelStatistics {
  at::Tensor powers, delays;  // [L] float64 on the CPU; delays in s
  double specular = 0, specular_cosine = 0;
  double doppler = 0;  // Hz
};

// [S, S] complex128: E[H(t1) H(t2)*] over `times` [S] s, of unit power.
at::Tensor time_covariance(const ChannelStatistics& channel, const at::Tensor& times);
// [K, K] complex128 over `frequencies` [K] Hz
at::Tensor frequency_covariance(const ChannelStatistics& channel, const at::Tensor& frequencies);

// Of the joint estimate: A [P, P, 2], eigenvalues [P], C [P, S * K, 2], in the type and on the device of the pilots.
std::tuple<at::Tensor, at::Tensor, at::Tensor> lmmse_basis(const ChannelStatistics& channel, const at::Tensor& times,
                                                           const at::Tensor& frequencies, const at::Tensor& pilots);
// Estimate [B, R, S, K, 2] and error variance [B or 1, 1, S, K].
std::tuple<at::Tensor, at::Tensor> estimate_lmmse(const at::Tensor& received, const at::Tensor& pilots,
                                                  const at::Tensor& noise_power, const at::Tensor& observe,
                                                  const at::Tensor& eigenvalues, const at::Tensor& spread);

// The same of the separable estimate, from covariances [S, S, 2] and [K, K, 2].
std::tuple<at::Tensor, at::Tensor> estimate_lmmse_separable(const at::Tensor& received, const at::Tensor& pilots,
                                                            const at::Tensor& noise_power,
                                                            const at::Tensor& time_covariance,
                                                            const at::Tensor& frequency_covariance);

}  // namespace spikingrx::link
