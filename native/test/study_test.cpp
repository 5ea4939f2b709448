// Neurons in physical units: published spike counts, the closed form, and arguments that do not
// fit.
#include <ATen/ATen.h>

#include <tuple>
#include <vector>

#include "check.h"
#include "study/neuron.h"

namespace {

using at::Tensor;
using namespace spikingrx::study;

Tensor values(std::vector<double> list) { return at::tensor(list, at::kDouble); }

// C, g, E, V_th, V_reset, t_ref of the published neuron.
Tensor published() { return values({100, 10, -75, -55, -75, 2}).view({6, 1}); }

// Constant currents of one neuron, or what is passed in its place.
struct Call {
  Tensor neurons = published(), edges = values({0}), initial = values({-75}), slope = at::zeros({1, 1}, at::kDouble);
  double duration = 500;

  Simulation euler(const std::vector<double>& currents, double dt = 0.1) const {
    return neuron_euler(neurons, edges, row(currents), slope, initial, count(currents), duration, dt, 0);
  }
  Simulation exact(const std::vector<double>& currents, int64_t most = 1000000) const {
    return neuron_exact(neurons, edges, row(currents), slope, initial, count(currents), duration, 0, most);
  }

 private:
  static Tensor row(const std::vector<double>& currents) { return values(currents).view({1, -1}); }
  static int64_t count(const std::vector<double>& currents) { return static_cast<int64_t>(currents.size()); }
};

}  // namespace

TEST("fires the published number of times by Euler") {
  Call call;
  const Tensor counts = std::get<0>(call.euler({205, 210}));
  EXPECT_EQ(counts[0].item<int64_t>(), 12);
  EXPECT_EQ(counts[1].item<int64_t>(), 15);
  call.duration = 200;
  const Tensor shorter = std::get<0>(call.euler({210, 400}));
  EXPECT_EQ(shorter[0].item<int64_t>(), 6);
  EXPECT_EQ(shorter[1].item<int64_t>(), 22);
}

TEST("meets the closed form where it integrates exactly") {
  const auto [counts, times, voltage] = Call{}.exact({200, 400});
  EXPECT_EQ(counts[0].item<int64_t>(), 0);
  const double first = 10 * std::log(2.0), period = 2 + first;
  EXPECT_EQ(counts[1].item<int64_t>(), int64_t((500 - first) / period) + 1);
  for (int64_t n = 0; n < times.numel(); n++) EXPECT_NEAR(times[n].item<double>(), first + double(n) * period, 1e-9);
  EXPECT_EQ(voltage.numel(), 0);
}

TEST("refuses neurons, edges and currents that make no sense") {
  Call call;
  EXPECT_THROWS(call.exact({1e9, 4000}, 100), "fires more than 100 times");
  EXPECT_THROWS(call.euler({300}, 0), "dt must be above 0 ms");
  call.initial = values({-55});
  EXPECT_THROWS(call.exact({300}), "initial must be below the threshold");
  call.initial = values({-75});
  call.edges = values({1});
  EXPECT_THROWS(call.exact({300}), "edges must begin at 0 ms");
  call.edges = values({0});
  call.neurons = values({-100, 10, -75, -55, -75, 2}).view({6, 1});
  EXPECT_THROWS(call.exact({300}), "C > 0");
  call.neurons = values({100, 10, -75, -55, -75, 2}).view({1, 6});
  EXPECT_THROWS(call.exact({300}), "neurons must have");
  call.neurons = published().to(at::kFloat);
  EXPECT_THROWS(call.exact({300}), "float64");
}

CHECK_MAIN()
