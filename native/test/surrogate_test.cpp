// Surrogates against their integrals by finite differences, and against SEMANTICS' closed forms.
#include "snn/surrogate.h"

#include <ATen/ATen.h>
#include <torch/csrc/autograd/autograd.h>

#include "check.h"
#include "support.h"

using namespace spikingrx;

namespace {

struct Case {
  const char* kind;
  double parameter;
  std::function<at::Tensor(const at::Tensor&)> smooth;  // the smoothed step whose derivative is the surrogate
};

std::vector<Case> cases() {
  return {
      {"triangular", 0.8,
       [](const at::Tensor& x) {  // integral of max(0, 1 - |x|/a)/a
         const double a = 0.8;
         const at::Tensor c = x.clamp(-a, a);
         return 0.5 + (c - c * c.abs() / (2 * a)) / a;
       }},
      {"sigmoid", 4, [](const at::Tensor& x) { return at::sigmoid(4 * x); }},
      {"atan", 2, [](const at::Tensor& x) { return at::atan(M_PI * x) / M_PI + 0.5; }},
      {"fastSigmoid", 25, [](const at::Tensor& x) { return x / (1 + 25 * x.abs()); }},
      {"boxcar", 0.5, [](const at::Tensor& x) { return x.clamp(-0.5, 0.5) + 0.5; }},
  };
}

}  // namespace

TEST("the gradient is the derivative of the smoothed step (finite differences, float64)") {
  for (const auto& item : cases()) {
    const at::Tensor x = (at::arange(-40, 41, at::kDouble) * 0.0471 + 0.0013).requires_grad_(true);
    surrogate(x, parse_surrogate(item.kind, item.parameter)).sum().backward();
    const double h = 1e-6;
    const at::Tensor numeric = (item.smooth(x.detach() + h) - item.smooth(x.detach() - h)) / (2 * h);
    EXPECT_CLOSE(x.grad(), numeric, 1e-6);
  }
}

TEST("forward is the Heaviside step with H(0) = 1, in the input's dtype") {
  for (const auto dtype : {at::kFloat, at::kDouble, at::kBFloat16, at::kHalf}) {
    const at::Tensor x = at::tensor({-1.0, -0.0, 0.0, 2.0}, at::kDouble).to(dtype);
    const at::Tensor s = surrogate(x, {});
    EXPECT(s.scalar_type() == dtype);
    EXPECT_CLOSE(s, at::tensor({0.0, 1.0, 1.0, 1.0}, at::kDouble), 0);
  }
}

TEST("values at the threshold are those of SEMANTICS") {
  const auto at_zero = [](const char* kind, double parameter) {
    at::Tensor x = at::zeros({1}, at::kDouble).requires_grad_(true);
    surrogate(x, parse_surrogate(kind, parameter)).sum().backward();
    return x.grad().item<double>();
  };
  EXPECT_NEAR(at_zero("triangular", 2), 0.5, 1e-15);
  EXPECT_NEAR(at_zero("sigmoid", 4), 1, 1e-15);
  EXPECT_NEAR(at_zero("atan", 2), 1, 1e-15);
  EXPECT_NEAR(at_zero("fastSigmoid", 25), 1, 1e-15);
  EXPECT_NEAR(at_zero("boxcar", 0.5), 1, 1e-15);
}

TEST("NaN gives no spike and large values no overflow") {
  at::Tensor x = at::tensor({std::nan(""), 1e30, -1e30}, at::kDouble).to(at::kFloat).requires_grad_(true);
  const at::Tensor s = surrogate(x, parse_surrogate("sigmoid", 4));
  EXPECT_CLOSE(s.detach(), at::tensor({0.0, 1.0, 0.0}, at::kDouble), 0);
  s.sum().backward();
  EXPECT(x.grad()[1].item<float>() == 0 && x.grad()[2].item<float>() == 0);
}

TEST("an empty tensor passes") {
  at::Tensor x = at::empty({0, 3}, at::kFloat).requires_grad_(true);
  surrogate(x, {}).sum().backward();
  EXPECT_EQ(x.grad().numel(), int64_t(0));
}

TEST("a second derivative is refused") {
  at::Tensor x = support::normal({5}, 3).requires_grad_(true);
  const at::Tensor gradient = torch::autograd::grad({surrogate(x, {}).sum()}, {x}, {}, true, /*create_graph=*/true)[0];
  EXPECT_THROWS(gradient.sum().backward(), "surrogate has no second derivative");
}

TEST("bad input is refused by name") {
  EXPECT_THROWS(parse_surrogate("tent", 1), "ERR_RANGE: surrogate must be triangular");
  EXPECT_THROWS(parse_surrogate("atan", 0), "surrogate parameter must be positive");
  EXPECT_THROWS(surrogate(at::zeros({2}, at::kLong), {}), "ERR_TYPE: surrogate expects a floating point tensor");
}

TEST("float32's gradients are those of float64, rounded: the sigmoid's exponential is our own series") {
  for (const auto& item : cases()) {
    // Down to 4 x = -100: through the last exponents of float32 and below them.
    const at::Tensor x = (at::arange(-25000, 25001, at::kDouble) * 1e-3).to(at::kFloat);
    const auto gradient = [&](const at::Tensor& at) {
      const at::Tensor leaf = at.detach().requires_grad_(true);
      surrogate(leaf, parse_surrogate(item.kind, item.parameter)).sum().backward();
      return leaf.grad().to(at::kDouble);
    };
    const at::Tensor expected = gradient(x.to(at::kDouble)), found = gradient(x);
    // A unit in the last place of 4 x = 87, in the exponent, is 8e-6 of the gradient there.
    const at::Tensor relative = ((found - expected) / expected.clamp_min(1e-30)).abs();
    const at::Tensor near_threshold = x.abs() < 2;
    if (item.kind == std::string("sigmoid") || item.kind == std::string("atan")) {
      EXPECT(relative.masked_select(near_threshold).max().item<double>() < 1.5e-6);
      EXPECT(relative.max().item<double>() < 1.5e-5);
    }
    EXPECT_CLOSE(found, expected, 1e-6);
  }
}

CHECK_MAIN()
