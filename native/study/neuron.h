// Leaky integrate-and-fire neurons in physical units, many at once.
//
//   C dV/dt = -g (V - E) + I;   where V >= V_th: spike, V = V_reset, held for t_ref;   tau = C / g
//
// Units: ms, mV, pA, nS, pF (nS mV = pA, pF mV / ms = pA). Every tensor is float64 on the CPU.
//
//   neurons   [6, N or 1]           C, g, E, V_th, V_reset, t_ref
//   edges     [K]                   where the pieces of the current begin, ms: rising, the first 0
//   start     [K, N or 1]           current at the beginning of a piece, pA
//   slope     [K or 1, N or 1]      its rise in the piece, pA / ms
//   initial   [N or 1]              V at t = 0, mV
//
// So a constant, a step, a ramp and noise that is held for a while are one kind of current, without any sampling.
#pragma once
#include <ATen/core/Tensor.h>

#include <cmath>
#include <tuple>
#include <vector>

#include "api.h"
#include "error.h"

namespace spikingrx::study {

struct Neuron {
  double capacitance, conductance, rest, threshold, reset, refractory;
};

// Element (row, column) of a matrix of which either size may be 1 for "the same everywhere".
class Table {
 public:
  Table(const char* name, const at::Tensor& tensor, int64_t rows, int64_t columns) : tensor_(tensor.contiguous()) {
    const at::Tensor& t = tensor_;
    SPIKINGRX_CHECK(t.scalar_type() == at::kDouble && t.device().is_cpu(), "ERR_TYPE", name,
                    " must be float64 on the CPU, got ", t.dtype());
    SPIKINGRX_CHECK(t.dim() == 2 && (t.size(0) == rows || t.size(0) == 1) && (t.size(1) == columns || t.size(1) == 1),
                    "ERR_SHAPE", name, " must have shape [", rows, " or 1, ", columns, " or 1], got ", t.sizes());
    data_ = t.const_data_ptr<double>();
    row_ = t.size(0) == 1 ? 0 : t.size(1);
    column_ = t.size(1) == 1 ? 0 : 1;
  }
  double operator()(int64_t row, int64_t column) const { return data_[row * row_ + column * column_]; }

 private:
  at::Tensor tensor_;
  const double* data_;
  int64_t row_, column_;
};

// The arguments that both schemes share, checked.
struct Population {
  int64_t count, pieces;
  Table neurons, current_start, current_slope, initial;
  std::vector<double> edges;  // [pieces + 1]: the last is the end

  Population(const at::Tensor& neuron_values, const at::Tensor& edge_times, const at::Tensor& start,
             const at::Tensor& slope, const at::Tensor& first, int64_t rows, double duration);

  Neuron neuron(int64_t row) const {
    return {neurons(0, row), neurons(1, row), neurons(2, row), neurons(3, row), neurons(4, row), neurons(5, row)};
  }
  double current(int64_t piece, int64_t row, double time) const {
    return current_start(piece, row) + current_slope(piece, row) * (time - edges[piece]);
  }
};

// counts [N] int64; times [sum of counts] ms, neuron after neuron; voltage [N, samples] mV, or [0].
using Simulation = std::tuple<at::Tensor, at::Tensor, at::Tensor>;
Simulation simulation(const std::vector<std::vector<double>>& spikes, at::Tensor voltage);

// trace_every: voltage at each so many steps; sampling: voltage each so many ms; 0: none.
SPIKINGRX_API Simulation neuron_euler(const at::Tensor& neurons, const at::Tensor& edges, const at::Tensor& start,
                                      const at::Tensor& slope, const at::Tensor& initial, int64_t rows, double duration,
                                      double dt, int64_t trace_every);
SPIKINGRX_API Simulation neuron_exact(const at::Tensor& neurons, const at::Tensor& edges, const at::Tensor& start,
                                      const at::Tensor& slope, const at::Tensor& initial, int64_t rows, double duration,
                                      double sampling, int64_t most_spikes);

}  // namespace spikingrx::study
