#include "link/lmmse.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/abs.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/complex.h>
#include <ATen/ops/index_select.h>
#include <ATen/ops/linalg_eigh.h>
#include <ATen/ops/linalg_solve.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/ones_like.h>
#include <ATen/ops/polar.h>
#include <ATen/ops/real.h>
#include <ATen/ops/special_bessel_j0.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros_like.h>

#include <vector>

#include "link/arguments.h"
#include "link/estimation.h"

namespace spikingrx::link {
namespace {

constexpr double kTurn = 6.283185307179586476925;

at::Tensor unit_circle(const at::Tensor& radians) { return at::polar(at::ones_like(radians), radians); }

// x_i - x_j
at::Tensor differences(const at::Tensor& x) { return x.unsqueeze(1) - x.unsqueeze(0); }

at::Tensor scattered_time(const ChannelStatistics& channel, const at::Tensor& lags) {
  return at::special_bessel_j0(lags * (kTurn * channel.doppler));
}

at::Tensor specular_time(const ChannelStatistics& channel, const at::Tensor& lags) {
  return unit_circle(lags * (kTurn * channel.doppler * channel.specular_cosine));
}

void check_statistics(const ChannelStatistics& channel) {
  check_axes("powers", channel.powers, 1);
  check_axes("delays", channel.delays, 1);
  SPIKINGRX_CHECK(channel.powers.numel() == channel.delays.numel() && channel.powers.numel() > 0, "ERR_SHAPE",
                  "powers and delays must be of the same taps, got ", channel.powers.numel(), " and ",
                  channel.delays.numel());
  SPIKINGRX_CHECK(std::isfinite(channel.doppler) && channel.doppler >= 0 && channel.specular >= 0, "ERR_RANGE",
                  "doppler and the line of sight's power must not be negative, got ", channel.doppler, " Hz and ",
                  channel.specular);
}

at::Tensor columns(const at::Tensor& matrix, const at::Tensor& positions) {
  return at::index_select(matrix, -1, positions);
}

// One axis of the separable estimate. h [..., P] with error variances [n, ..., P] at `positions` of an axis whose
// covariance is R [N, N] -> [..., N] and its error variances [n, ..., N].
struct Filtered {
  at::Tensor value, error;
};

Filtered filter_axis(const at::Tensor& h, const at::Tensor& error, const at::Tensor& covariance,
                     const at::Tensor& positions, bool last) {
  const at::Tensor rows = columns(covariance, positions);                              // R_ap [N, P]
  const at::Tensor pilots = at::index_select(rows, 0, positions);                      // R_pp [P, P]
  const at::Tensor loaded = pilots + error.to(covariance.scalar_type()).diag_embed();  // [n, ..., P, P]
  const at::Tensor weights = at::linalg_solve(loaded, rows.mH()).mH();                 // [n, ..., N, P]
  const at::Tensor prior = at::real(covariance.diagonal());                            // [N]
  const at::Tensor explained = at::real((weights * rows.conj()).sum(-1));              // diag of A R_pa
  Filtered out{at::matmul(weights, h.unsqueeze(-1)).squeeze(-1), (prior - explained).clamp_min_(0)};
  if (last) return out;
  // Scaled so that E|s h|^2 is what the next axis takes it to be, prior + error of s h.
  const at::Tensor variance = at::real((at::matmul(weights, loaded) * weights.conj()).sum(-1));
  const at::Tensor scale = 2 * prior / (variance + prior - out.error).clamp_min(1e-12);
  out.value = out.value * scale;
  out.error = (scale * (scale - 1) * variance + (1 - scale) * prior + scale * out.error).clamp_min_(0);
  return out;
}

}  // namespace

at::Tensor time_covariance(const ChannelStatistics& channel, const at::Tensor& times) {
  check_statistics(channel);
  const at::Tensor lags = differences(times.to(at::kCPU, at::kDouble));
  const at::Tensor scattered = scattered_time(channel, lags) * (1 - channel.specular);
  const at::Tensor covariance = at::complex(scattered, at::zeros_like(scattered));
  return channel.specular > 0 ? covariance + specular_time(channel, lags) * channel.specular : covariance;
}

at::Tensor frequency_covariance(const ChannelStatistics& channel, const at::Tensor& frequencies) {
  check_statistics(channel);
  const at::Tensor lags = differences(frequencies.to(at::kCPU, at::kDouble));
  at::Tensor powers = channel.powers.to(at::kCPU, at::kDouble).clone();
  powers[0] += channel.specular;
  const at::Tensor turns = lags.unsqueeze(-1) * channel.delays.to(at::kCPU, at::kDouble);
  return (unit_circle(turns * -kTurn) * powers).sum(-1);
}

std::tuple<at::Tensor, at::Tensor, at::Tensor> lmmse_basis(const ChannelStatistics& channel, const at::Tensor& times,
                                                           const at::Tensor& frequencies, const at::Tensor& pilots) {
  check_pairs("pilots", pilots, 2);
  check_axes("times", times, 1);
  check_axes("frequencies", frequencies, 1);
  check_grid("pilots", pilots, times.size(0), frequencies.size(0));
  ChannelStatistics scattered = channel;
  scattered.specular = 0;
  const at::Tensor positions = pilot_positions(pilots);
  const int64_t subcarriers = frequencies.size(0);
  const at::Tensor symbol = positions.floor_divide(subcarriers), subcarrier = positions.remainder(subcarriers);
  // R = (scattered time) x (frequency) + the line of sight, which moves with its own Doppler and lies at the first
  // delay.
  const at::Tensor in_time = columns(time_covariance(scattered, times), symbol);                      // [S, P]
  const at::Tensor in_frequency = columns(frequency_covariance(scattered, frequencies), subcarrier);  // [K, P]
  at::Tensor covariance = in_time.unsqueeze(1) * in_frequency.unsqueeze(0);                           // [S, K, P]
  if (channel.specular > 0) {
    const at::Tensor time_lags = columns(differences(times.to(at::kCPU, at::kDouble)), symbol);
    const at::Tensor frequency_lags = columns(differences(frequencies.to(at::kCPU, at::kDouble)), subcarrier);
    const double delay = channel.delays[0].item<double>();
    covariance = covariance + (specular_time(channel, time_lags).unsqueeze(1) *
                               unit_circle(frequency_lags * (-kTurn * delay)).unsqueeze(0) * channel.specular);
  }
  const at::Tensor all = covariance.flatten(0, 1);  // R_ap [S K, P]
  const at::Tensor magnitude =
      at::index_select(pilots.to(at::kCPU, at::kDouble).square().sum(-1).sqrt().flatten(), 0, positions);  // D
  const at::Tensor whitened = at::index_select(all, 0, positions) * magnitude * magnitude.unsqueeze(1);
  const auto [eigenvalues, vectors] = at::linalg_eigh(whitened);
  const auto real_options = pilots.options();
  const auto give = [&](const at::Tensor& complex) { return as_pairs(complex.resolve_conj()).to(real_options); };
  return {give(vectors.mH() * magnitude), eigenvalues.clamp_min(0).to(real_options),
          give(at::matmul(all * magnitude, vectors).transpose(0, 1))};
}

std::tuple<at::Tensor, at::Tensor> estimate_lmmse(const at::Tensor& received, const at::Tensor& pilots,
                                                  const at::Tensor& noise_power, const at::Tensor& observe,
                                                  const at::Tensor& eigenvalues, const at::Tensor& spread) {
  const at::Tensor known = least_squares(received, pilots);
  check_pairs("observe", observe, 2);
  check_pairs("spread", spread, 2);
  check_per_sample("noise_power", noise_power, received.size(0));
  const int64_t count = known.size(2), symbols = received.size(2), subcarriers = received.size(3);
  SPIKINGRX_CHECK(observe.size(0) == count && observe.size(1) == count &&
                      eigenvalues.sizes() == at::IntArrayRef({count}) && spread.size(0) == count &&
                      spread.size(1) == symbols * subcarriers,
                  "ERR_SHAPE", "the basis must be of the same ", count, " pilots on ", symbols, " x ", subcarriers,
                  " elements, got ", observe.sizes(), ", ", eigenvalues.sizes(), ", ", spread.sizes());
  const at::Tensor gain = (eigenvalues + noise_power.unsqueeze(1)).reciprocal();  // [B or 1, P]
  const at::Tensor modes = at::matmul(as_complex(known), as_complex(observe).transpose(0, 1)) * gain.unsqueeze(1);
  const at::Tensor estimate = at::matmul(modes, as_complex(spread)).unflatten(-1, {symbols, subcarriers});
  const at::Tensor explained = at::matmul(gain, spread.square().sum(-1));
  return {as_pairs(estimate), (1 - explained).clamp_min_(0).view({-1, 1, symbols, subcarriers})};
}

std::tuple<at::Tensor, at::Tensor> estimate_lmmse_separable(const at::Tensor& received, const at::Tensor& pilots,
                                                            const at::Tensor& noise_power,
                                                            const at::Tensor& time_covariance,
                                                            const at::Tensor& frequency_covariance) {
  const at::Tensor known = as_complex(least_squares(received, pilots));  // [B, R, P]
  check_per_sample("noise_power", noise_power, received.size(0));
  check_pairs("time_covariance", time_covariance, 2);
  check_pairs("frequency_covariance", frequency_covariance, 2);
  const int64_t symbols = received.size(2), subcarriers = received.size(3);
  SPIKINGRX_CHECK(time_covariance.size(0) == symbols && time_covariance.size(1) == symbols &&
                      frequency_covariance.size(0) == subcarriers && frequency_covariance.size(1) == subcarriers,
                  "ERR_SHAPE", "the covariances must be [", symbols, ", ", symbols, ", 2] and [", subcarriers, ", ",
                  subcarriers, ", 2], got ", time_covariance.sizes(), " and ", frequency_covariance.sizes());
  const at::Tensor in_time = as_complex(time_covariance), in_frequency = as_complex(frequency_covariance);
  const at::Tensor positions = pilot_positions(pilots);
  const at::Tensor symbol_of = positions.floor_divide(subcarriers), subcarrier_of = positions.remainder(subcarriers);
  const at::Tensor energy = at::index_select(pilots.square().sum(-1).flatten(), 0, positions.to(pilots.device()));
  const at::Tensor error = noise_power.unsqueeze(1) / energy;  // [B or 1, P]

  std::vector<at::Tensor> values, errors;  // of each symbol with pilots: [B, R, K], [B or 1, 1, K]
  std::vector<int64_t> rows;
  for (int64_t first = 0, end; first < positions.numel(); first = end) {
    const int64_t row = symbol_of[first].item<int64_t>();
    for (end = first; end < positions.numel() && symbol_of[end].item<int64_t>() == row;) end++;
    const Filtered along =
        filter_axis(known.narrow(-1, first, end - first), error.narrow(1, first, end - first).unsqueeze(1),
                    in_frequency, subcarrier_of.narrow(0, first, end - first).to(pilots.device()), false);
    values.push_back(along.value), errors.push_back(along.error), rows.push_back(row);
  }
  const at::Tensor with_pilots = at::tensor(rows, at::kLong).to(pilots.device());
  const Filtered over_time =
      filter_axis(at::stack(values, -1), at::stack(errors, -1), in_time, with_pilots, true);  // [B, R, K, S]
  return {as_pairs(over_time.value.transpose(-1, -2)), over_time.error.transpose(-1, -2).contiguous()};
}

}  // namespace spikingrx::link
