#include "study/neuron.h"

#include <ATen/ops/empty.h>

#include <algorithm>

namespace spikingrx::study {

Population::Population(const at::Tensor& neuron_values, const at::Tensor& edge_times, const at::Tensor& start,
                       const at::Tensor& slope, const at::Tensor& first, int64_t rows, double duration)
    : count(rows),
      pieces(edge_times.numel()),
      neurons("neurons", neuron_values, 6, rows),
      current_start("start", start, pieces, rows),
      current_slope("slope", slope, pieces, rows),
      initial("initial", first.dim() == 1 ? first.unsqueeze(0) : first, 1, rows) {
  SPIKINGRX_CHECK(rows >= 1, "ERR_RANGE", "a simulation needs at least one neuron, got ", rows);
  SPIKINGRX_CHECK(std::isfinite(duration) && duration > 0, "ERR_RANGE", "duration must be above 0 ms, got ", duration);
  SPIKINGRX_CHECK(neuron_values.size(0) == 6, "ERR_SHAPE", "neurons must have six rows, got ", neuron_values.sizes());
  SPIKINGRX_CHECK(edge_times.dim() == 1 && pieces >= 1 && edge_times.scalar_type() == at::kDouble, "ERR_SHAPE",
                  "edges must be float64 of one axis, got ", edge_times.sizes());
  const at::Tensor times = edge_times.contiguous();
  edges.assign(times.const_data_ptr<double>(), times.const_data_ptr<double>() + pieces);
  edges.push_back(duration);
  SPIKINGRX_CHECK(edges[0] == 0, "ERR_RANGE", "edges must begin at 0 ms, got ", edges[0]);
  for (int64_t k = 0; k < pieces; k++)
    SPIKINGRX_CHECK(edges[k] < edges[k + 1], "ERR_RANGE", "edges must rise and end before the duration, got ", edges[k],
                    " before ", edges[k + 1]);
  for (int64_t row = 0; row < rows; row++) {
    const Neuron n = neuron(row);
    SPIKINGRX_CHECK(n.capacitance > 0 && n.conductance > 0 && n.reset < n.threshold && n.refractory >= 0 &&
                        std::isfinite(n.capacitance / n.conductance) && std::isfinite(n.rest) &&
                        std::isfinite(n.threshold - n.reset) && std::isfinite(n.refractory),
                    "ERR_RANGE", "neuron ", row, " needs C > 0, g > 0, V_reset < V_th and t_ref >= 0, all finite");
    SPIKINGRX_CHECK(initial(0, row) < n.threshold, "ERR_RANGE", "initial must be below the threshold, got ",
                    initial(0, row), " for neuron ", row);
  }
}

Simulation simulation(const std::vector<std::vector<double>>& spikes, at::Tensor voltage) {
  const int64_t rows = static_cast<int64_t>(spikes.size());
  at::Tensor counts = at::empty({rows}, at::kLong);
  int64_t total = 0;
  for (int64_t row = 0; row < rows; row++)
    total += counts.mutable_data_ptr<int64_t>()[row] = static_cast<int64_t>(spikes[row].size());
  at::Tensor times = at::empty({total}, at::kDouble);
  double* next = times.mutable_data_ptr<double>();
  for (const auto& train : spikes) next = std::copy(train.begin(), train.end(), next);
  return {counts, times, voltage};
}

}  // namespace spikingrx::study
