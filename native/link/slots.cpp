#include "link/slots.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/pow.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>

#include "link/arguments.h"
#include "link/fading.h"
#include "link/grid.h"
#include "link/modulation.h"

namespace spikingrx::link {
namespace {

constexpr double kLight = 299792458;  // m/s

at::Tensor draw_range(const char* name, const Samples& samples, Stream stream, Range range, at::Device device) {
  SPIKINGRX_CHECK(std::isfinite(range.low) && std::isfinite(range.high) && range.low <= range.high, "ERR_RANGE", name,
                  " must be a finite range, low to high, got ", range.low, " to ", range.high);
  return draw_uniform(samples, stream, {}, range.low, range.high, device);
}

// The same value for all saves the steering of each sample.
at::Tensor one_or_all(const at::Tensor& values, Range range) {
  return range.low == range.high && values.numel() > 0 ? values.narrow(0, 0, 1) : values;
}

}  // namespace

at::Tensor draw_response(std::string_view channel, const at::Tensor& doppler, const at::Tensor& delay_spread,
                         const at::Tensor& times, const at::Tensor& frequencies, int64_t antennas, int64_t sinusoids,
                         const Samples& samples) {
  check_samples(samples);
  check_axes("times", times, 1);
  check_axes("frequencies", frequencies, 1);
  check_per_sample("doppler", doppler, samples.count);
  check_per_sample("delay_spread", delay_spread, samples.count);
  SPIKINGRX_CHECK(antennas > 0, "ERR_RANGE", "antennas must be at least 1, got ", antennas);
  const auto options = times.options();
  const std::vector<int64_t> shape{samples.count, antennas, times.size(0), frequencies.size(0), 2};
  if (channel == "awgn") {
    at::Tensor response = at::zeros(shape, options);
    response.select(-1, 0).fill_(1);
    return response;
  }
  if (channel == "rayleigh") {
    at::Tensor gain = at::zeros({samples.count, antennas, 1, 1, 2}, at::kFloat);
    add_normal(samples, Stream::kGain, at::tensor({float(std::sqrt(0.5))}), gain);
    return gain.to(options).expand(shape).contiguous();
  }
  const DelayProfile profile = delay_profile(channel);
  const int64_t taps = static_cast<int64_t>(profile.powers.size());
  const auto give = [&](const std::vector<double>& values) { return at::tensor(values, at::kDouble).to(options); };
  Sinusoids drawn = draw_sinusoids(samples, antennas, sinusoids, taps, times.device());
  drawn = {drawn.angles.to(options), drawn.phases.to(options), drawn.specular_phases.to(options)};
  const at::Tensor gains =
      tap_gains(give(profile.powers), profile.specular, profile.specular_cosine, doppler, times, drawn);
  return frequency_response(gains, delay_spread.unsqueeze(1) * give(profile.delays), frequencies);
}

Slots simulate_slots(const at::Tensor& pilots, const at::Tensor& kinds, const at::Tensor& times,
                     const at::Tensor& frequencies, const std::optional<at::Tensor>& bits, const SlotOptions& options,
                     const Samples& samples) {
  check_samples(samples);
  check_pairs("pilots", pilots, 2);
  const at::Device device = pilots.device();
  SPIKINGRX_CHECK(
      std::isfinite(options.carrier) && options.carrier > 0 && options.delay_spread.low >= 0 && options.speed.low >= 0,
      "ERR_RANGE", "the carrier must be above 0, delay spread and speed not negative");
  const int64_t order = bits_per_symbol(options.modulation);
  const at::Tensor sent =
      bits && bits->defined()
          ? *bits
          : draw_bits(samples, {order, pilots.size(0), pilots.size(1)}, device).to(pilots.scalar_type());
  SPIKINGRX_CHECK(sent.dim() == 4 && sent.size(0) == samples.count, "ERR_SHAPE", "bits must be for ", samples.count,
                  " samples, got ", sent.sizes());
  const auto type = pilots.scalar_type();
  const at::Tensor snr = draw_range("snr", samples, Stream::kSnr, options.snr, device).to(type);
  const at::Tensor spread =
      draw_range("delay_spread", samples, Stream::kDelaySpread, options.delay_spread, device).to(type);
  const at::Tensor speed = draw_range("speed", samples, Stream::kSpeed, options.speed, device).to(type);
  const at::Tensor grid = transmit(sent, pilots, kinds, options.modulation);
  const at::Tensor response = draw_response(
      options.channel, one_or_all(speed * (options.carrier / kLight), options.speed),
      one_or_all(spread, options.delay_spread), times, frequencies, options.antennas, options.sinusoids, samples);
  const at::Tensor noise_power = at::pow(10, snr / -10);
  return {receive(grid, response, noise_power, samples), sent, response, noise_power, snr, spread, speed};
}

}  // namespace spikingrx::link
