// spikingrx::neuron_euler: explicit Euler, the scheme of the published figures.
//
//   held:        V = V_reset for round(t_ref / dt) steps after a spike
//   otherwise:   V[k+1] = V[k] + dt (I(k dt) - g (V[k] - E)) / C;   where V[k+1] >= V_th: spike at (k+1) dt, V[k+1] =
//   V_reset
//
// Neurons lie side by side in tiles, so that the step is one loop without branches that the compiler vectorises.
#include <ATen/Parallel.h>
#include <ATen/ops/empty.h>
#include <torch/library.h>

#include <algorithm>
#include <array>

#include "study/neuron.h"

namespace spikingrx::study {
namespace {

constexpr int64_t kTile = 64;
constexpr int64_t kMostSteps = int64_t{1} << 40;

struct Tile {
  using Row = std::array<double, kTile>;
  alignas(64) Row voltage, drive, held, fired;
  alignas(64) Row gain, conductance, rest, threshold, reset, refractory;  // gain dt / C; refractory in steps

  // Unused places take the last neuron's values and are never read.
  Tile(const Population& all, int64_t first, int64_t width, double dt) {
    held.fill(0), drive.fill(0);
    for (int64_t i = 0; i < kTile; i++) {
      const int64_t row = first + std::min(i, width - 1);
      const Neuron n = all.neuron(row);
      voltage[i] = all.initial(0, row);
      gain[i] = dt / n.capacitance, conductance[i] = n.conductance, rest[i] = n.rest;
      threshold[i] = n.threshold, reset[i] = n.reset, refractory[i] = std::nearbyint(n.refractory / dt);
    }
  }

  // One step; how many fired.
  double step() {
    double any = 0;
    for (int64_t i = 0; i < kTile; i++) {
      const double free = voltage[i] + gain[i] * (drive[i] - conductance[i] * (voltage[i] - rest[i]));
      const bool is_held = held[i] > 0;
      const bool fires = !is_held & (free >= threshold[i]);
      voltage[i] = is_held | fires ? reset[i] : free;
      held[i] = fires ? refractory[i] : held[i] - 1;
      fired[i] = fires ? 1 : 0;
    }
    for (int64_t i = 0; i < kTile; i++) any += fired[i];
    return any;
  }
};

void run_tile(const Population& all, int64_t first, int64_t width, double dt, int64_t steps, int64_t trace_every,
              int64_t samples, double* voltage, std::vector<std::vector<double>>& spikes) {
  Tile tile(all, first, width, dt);
  const auto record = [&](int64_t step) {
    if (trace_every > 0 && step % trace_every == 0)
      for (int64_t i = 0; i < width; i++) voltage[(first + i) * samples + step / trace_every] = tile.voltage[i];
  };
  record(0);
  int64_t piece = 0, driven = -1;
  bool sloped = true;
  for (int64_t k = 0; k < steps; k++) {
    // An edge belongs to the step nearest to it: 0.3 is edge number 3 of steps of 0.1.
    const double time = static_cast<double>(k) * dt;
    while (piece + 1 < all.pieces && all.edges[piece + 1] <= time + 1e-9 * dt) piece++;
    if (piece != driven || sloped) {
      sloped = false;
      for (int64_t i = 0; i < width; i++) {
        tile.drive[i] = all.current(piece, first + i, time);
        sloped |= all.current_slope(piece, first + i) != 0;
      }
      driven = piece;
    }
    if (tile.step() > 0)
      for (int64_t i = 0; i < width; i++)
        if (tile.fired[i] > 0) spikes[first + i].push_back(static_cast<double>(k + 1) * dt);
    record(k + 1);
  }
}

}  // namespace

Simulation neuron_euler(const at::Tensor& neurons, const at::Tensor& edges, const at::Tensor& start,
                        const at::Tensor& slope, const at::Tensor& initial, int64_t rows, double duration, double dt,
                        int64_t trace_every) {
  const Population all(neurons, edges, start, slope, initial, rows, duration);
  SPIKINGRX_CHECK(std::isfinite(dt) && dt > 0 && duration / dt < double(kMostSteps), "ERR_RANGE",
                  "dt must be above 0 ms and the duration at most 2^40 steps, got ", dt);
  SPIKINGRX_CHECK(trace_every >= 0, "ERR_RANGE", "trace_every must not be negative, got ", trace_every);
  const int64_t steps = static_cast<int64_t>(std::nearbyint(duration / dt));
  const int64_t samples = trace_every > 0 ? steps / trace_every + 1 : 0;
  at::Tensor voltage = trace_every > 0 ? at::empty({rows, samples}, at::kDouble) : at::empty({0}, at::kDouble);
  double* out = voltage.mutable_data_ptr<double>();
  std::vector<std::vector<double>> spikes(rows);
  at::parallel_for(0, (rows + kTile - 1) / kTile, 1, [&](int64_t begin, int64_t end) {
    for (int64_t tile = begin; tile < end; tile++)
      run_tile(all, tile * kTile, std::min(kTile, rows - tile * kTile), dt, steps, trace_every, samples, out, spikes);
  });
  return simulation(spikes, voltage);
}

TORCH_LIBRARY_IMPL(spikingrx, CPU, library) { library.impl("neuron_euler", &neuron_euler); }

}  // namespace spikingrx::study
