#include "link/fading.h"

#include <ATen/Parallel.h>
#include <ATen/TensorOperators.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/ones_like.h>
#include <ATen/ops/polar.h>
#include <ATen/ops/sinc.h>
#include <ATen/ops/sqrt.h>
#include <ATen/ops/zeros.h>

#include <vector>

#include "link/arguments.h"

namespace spikingrx::link {
namespace {

constexpr double kTurn = 6.283185307179586476925;

bool has_kernel(const at::Tensor& tensor) { return tensor.is_cpu() && tensor.scalar_type() == at::kFloat; }

at::Tensor unit_circle(const at::Tensor& turns) { return at::polar(at::ones_like(turns), turns * kTurn); }

at::Tensor kernel_gains(const at::Tensor& powers, double specular, double specular_cosine, const at::Tensor& doppler,
                        const at::Tensor& times, const Sinusoids& drawn) {
  const at::Tensor angles = drawn.angles.contiguous(), phases = drawn.phases.contiguous();
  const at::Tensor specular_phases = drawn.specular_phases.contiguous();
  const int64_t batch = phases.size(0), antennas = phases.size(1), sinusoids = phases.size(2), taps = phases.size(3);
  const int64_t steps = times.size(0);
  const at::Tensor amplitude = (powers / double(sinusoids)).sqrt_().contiguous();
  const at::Tensor turns = (doppler.to(at::kDouble).unsqueeze(1) * times.to(at::kDouble)).to(at::kFloat).contiguous();
  at::Tensor gains = at::empty({batch, antennas, steps, taps, 2}, at::kFloat);
  Fading fading{antennas,
                steps,
                taps,
                sinusoids,
                amplitude.const_data_ptr<float>(),
                nullptr,
                nullptr,
                nullptr,
                static_cast<float>(std::sqrt(specular)),
                static_cast<float>(specular_cosine),
                0};
  const float *angle = angles.const_data_ptr<float>(), *phase = phases.const_data_ptr<float>();
  const float *turn = turns.const_data_ptr<float>(), *first_phase = specular_phases.const_data_ptr<float>();
  float* out = gains.mutable_data_ptr<float>();
  const int64_t turn_step = turns.size(0) == 1 ? 0 : steps;
  const auto kernel = draw_kernels().tap_gains;
  at::parallel_for(0, batch, 1, [&](int64_t begin, int64_t end) {
    std::vector<float> scratch(fading_scratch(fading));
    for (int64_t b = begin; b < end; b++) {
      Fading sample = fading;
      sample.angles = angle + b * sinusoids * taps;
      sample.phases = phase + b * antennas * sinusoids * taps;
      sample.turns = turn + b * turn_step;
      sample.specular_phase = first_phase[b];
      kernel(sample, scratch.data(), out + b * antennas * steps * taps * 2);
    }
  });
  return gains;
}

// [D, L, K] complex of delays [D, L] and frequencies [K].
at::Tensor steering(const at::Tensor& delays, const at::Tensor& frequencies) {
  if (!has_kernel(delays)) return unit_circle(delays.unsqueeze(-1) * frequencies).conj();
  const at::Tensor from = delays.contiguous(), at_frequency = frequencies.contiguous();
  const int64_t rows = from.size(0), taps = from.size(1), subcarriers = frequencies.size(0);
  at::Tensor made = at::empty({rows, taps, subcarriers, 2}, at::kFloat);
  const float *delay = from.const_data_ptr<float>(), *frequency = at_frequency.const_data_ptr<float>();
  float* out = made.mutable_data_ptr<float>();
  const auto kernel = draw_kernels().steering;
  at::parallel_for(0, rows, 16, [&](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; row++)
      kernel(delay + row * taps, taps, frequency, subcarriers, out + row * taps * subcarriers * 2);
  });
  return at::view_as_complex(made);
}

void check_delays(const at::Tensor& gains, const at::Tensor& delays) {
  check_pairs("gains", gains, 4);
  check_axes("delays", delays, 2);
  check_alike("delays", delays, gains);
  SPIKINGRX_CHECK((delays.size(0) == 1 || delays.size(0) == gains.size(0)) && delays.size(1) == gains.size(3),
                  "ERR_SHAPE", "delays must have shape [batch or 1, taps] for gains ", gains.sizes(), ", got ",
                  delays.sizes());
}

}  // namespace

