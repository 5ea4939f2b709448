// The link's operators, by schema, over the functions of this folder (their headers say shapes and equations). All take
// tensors of any device; draws come from (seed, number of the sample).
#include <ATen/ops/tensor.h>
#include <ATen/ops/view_as_real.h>
#include <torch/library.h>

#include "error.h"
#include "link/equalisation.h"
#include "link/estimation.h"
#include "link/fading.h"
#include "link/grid.h"
#include "link/lmmse.h"
#include "link/metrics.h"
#include "link/modulation.h"
#include "link/slots.h"

namespace spikingrx::link {
namespace {

using at::Tensor;
using Pair = std::tuple<Tensor, Tensor>;
using OptionalTensor = std::optional<Tensor>;

Tensor doubles(const std::vector<double>& values) { return at::tensor(values, at::kDouble); }

std::tuple<Tensor, Tensor, double, double> profile(std::string_view name) {
  const DelayProfile p = delay_profile(name);
  return {doubles(p.delays), doubles(p.powers), p.specular, p.specular_cosine};
}

Range range_of(const char* name, at::ArrayRef<double> values) {
  SPIKINGRX_CHECK(values.size() == 2, "ERR_SHAPE", name, " must be [low, high], got ", values.size(), " values");
  return {values[0], values[1]};
}

Tensor gains(const Tensor& powers, double specular, double specular_cosine, const Tensor& doppler, const Tensor& times,
             const Tensor& angles, const Tensor& phases, const Tensor& specular_phases) {
  return tap_gains(powers, specular, specular_cosine, doppler, times, {angles, phases, specular_phases});
}

Tensor draw_gains(std::string_view channel, const Tensor& doppler, const Tensor& times, int64_t antennas,
                  int64_t sinusoids, int64_t samples, int64_t seed, int64_t first) {
  const DelayProfile p = delay_profile(channel);
  const auto options = times.options();
  const Sinusoids drawn = draw_sinusoids({seed, first, samples}, antennas, sinusoids,
                                         static_cast<int64_t>(p.powers.size()), times.device());
  return tap_gains(doubles(p.powers).to(options), p.specular, p.specular_cosine, doppler, times,
                   {drawn.angles.to(options), drawn.phases.to(options), drawn.specular_phases.to(options)});
}

Tensor response(std::string_view channel, const Tensor& doppler, const Tensor& delay_spread, const Tensor& times,
                const Tensor& frequencies, int64_t antennas, int64_t sinusoids, int64_t samples, int64_t seed,
                int64_t first) {
  return draw_response(channel, doppler, delay_spread, times, frequencies, antennas, sinusoids, {seed, first, samples});
}

Tensor bits(int64_t samples, at::IntArrayRef sizes, int64_t seed, int64_t first) {
  return draw_bits({seed, first, samples}, sizes, at::kCPU);
}

Tensor received(const Tensor& grid, const Tensor& response, const Tensor& noise_power, int64_t seed, int64_t first) {
  return receive(grid, response, noise_power, {seed, first, grid.dim() ? grid.size(0) : 0});
}

Slots slots(const Tensor& pilots, const Tensor& kinds, const Tensor& times, const Tensor& frequencies,
            const OptionalTensor& bits, std::string_view modulation, std::string_view channel, at::ArrayRef<double> snr,
            at::ArrayRef<double> delay_spread, at::ArrayRef<double> speed, double carrier, int64_t antennas,
            int64_t sinusoids, int64_t samples, int64_t seed, int64_t first) {
  const SlotOptions options{modulation,
                            channel,
                            range_of("snr", snr),
                            range_of("delay_spread", delay_spread),
                            range_of("speed", speed),
                            carrier,
                            antennas,
                            sinusoids};
  return simulate_slots(pilots, kinds, times, frequencies, bits, options, {seed, first, samples});
}

Pair covariances(const Tensor& powers, const Tensor& delays, double specular, double specular_cosine, double doppler,
                 const Tensor& times, const Tensor& frequencies) {
  const ChannelStatistics channel{powers, delays, specular, specular_cosine, doppler};
  return {at::view_as_real(time_covariance(channel, times).contiguous()),
          at::view_as_real(frequency_covariance(channel, frequencies).contiguous())};
}

std::tuple<Tensor, Tensor, Tensor> basis(const Tensor& powers, const Tensor& delays, double specular,
                                         double specular_cosine, double doppler, const Tensor& times,
                                         const Tensor& frequencies, const Tensor& pilots) {
  return lmmse_basis({powers, delays, specular, specular_cosine, doppler}, times, frequencies, pilots);
}

}  // namespace

TORCH_LIBRARY_FRAGMENT(spikingrx, library) {
  library.def("link_constellation(str modulation) -> Tensor", &constellation);
  library.def("link_reference_signal(int symbol, int slot, int identity, int scrambling, int length) -> Tensor",
              &reference_signal);
  library.def("link_profile(str name) -> (Tensor delays, Tensor powers, float specular, float specular_cosine)",
              &profile);
  library.def("link_bits(int samples, int[] sizes, int seed, int first=0) -> Tensor", &bits);

  library.def("link_map(Tensor bits, str modulation) -> Tensor", &map_bits);
  library.def("link_transmit(Tensor bits, Tensor pilots, Tensor kinds, str modulation) -> Tensor", &transmit);
  library.def("link_ofdm_modulate(Tensor grid, int size, int prefix) -> Tensor", &ofdm_modulate);
  library.def("link_ofdm_demodulate(Tensor samples, int symbols, int subcarriers, int size, int prefix) -> Tensor",
              &ofdm_demodulate);
  library.def("link_network_input(Tensor received, Tensor pilots) -> Tensor", &network_input);

  library.def(
      "link_tap_gains(Tensor powers, float specular, float specular_cosine, Tensor doppler, Tensor times, "
      "Tensor angles, Tensor phases, Tensor specular_phases) -> Tensor",
      &gains);
  library.def(
      "link_draw_gains(str channel, Tensor doppler, Tensor times, int antennas, int sinusoids, int samples, int seed, "
      "int first=0) -> Tensor",
      &draw_gains);
  library.def("link_frequency_response(Tensor gains, Tensor delays, Tensor frequencies) -> Tensor",
              &frequency_response);
  library.def("link_time_response(Tensor gains, Tensor delays, float bandwidth, int first, int last) -> Tensor",
              &time_response);
  library.def("link_filter(Tensor signal, Tensor response, int first) -> Tensor", &filter_signal);
  library.def(
      "link_response(str channel, Tensor doppler, Tensor delay_spread, Tensor times, Tensor frequencies, "
      "int antennas, int sinusoids, int samples, int seed, int first=0) -> Tensor",
      &response);
  library.def("link_receive(Tensor grid, Tensor response, Tensor noise_power, int seed, int first=0) -> Tensor",
              &received);
  library.def(
      "link_slots(Tensor pilots, Tensor kinds, Tensor times, Tensor frequencies, Tensor? bits, str modulation, "
      "str channel, float[] snr, float[] delay_spread, float[] speed, float carrier, int antennas, int sinusoids, "
      "int samples, int seed, int first=0) -> (Tensor received, Tensor bits, Tensor response, "
      "Tensor noise_power, Tensor snr, Tensor delay_spread, Tensor speed)",
      &slots);

  library.def("link_interpolation(Tensor pilots, str method, bool extrapolate=False) -> Tensor", &interpolation);
  library.def(
      "link_interpolate(Tensor received, Tensor pilots, Tensor weights, Tensor noise_power) -> (Tensor estimate, "
      "Tensor error)",
      &interpolate_pilots);
  library.def(
      "link_covariances(Tensor powers, Tensor delays, float specular, float specular_cosine, float doppler, "
      "Tensor times, Tensor frequencies) -> (Tensor time, Tensor frequency)",
      &covariances);
  library.def(
      "link_lmmse_basis(Tensor powers, Tensor delays, float specular, float specular_cosine, float doppler, "
      "Tensor times, Tensor frequencies, Tensor pilots) -> (Tensor observe, Tensor eigenvalues, Tensor spread)",
      &basis);
  library.def(
      "link_estimate_lmmse(Tensor received, Tensor pilots, Tensor noise_power, Tensor observe, Tensor eigenvalues, "
      "Tensor spread) -> (Tensor estimate, Tensor error)",
      &estimate_lmmse);
  library.def(
      "link_estimate_lmmse_separable(Tensor received, Tensor pilots, Tensor noise_power, Tensor time_covariance, "
      "Tensor frequency_covariance) -> (Tensor estimate, Tensor error)",
      &estimate_lmmse_separable);

  library.def(
      "link_equalise(Tensor received, Tensor estimate, Tensor error, Tensor noise_power, str method) -> "
      "(Tensor symbols, Tensor noise)",
      &equalise);
  library.def("link_demap(Tensor symbols, Tensor noise, str modulation, str method=\"app\") -> Tensor", &demap);

  library.def("link_count_errors(Tensor llrs, Tensor bits, Tensor kinds) -> Tensor", &count_errors);
  library.def("link_information(Tensor llrs, Tensor bits, Tensor kinds) -> Tensor", &information);
  library.def("link_gather_data(Tensor grid, Tensor kinds) -> Tensor", &gather_data);
  library.def("link_scatter_data(Tensor codeword, Tensor kinds, int bits) -> Tensor", &scatter_data);
}

}  // namespace spikingrx::link
