// spikingrx::neuron_exact: the solution between events in closed form, with no time step.
//
// In a piece where the current is I0 + b s, s the time since its beginning at V0:
//
//   U(s) = P + b s / g + D exp(-s / tau),   U = V - V_th,   P = (I0 - I_rheo) / g - b tau / g,   D = U0 - P
//
// Constant current (b = 0) reaches the threshold after   s = tau log1p(-U0 / P),   where P > 0. Measured from the
// threshold, so that no digits are lost just above the rheobase I_rheo = g (V_th - E). On a slope U is convex (D > 0)
// or concave (D < 0), so that the first crossing is found by Newton's method from the side on which it cannot
// overshoot.
#include <ATen/Parallel.h>
#include <ATen/ops/empty.h>
#include <torch/library.h>

#include <algorithm>
#include <limits>

#include "study/neuron.h"

namespace spikingrx::study {
namespace {

constexpr double kNever = std::numeric_limits<double>::infinity();
constexpr int kMostIterations = 200;

// U over one piece from U0.
struct Course {
  double tau, rise, steady, decaying;  // b / g, P, D

  Course(const Neuron& n, double start, double slope, double voltage)
      : tau(n.capacitance / n.conductance),
        rise(slope / n.conductance),
        steady((start - n.conductance * (n.threshold - n.rest)) / n.conductance - rise * tau),
        decaying(voltage - n.threshold - steady) {}

  double above(double s) const { return steady + rise * s + decaying * std::exp(-s / tau); }

  // First s in [0, length] with U(s) >= 0; kNever where there is none.
  double crossing(double length) const {
    const double start = steady + decaying;
    if (start >= 0) return 0;
    if (rise == 0) {
      if (!(steady > 0)) return kNever;
      const double s = tau * std::log1p(-start / steady);
      return s <= length ? s : kNever;
    }
    return decaying > 0 ? crossing_convex(length) : crossing_concave(length);
  }

 private:
  double speed(double s) const { return rise - decaying / tau * std::exp(-s / tau); }

  // Below the threshold at 0 and convex: it crosses once at most, and Newton from the right comes down to it.
  double crossing_convex(double length) const {
    if (above(length) < 0) return kNever;
    return newton(length, 0, length);
  }

  // Concave: it rises up to its maximum, and Newton from the left comes up to the crossing before that.
  double crossing_concave(double length) const {
    double end = length;
    if (rise < 0) {  // U' = 0 where exp(-s / tau) = b tau / (g D)
      const double ratio = rise * tau / decaying;
      if (ratio >= 1) return kNever;
      end = std::min(length, -tau * std::log(ratio));
    }
    if (above(end) < 0) return kNever;
    return newton(0, 0, end);
  }

  // Keeps the crossing between low and high, and halves where Newton would leave them.
  double newton(double s, double low, double high) const {
    for (int i = 0; i < kMostIterations; i++) {
      const double value = above(s);
      (value < 0 ? low : high) = s;
      double next = s - value / speed(s);
      if (!(next > low && next < high)) next = low + (high - low) / 2;
      if (next == s || high - low <= 1e-15 * high) break;
      s = next;
    }
    return high;
  }
};

struct Recorder {
  double sampling;
  int64_t samples, next = 0;
  double* voltage;

  template <class Voltage>
  void until(double end, Voltage&& voltage_at) {
    for (; next < samples && static_cast<double>(next) * sampling < end; next++)
      voltage[next] = voltage_at(static_cast<double>(next) * sampling);
  }
};

void run_neuron(const Population& all, int64_t row, int64_t most_spikes, Recorder recorder,
                std::vector<double>& spikes) {
  const Neuron n = all.neuron(row);
  double voltage = all.initial(0, row), released = 0;  // released: end of the refractory time
  for (int64_t piece = 0; piece < all.pieces; piece++) {
    const double end = all.edges[piece + 1], slope = all.current_slope(piece, row);
    double time = all.edges[piece];
    while (time < end) {
      if (released > time) {
        time = std::min(released, end);
        recorder.until(time, [&](double) { return n.reset; });
        continue;
      }
      const Course course(n, all.current(piece, row, time), slope, voltage);
      const double wait = course.crossing(end - time), until = wait == kNever ? end : std::min(time + wait, end);
      recorder.until(until, [&](double at) { return n.threshold + course.above(at - time); });
      if (wait == kNever) {
        voltage = n.threshold + course.above(end - time);
      } else {
        SPIKINGRX_CHECK(static_cast<int64_t>(spikes.size()) < most_spikes, "ERR_RANGE", "neuron ", row,
                        " fires more than ", most_spikes, " times: lower the current, or give it a refractory time");
        spikes.push_back(until);
        voltage = n.reset, released = until + n.refractory;
      }
      time = until;
    }
  }
  recorder.until(kNever, [&](double) { return voltage; });
}

}  // namespace

Simulation neuron_exact(const at::Tensor& neurons, const at::Tensor& edges, const at::Tensor& start,
                        const at::Tensor& slope, const at::Tensor& initial, int64_t rows, double duration,
                        double sampling, int64_t most_spikes) {
  const Population all(neurons, edges, start, slope, initial, rows, duration);
  SPIKINGRX_CHECK(std::isfinite(sampling) && sampling >= 0, "ERR_RANGE", "sampling must not be negative, got ",
                  sampling);
  SPIKINGRX_CHECK(sampling == 0 || duration / sampling < 1e12, "ERR_RANGE", "sampling asks for too many samples");
  const int64_t samples = sampling > 0 ? static_cast<int64_t>(std::floor(duration / sampling * (1 + 1e-12))) + 1 : 0;
  at::Tensor voltage = sampling > 0 ? at::empty({rows, samples}, at::kDouble) : at::empty({0}, at::kDouble);
  double* out = voltage.mutable_data_ptr<double>();
  std::vector<std::vector<double>> spikes(rows);
  at::parallel_for(0, rows, 8, [&](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; row++)
      run_neuron(all, row, most_spikes, {sampling, samples, 0, out + row * samples}, spikes[row]);
  });
  return simulation(spikes, voltage);
}

TORCH_LIBRARY_IMPL(spikingrx, CPU, library) { library.impl("neuron_exact", &neuron_exact); }

}  // namespace spikingrx::study
