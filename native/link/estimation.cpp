#include "link/estimation.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/index_select.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/nonzero.h>
#include <ATen/ops/zeros.h>

#include <cstdlib>
#include <vector>

#include "link/arguments.h"

namespace spikingrx::link {
namespace {

// Two points of a line: position x is (1 - weight) first + weight second.
struct Segment {
  int64_t first, second;  // indices into the sorted points
  double weight;
};

Segment segment(const std::vector<int64_t>& points, int64_t x, bool extrapolate) {
  const int64_t count = static_cast<int64_t>(points.size());
  if (count == 1) return {0, 0, 0};
  int64_t i = 0;
  while (i + 2 < count && points[i + 1] <= x) i++;
  const double weight = double(x - points[i]) / double(points[i + 1] - points[i]);
  return {i, i + 1, extrapolate ? weight : std::min(1.0, std::max(0.0, weight))};
}

struct Pilot {
  int64_t symbol, subcarrier;
};

std::vector<Pilot> pilots_of(const at::Tensor& positions, int64_t subcarriers) {
  std::vector<Pilot> list;
  const int64_t* at_position = positions.const_data_ptr<int64_t>();
  for (int64_t i = 0; i < positions.numel(); i++)
    list.push_back({at_position[i] / subcarriers, at_position[i] % subcarriers});
  return list;
}

void nearest_weights(const std::vector<Pilot>& pilots, int64_t symbols, int64_t subcarriers, double* weights) {
  for (int64_t s = 0; s < symbols; s++)
    for (int64_t k = 0; k < subcarriers; k++) {
      size_t best = 0;
      int64_t distance = symbols + subcarriers;
      for (size_t p = 0; p < pilots.size(); p++) {
        const int64_t d = std::abs(pilots[p].symbol - s) + std::abs(pilots[p].subcarrier - k);
        if (d < distance) best = p, distance = d;
      }
      weights[(static_cast<int64_t>(best) * symbols + s) * subcarriers + k] = 1;
    }
}

void linear_weights(const std::vector<Pilot>& pilots, int64_t symbols, int64_t subcarriers, bool extrapolate,
                    double* weights) {
  std::vector<int64_t> rows, begins;  // symbols that have pilots, and where theirs begin
  for (size_t p = 0; p < pilots.size(); p++)
    if (rows.empty() || rows.back() != pilots[p].symbol)
      rows.push_back(pilots[p].symbol), begins.push_back(static_cast<int64_t>(p));
  begins.push_back(static_cast<int64_t>(pilots.size()));
  const auto add = [&](int64_t row, double share, int64_t s, int64_t k) {
    std::vector<int64_t> columns;
    for (int64_t p = begins[row]; p < begins[row + 1]; p++) columns.push_back(pilots[p].subcarrier);
    const Segment along = segment(columns, k, extrapolate);
    const auto at_pilot = [&](int64_t p) -> double& {
      return weights[((begins[row] + p) * symbols + s) * subcarriers + k];
    };
    at_pilot(along.first) += share * (1 - along.weight);
    at_pilot(along.second) += share * along.weight;
  };
  for (int64_t s = 0; s < symbols; s++) {
    const Segment in_time = segment(rows, s, extrapolate);
    for (int64_t k = 0; k < subcarriers; k++) {
      add(in_time.first, 1 - in_time.weight, s, k);
      add(in_time.second, in_time.weight, s, k);
    }
  }
}

at::Tensor at_pilots(const at::Tensor& grid, const at::Tensor& pilots) {  // complex [..., S, K] -> [..., P]
  return at::index_select(grid.flatten(-2), -1, pilot_positions(pilots).to(grid.device()));
}

}  // namespace

at::Tensor pilot_positions(const at::Tensor& pilots) {
  check_pairs("pilots", pilots, 2);
  const at::Tensor energy = pilots.to(at::kCPU).square().sum(-1).flatten();
  const at::Tensor positions = at::nonzero(energy).flatten().contiguous();
  SPIKINGRX_CHECK(positions.numel() > 0, "ERR_ARGUMENT",
                  "the grid has no pilots, and estimation needs one at least: give it a symbol with pilots");
  return positions;
}

at::Tensor interpolation(const at::Tensor& pilots, std::string_view method, bool extrapolate) {
  const at::Tensor positions = pilot_positions(pilots);
  const int64_t symbols = pilots.size(0), subcarriers = pilots.size(1);
  at::Tensor weights = at::zeros({positions.numel(), symbols * subcarriers}, at::kDouble);
  const auto list = pilots_of(positions, subcarriers);
  if (method == "nearest")
    nearest_weights(list, symbols, subcarriers, weights.mutable_data_ptr<double>());
  else if (method == "linear")
    linear_weights(list, symbols, subcarriers, extrapolate, weights.mutable_data_ptr<double>());
  else
    SPIKINGRX_CHECK(false, "ERR_RANGE", "interpolation must be nearest or linear, got ", method);
  return weights.to(pilots.options());
}

at::Tensor least_squares(const at::Tensor& received, const at::Tensor& pilots) {
  check_pairs("received", received, 4);
  check_pairs("pilots", pilots, 2);
  check_alike("pilots", pilots, received);
  check_grid("pilots", pilots, received.size(2), received.size(3));
  return as_pairs(at_pilots(as_complex(received), pilots) / at_pilots(as_complex(pilots), pilots));
}

std::tuple<at::Tensor, at::Tensor> interpolate_pilots(const at::Tensor& received, const at::Tensor& pilots,
                                                      const at::Tensor& weights, const at::Tensor& noise_power) {
  const at::Tensor known = least_squares(received, pilots);  // [B, R, P, 2]
  check_axes("weights", weights, 2);
  check_alike("weights", weights, received);
  check_per_sample("noise_power", noise_power, received.size(0));
  const int64_t symbols = received.size(2), subcarriers = received.size(3);
  SPIKINGRX_CHECK(weights.size(0) == known.size(2) && weights.size(1) == symbols * subcarriers, "ERR_SHAPE",
                  "weights must have shape [", known.size(2), ", ", symbols * subcarriers, "], got ", weights.sizes());
  const at::Tensor estimate = at::matmul(as_complex(known), weights.to(as_complex(known).scalar_type()));
  const at::Tensor energy = at_pilots(pilots.square().sum(-1), pilots);
  const at::Tensor error = at::matmul(energy.reciprocal(), weights).clamp_min_(0).unflatten(0, {symbols, subcarriers});
  return {as_pairs(estimate.unflatten(-1, {symbols, subcarriers})), noise_power.view({-1, 1, 1, 1}) * error};
}

}  // namespace spikingrx::link