Sinusoids draw_sinusoids(const Samples& samples, int64_t antennas, int64_t sinusoids, int64_t taps, at::Device device) {
  SPIKINGRX_CHECK(antennas > 0 && sinusoids > 0 && taps > 0, "ERR_RANGE",
                  "antennas, sinusoids and taps must be at least 1, got ", antennas, ", ", sinusoids, ", ", taps);
  const double width = 1 / double(sinusoids);
  const at::Tensor sectors = at::arange(sinusoids, at::kFloat).mul_(width).unsqueeze(-1);
  return {draw_uniform(samples, Stream::kAngles, {sinusoids, taps}, 0, width, at::kCPU).add_(sectors).to(device),
          draw_uniform(samples, Stream::kPhases, {antennas, sinusoids, taps}, 0, 1, device),
          draw_uniform(samples, Stream::kSpecular, {}, 0, 1, device)};
}

at::Tensor tap_gains(const at::Tensor& powers, double specular, double specular_cosine, const at::Tensor& doppler,
                     const at::Tensor& times, const Sinusoids& drawn) {
  check_axes("powers", powers, 1);
  check_axes("times", times, 1);
  check_axes("angles", drawn.angles, 3);
  check_axes("phases", drawn.phases, 4);
  const int64_t batch = drawn.phases.size(0), sinusoids = drawn.phases.size(2), taps = drawn.phases.size(3);
  check_per_sample("doppler", doppler, batch);
  check_per_sample("specular_phases", drawn.specular_phases, batch);
  for (const auto& [name, tensor] : {std::pair{"times", times},
                                     {"doppler", doppler},
                                     {"angles", drawn.angles},
                                     {"phases", drawn.phases},
                                     {"specular_phases", drawn.specular_phases}})
    check_alike(name, tensor, powers);
  SPIKINGRX_CHECK(powers.size(0) == taps && taps > 0 && sinusoids > 0 && drawn.specular_phases.size(0) == batch &&
                      drawn.angles.sizes() == at::IntArrayRef({batch, sinusoids, taps}),
                  "ERR_SHAPE", "angles must be [batch, sinusoids, taps], phases [batch, antennas, sinusoids, taps], ",
                  "specular_phases [batch], powers [taps]; got ", drawn.angles.sizes(), ", ", drawn.phases.sizes(),
                  ", ", drawn.specular_phases.sizes(), ", ", powers.sizes());
  SPIKINGRX_CHECK(specular >= 0 && std::abs(specular_cosine) <= 1, "ERR_RANGE",
                  "the line of sight's power must not be negative, and its cosine in -1..1, got ", specular, " and ",
                  specular_cosine);
  if (has_kernel(powers)) return kernel_gains(powers, specular, specular_cosine, doppler, times, drawn);
  const at::Tensor turns = doppler.unsqueeze(1) * times;                              // [B or 1, T]
  const at::Tensor cosines = (drawn.angles * kTurn).cos().unsqueeze(1).unsqueeze(1);  // [B, 1, 1, N, L]
  const at::Tensor course = turns.unsqueeze(1).unsqueeze(-1).unsqueeze(-1) * cosines + drawn.phases.unsqueeze(2);
  at::Tensor gains = unit_circle(course).sum(3) * (powers / double(sinusoids)).sqrt();  // [B, R, T, L]
  if (specular > 0)
    gains.select(-1, 0).add_(unit_circle(turns * specular_cosine + drawn.specular_phases.unsqueeze(1)).unsqueeze(1) *
                             std::sqrt(specular));
  return as_pairs(gains);
}

at::Tensor frequency_response(const at::Tensor& gains, const at::Tensor& delays, const at::Tensor& frequencies) {
  check_delays(gains, delays);
  check_axes("frequencies", frequencies, 1);
  check_alike("frequencies", frequencies, gains);
  const at::Tensor taps = as_complex(gains);
  at::Tensor phases = steering(delays, frequencies);
  if (phases.size(0) == 1) return as_pairs(at::matmul(taps, phases[0]));
  const int64_t antennas = taps.size(1), steps = taps.size(2);  // antennas and times are rows of one product a sample
  return as_pairs(at::matmul(taps.flatten(1, 2), phases).unflatten(1, {antennas, steps}));
}

at::Tensor time_response(const at::Tensor& gains, const at::Tensor& delays, double bandwidth, int64_t first,
                         int64_t last) {
  check_delays(gains, delays);
  SPIKINGRX_CHECK(std::isfinite(bandwidth) && bandwidth > 0 && last >= first, "ERR_RANGE",
                  "the bandwidth must be above 0 and the last lag not before the first, got ", bandwidth, ", ", first,
                  "..", last);
  const at::Tensor lags = at::arange(first, last + 1, gains.options());
  const at::Tensor weights = at::sinc(lags - delays.unsqueeze(-1) * bandwidth);  // [B or 1, L, lags]
  return as_pairs(at::matmul(as_complex(gains), weights.unsqueeze(1).to(as_complex(gains).scalar_type())));
}

at::Tensor filter_signal(const at::Tensor& signal, const at::Tensor& response, int64_t first) {
  check_pairs("signal", signal, 2);
  check_pairs("response", response, 4);
  check_alike("response", response, signal);
  const int64_t length = signal.size(1), lags = response.size(3);
  SPIKINGRX_CHECK(response.size(0) == signal.size(0) && (response.size(2) == length || response.size(2) == 1),
                  "ERR_SHAPE", "response must have shape [batch, antennas, samples or 1, lags, 2] for the signal ",
                  signal.sizes(), ", got ", response.sizes());
  const at::Tensor x = as_complex(signal).unsqueeze(1), h = as_complex(response);
  at::Tensor y = at::zeros({x.size(0), h.size(1), length}, x.options());
  for (int64_t i = 0; i < lags; i++) {
    const int64_t lag = first + i, count = length - std::abs(lag);
    if (count <= 0) continue;
    const int64_t to = std::max<int64_t>(lag, 0), from = std::max<int64_t>(-lag, 0);
    at::Tensor tap = h.select(3, i);
    if (tap.size(2) != 1) tap = tap.narrow(2, to, count);
    y.narrow(2, to, count).add_(tap * x.narrow(2, from, count));
  }
  return as_pairs(y);
}

at::Tensor receive(const at::Tensor& grid, const at::Tensor& response, const at::Tensor& noise_power,
                   const Samples& samples) {
  check_pairs("grid", grid, 3);
  check_pairs("response", response, 4);
  check_alike("response", response, grid);
  check_per_sample("noise_power", noise_power, grid.size(0));
  SPIKINGRX_CHECK(samples.count == grid.size(0) && (response.size(0) == grid.size(0) || response.size(0) == 1) &&
                      response.size(2) == grid.size(1) && response.size(3) == grid.size(2),
                  "ERR_SHAPE", "response must have shape [batch or 1, antennas, symbols, subcarriers, 2] for the grid ",
                  grid.sizes(), ", got ", response.sizes());
  at::Tensor received = as_pairs(as_complex(response) * as_complex(grid).unsqueeze(1));
  add_normal(samples, Stream::kNoise, at::sqrt(noise_power / 2), received);
  return received;
}

}  // namespace spikingrx::link
