// The fused LIF operator against the unrolled graph: values and gradients for every option, float64.
#include "snn/lif.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <ATen/core/dispatch/Dispatcher.h>
#include <ATen/core/stack.h>
#include <torch/csrc/autograd/autograd.h>

#include "check.h"
#include "lif_options.h"
#include "support.h"

using namespace spikingrx;

namespace {

struct Inputs {
  at::Tensor current, decay, threshold, membrane;
  Inputs copy() const {
    const auto leaf = [](const at::Tensor& t) { return t.defined() ? t.detach().clone().requires_grad_(true) : t; };
    return {leaf(current), leaf(decay), leaf(threshold), leaf(membrane)};
  }
};

// A loss in which every output takes part, so that each path of the backward is used.
at::Tensor weighted(const LifOutput& out) {
  at::Tensor sum = (out.spikes * support::normal(out.spikes.sizes(), 91)).sum() +
                   (out.membrane * support::normal(out.membrane.sizes(), 92)).sum();
  if (out.trace.numel() > 0) sum = sum + (out.trace * support::normal(out.trace.sizes(), 93)).sum();
  return sum;
}

void compare(const Inputs& inputs, int64_t steps, const LifOptions& options, double tolerance = 1e-11) {
  Inputs fused = inputs.copy(), graph = inputs.copy();
  const LifOutput a = lif(fused.current, fused.decay, fused.threshold, fused.membrane, steps, options);
  const LifOutput b = support::unrolled_lif(graph.current, graph.decay, graph.threshold, graph.membrane, steps, options,
                                            [&](const at::Tensor& x) { return surrogate(x, options.surrogate); });
  EXPECT_CLOSE(a.spikes.detach(), b.spikes.detach(), 0);
  EXPECT_CLOSE(a.membrane.detach(), b.membrane.detach(), tolerance);
  if (options.trace) EXPECT_CLOSE(a.trace.detach(), b.trace.detach(), tolerance);
  weighted(a).backward();
  weighted(options.trace ? b : LifOutput{b.spikes, b.membrane, at::empty({0}, at::kDouble)}).backward();
  EXPECT_CLOSE(fused.current.grad(), graph.current.grad(), tolerance);
  EXPECT_CLOSE(fused.decay.grad(), graph.decay.grad(), tolerance);
  EXPECT_CLOSE(fused.threshold.grad(), graph.threshold.grad(), tolerance);
  if (inputs.membrane.defined()) EXPECT_CLOSE(fused.membrane.grad(), graph.membrane.grad(), tolerance);
}

std::vector<Surrogate> surrogates() {
  return {parse_surrogate("triangular", 1.3), parse_surrogate("sigmoid", 4), parse_surrogate("atan", 2),
          parse_surrogate("fastSigmoid", 5), parse_surrogate("boxcar", 0.5)};
}

at::Tensor scalar(double value) { return at::scalar_tensor(value, at::kDouble); }

}  // namespace

TEST("equals the unrolled graph for every reset, delay, detach, gain and surrogate") {
  each_option([](LifOptions options) {
    for (const auto& surrogate : surrogates())
      for (const bool trace : {false, true}) {
        options.surrogate = surrogate;
        options.trace = trace;
        const Inputs inputs{support::normal({3, 7, 5}, 1) * 2, scalar(0.8), scalar(0.6), support::normal({3, 5}, 2)};
        compare(inputs, 0, options);
      }
  });
}

TEST("equals the unrolled graph with decay and threshold by channel, [B, T, C, H, W] and [B, T, D]") {
  each_option([](LifOptions options) {
    const at::Tensor decay = at::tensor({0.5, 0.9, 0.0}, at::kDouble),
                     threshold = at::tensor({0.4, 1.0, 0.7}, at::kDouble);
    compare({support::normal({2, 5, 3, 4, 2}, 3) * 2, decay, threshold, support::normal({2, 3, 4, 2}, 4)}, 0, options);
    compare({support::normal({2, 5, 3}, 5) * 2, decay, threshold, {}}, 0, options);
  });
}

TEST("a constant current equals the same current repeated, gradients included") {
  each_option([](LifOptions options) {
    options.trace = true;
    compare({support::normal({2, 1, 3, 2, 2}, 6) * 2, scalar(0.9), scalar(0.5), {}}, 9, options);
  });
}

TEST("wide, odd and single sizes: tiles, rests and T = 1") {
  LifOptions options;
  compare({support::normal({2, 3, 5000}, 7) * 2, scalar(0.9), scalar(0.5), {}}, 0, options);
  compare({support::normal({1, 1, 1}, 8) * 3, scalar(0.9), scalar(0.1), {}}, 0, options);
  compare({support::normal({1, 300, 17}, 9) * 2, scalar(0.95), scalar(0.5), {}}, 0, options);
}

TEST("gradient equals finite differences of the network with a smoothed spike") {
  // With the spike replaced by the logistic function the unrolled graph is smooth: numeric and analytic gradient agree,
  // so the graph that the fused operator is compared with above differentiates the right function.
  each_option([](LifOptions options) {
    if (options.detach_reset) return;  // a detached reset is not a derivative of anything
    const auto smooth = [](const at::Tensor& x) { return at::sigmoid(4 * x); };
    const at::Tensor current = support::normal({1, 4, 3}, 10), membrane = support::normal({1, 3}, 11);
    const auto value = [&](const at::Tensor& i, double decay, double threshold) {
      return weighted(support::unrolled_lif(i, scalar(decay), scalar(threshold), membrane, 0, options, smooth))
          .item<double>();
    };
    at::Tensor i = current.clone().requires_grad_(true), decay = scalar(0.7).requires_grad_(true),
               threshold = scalar(0.6).requires_grad_(true);
    weighted(support::unrolled_lif(i, decay, threshold, membrane, 0, options, smooth)).backward();
    const double h = 1e-6;
    EXPECT_NEAR(decay.grad().item<double>(), (value(current, 0.7 + h, 0.6) - value(current, 0.7 - h, 0.6)) / (2 * h),
                1e-6);
    EXPECT_NEAR(threshold.grad().item<double>(),
                (value(current, 0.7, 0.6 + h) - value(current, 0.7, 0.6 - h)) / (2 * h), 1e-6);
    for (int64_t n = 0; n < current.numel(); n++) {
      at::Tensor up = current.clone(), down = current.clone();
      up.view({-1})[n] += h;
      down.view({-1})[n] -= h;
      EXPECT_NEAR(i.grad().view({-1})[n].item<double>(), (value(up, 0.7, 0.6) - value(down, 0.7, 0.6)) / (2 * h), 1e-6);
    }
  });
}

TEST("two halves with the state carried on give what the whole gives") {
  each_option([](LifOptions options) {
    const at::Tensor current = support::normal({2, 20, 6}, 12, at::kFloat) * 2;
    const at::Tensor decay = at::scalar_tensor(0.9, at::kFloat), threshold = at::scalar_tensor(0.5, at::kFloat);
    const LifOutput whole = lif(current, decay, threshold, {}, 0, options);
    const LifOutput first = lif(current.narrow(1, 0, 8), decay, threshold, {}, 0, options);
    const LifOutput second = lif(current.narrow(1, 8, 12), decay, threshold, first.membrane, 0, options);
    EXPECT(at::equal(whole.spikes, at::cat({first.spikes, second.spikes}, 1)));
    EXPECT(at::equal(whole.membrane, second.membrane));
  });
}

TEST("noise-free check of SEMANTICS: spikes at t = 7 and 14 of 20") {
  const LifOutput out =
      lif(at::ones({1, 20, 1}), at::scalar_tensor(0.9, at::kFloat), at::scalar_tensor(0.5, at::kFloat), {}, 0, {});
  at::Tensor expected = at::zeros({1, 20, 1});
  expected[0][6][0] = 1;
  expected[0][13][0] = 1;
  EXPECT(at::equal(out.spikes, expected));
}

TEST("zero and sub-threshold input never fire") {
  const at::Tensor decay = at::scalar_tensor(0.9, at::kFloat), threshold = at::scalar_tensor(0.5, at::kFloat);
  EXPECT_EQ(lif(at::zeros({2, 100, 3}), decay, threshold, {}, 0, {}).spikes.sum().item<float>(), 0.f);
  EXPECT_EQ(lif(at::full({2, 1000, 3}, 0.4999f), decay, threshold, {}, 0, {}).spikes.sum().item<float>(), 0.f);
}

TEST("float32 and half precision follow float64") {
  const at::Tensor current = support::normal({2, 12, 33}, 13) * 2;
  const at::Tensor expected = lif(current, scalar(0.9), scalar(0.5), {}, 0, {}).spikes;
  const LifOutput single = lif(current.to(at::kFloat), scalar(0.9), scalar(0.5), {}, 0, {});
  EXPECT(at::equal(single.spikes.to(at::kDouble), expected));
  for (const auto dtype : {at::kBFloat16, at::kHalf}) {
    at::Tensor x = current.to(dtype).requires_grad_(true);
    const LifOutput out = lif(x, scalar(0.9), scalar(0.5), {}, 0, {});
    EXPECT(out.spikes.scalar_type() == dtype);
    EXPECT(out.membrane.scalar_type() == at::kFloat);  // the state keeps float32
    // The same rounded input in float32 gives the same spikes and, rounded, the same gradient.
    at::Tensor y = current.to(dtype).to(at::kFloat).requires_grad_(true);
    const LifOutput reference = lif(y, scalar(0.9), scalar(0.5), {}, 0, {});
    EXPECT(at::equal(out.spikes.to(at::kFloat), reference.spikes));
    out.spikes.sum().backward();
    reference.spikes.sum().backward();
    EXPECT(at::equal(x.grad(), y.grad().to(dtype)));
  }
}

TEST("non-contiguous input gives what its contiguous copy gives") {
  const at::Tensor base = support::normal({4, 3, 6}, 14) * 2;
  compare({base.transpose(0, 1), scalar(0.8), scalar(0.5), {}}, 0, {});
  const at::Tensor strided = support::normal({2, 5, 12}, 15).slice(2, 0, 12, 2) * 2;
  const LifOutput a = lif(strided, scalar(0.8), scalar(0.5), {}, 0, {});
  const LifOutput b = lif(strided.contiguous(), scalar(0.8), scalar(0.5), {}, 0, {});
  EXPECT(at::equal(a.spikes, b.spikes));
}

TEST("empty batches, no neurons and no steps pass") {
  for (const auto& shape : std::vector<std::vector<int64_t>>{{0, 5, 3}, {2, 5, 0}, {2, 0, 3}}) {
    at::Tensor x = at::zeros(shape, at::kFloat).requires_grad_(true);
    const LifOutput out = lif(x, scalar(0.9), scalar(0.5), {}, 0, {});
    EXPECT(out.spikes.sizes() == x.sizes());
    out.spikes.sum().backward();
    EXPECT(x.grad().sizes() == x.sizes());
  }
}

TEST("learnt values by channel get zero gradients from empty batches and no channels") {
  for (const auto& shape : std::vector<std::vector<int64_t>>{{0, 5, 3}, {0, 5, 3, 2, 2}, {2, 5, 0}, {2, 0, 3}}) {
    at::Tensor x = at::zeros(shape, at::kFloat), decay = at::full({shape[2]}, 0.9).requires_grad_(true),
               threshold = at::full({shape[2]}, 0.5).requires_grad_(true);
    lif(x, decay, threshold, {}, 0, {}).spikes.sum().backward();
    EXPECT(at::equal(decay.grad(), at::zeros({shape[2]})) && at::equal(threshold.grad(), at::zeros({shape[2]})));
  }
}

TEST("a second derivative is refused, a first with create_graph is not") {
  at::Tensor x = support::normal({2, 5, 3}, 19).requires_grad_(true), y = x.detach().clone().requires_grad_(true);
  const at::Tensor spikes = lif(x, scalar(0.9), scalar(0.5), {}, 0, {}).spikes;
  const at::Tensor gradient = torch::autograd::grad({spikes.sum()}, {x}, {}, true, /*create_graph=*/true)[0];
  lif(y, scalar(0.9), scalar(0.5), {}, 0, {}).spikes.sum().backward();
  EXPECT(at::equal(gradient, y.grad()));
  EXPECT_THROWS(gradient.square().sum().backward(), "lif has no second derivative");
}

TEST("the kernels, called as operators, refuse gradients and steps of another shape") {
  const auto backward = c10::Dispatcher::singleton().findSchemaOrThrow("spikingrx::lif_backward", "");
  const at::Tensor current = at::zeros({2, 3, 4}, at::kDouble);
  const auto call = [&](const at::Tensor& grad_spikes, int64_t steps) {
    torch::jit::Stack stack;
    torch::jit::push(stack, grad_spikes, c10::IValue(), c10::IValue(), current, scalar(0.9), scalar(0.5), c10::IValue(),
                     steps, true, 0, false, false, 0, 1.0, false, c10::IValue());
    backward.callBoxed(stack);
  };
  call(at::ones({2, 3, 4}, at::kDouble), 0);
  EXPECT_THROWS(call(at::ones({1}, at::kDouble), 0), "lif gradients must have shape [2, 3, 4], got [1]");
  EXPECT_THROWS(call(at::ones({2, 3, 4}, at::kDouble), 5), "lif with steps 5 does not take a current [2, 3, 4]");
}

TEST("NaN stays in its neuron and never fires") {
  at::Tensor x = at::ones({1, 30, 2}, at::kFloat);
  x[0][3][0] = std::nanf("");
  const LifOutput out = lif(x, scalar(0.9), scalar(0.5), {}, 0, {});
  EXPECT_EQ(out.spikes.select(2, 0).sum().item<float>(), 0.f);
  EXPECT(out.spikes.select(2, 1).sum().item<float>() > 0);
  EXPECT(std::isnan(out.membrane[0][0].item<float>()) && std::isfinite(out.membrane[0][1].item<float>()));
}

TEST("the number of threads does not change a bit") {
  const int before = at::get_num_threads();
  const at::Tensor current = support::normal({8, 25, 3000}, 16, at::kFloat) * 2;
  std::vector<at::Tensor> gradients;
  for (const int threads : {1, 2, 4}) {
    at::set_num_threads(threads);
    at::Tensor x = current.clone().requires_grad_(true),
               decay = at::scalar_tensor(0.9, at::kFloat).requires_grad_(true);
    (lif(x, decay, at::scalar_tensor(0.5, at::kFloat), {}, 0, {}).spikes * current).sum().backward();
    gradients.push_back(x.grad());
  }
  at::set_num_threads(before);
  EXPECT(at::equal(gradients[0], gradients[1]) && at::equal(gradients[0], gradients[2]));
}

TEST("saved membranes and recomputed ones give the same bits, with every option and over several chunks") {
  const at::Tensor current = support::normal({2, 37, 300}, 21, at::kFloat) * 2, start = support::normal({2, 300}, 22);
  for (const at::ScalarType type : {at::kFloat, at::kDouble, at::kBFloat16, at::kHalf})
    each_option([&](LifOptions options) {
      std::vector<std::vector<at::Tensor>> found;
      for (const LifMembranes membranes : {LifMembranes::kRecompute, LifMembranes::kSave}) {
        options.membranes = membranes;
        const auto leaf = [&](const at::Tensor& t) { return t.to(type, false, true).requires_grad_(true); };
        at::Tensor x = leaf(current), u = leaf(start);
        at::Tensor decay = scalar(0.9).requires_grad_(true), threshold = scalar(0.5).requires_grad_(true);
        weighted(lif(x, decay, threshold, u, 0, options)).backward();
        found.push_back({x.grad(), u.grad(), decay.grad(), threshold.grad()});
      }
      for (size_t i = 0; i < 4; i++) EXPECT(at::equal(found[0][i], found[1][i]));
    });
}

TEST("what is written past the caches has the bits of what is not, whatever its alignment") {
  // 20001: no row but the first begins with a cache line; 20008: every second one; 20032: all.
  for (const int64_t neurons : {20001, 20008, 20032})
    for (const at::ScalarType type : {at::kFloat, at::kBFloat16}) {
      const at::Tensor current = (at::arange(12 * 36 * neurons) * 7919 % 1000).view({12, 36, neurons}).to(type) / 400;
      const auto run = [&](const at::Tensor& part) {
        LifOptions options;
        options.trace = true;
        options.membranes = LifMembranes::kSave;
        at::Tensor x = part.clone().requires_grad_(true);
        const LifOutput out = lif(x, scalar(0.9), scalar(0.5), {}, 0, options);
        (out.spikes * part).sum().backward();
        return std::vector<at::Tensor>{out.spikes, out.membrane, out.trace, x.grad()};
      };
      const std::vector<at::Tensor> whole = run(current), part = run(current.narrow(0, 7, 1).narrow(2, 0, 4099));
      for (size_t i = 0; i < whole.size(); i++)
        EXPECT(at::equal(whole[i].narrow(0, 7, 1).narrow(-1, 0, 4099), part[i]));
    }
}

TEST("states of another forward are refused") {
  const auto backward = c10::Dispatcher::singleton().findSchemaOrThrow("spikingrx::lif_backward", "");
  const at::Tensor current = at::ones({2, 40, 4}, at::kFloat), threshold = at::scalar_tensor(0.5, at::kFloat);
  const auto call = [&](const c10::IValue& states) {
    torch::jit::Stack stack;
    torch::jit::push(stack, current, c10::IValue(), c10::IValue(), current, threshold, threshold, c10::IValue(), 0,
                     true, 0, false, false, 0, 1.0, false, states);
    backward.callBoxed(stack);
    return stack[0].toTensor();
  };
  EXPECT_THROWS(call(at::zeros({3, 2, 4})),
                "ERR_SHAPE: lif states must be as lif_forward gave them, got float [3, 2, 4]");
  EXPECT_THROWS(call(at::zeros({2, 2, 4}, at::kDouble)), "lif states must be as lif_forward gave them, got double");
  at::Tensor x = current.clone().requires_grad_(true);
  (lif(x, threshold, threshold, {}, 0, {}).spikes * current).sum().backward();
  EXPECT(at::equal(call(c10::IValue()), x.grad()));  // none given: computed
}

TEST("leaky integration is the membrane without spikes") {
  at::Tensor x = support::normal({2, 6, 4}, 17).requires_grad_(true), y = x.detach().clone().requires_grad_(true);
  const LeakyOutput out = leaky_integrate(x, scalar(0.8), {}, 0, false);
  at::Tensor u = at::zeros({2, 4}, at::kDouble), sum = scalar(0);
  const at::Tensor weight = support::normal({2, 6, 4}, 18);
  for (int64_t t = 0; t < 6; t++) {
    u = 0.8 * u + y.select(1, t);
    EXPECT_CLOSE(out.trace.select(1, t).detach(), u.detach(), 1e-14);
    sum = sum + (u * weight.select(1, t)).sum();
  }
  (out.trace * weight).sum().backward();
  sum.backward();
  EXPECT_CLOSE(x.grad(), y.grad(), 1e-13);
}

TEST("bad input is refused by name") {
  const at::Tensor current = at::zeros({2, 3, 4}, at::kDouble);
  EXPECT_THROWS(lif(current.to(at::kLong), scalar(0.9), scalar(1), {}, 0, {}),
                "ERR_TYPE: lif expects a floating point current");
  EXPECT_THROWS(lif(at::zeros({2, 3}, at::kDouble), scalar(0.9), scalar(1), {}, 0, {}),
                "ERR_SHAPE: lif expects a current [B, T, D]");
  EXPECT_THROWS(lif(current, scalar(1.1), scalar(1), {}, 0, {}), "ERR_RANGE: lif decay must be in [0, 1], got 1.1");
  EXPECT_THROWS(lif(current, scalar(0.9), scalar(0), {}, 0, {}), "ERR_RANGE: lif threshold must be positive");
  EXPECT_THROWS(lif(current, scalar(0.9), scalar(INFINITY), {}, 0, {}), "must be positive and finite, got inf");
  EXPECT_THROWS(lif(current, scalar(std::nan("")), scalar(1), {}, 0, {}), "ERR_RANGE: lif decay");
  EXPECT_THROWS(lif(current, at::ones({3}, at::kDouble), scalar(1), {}, 0, {}), "one value for each of the 4 channels");
  EXPECT_THROWS(lif(current, scalar(0.9), scalar(1), at::zeros({2, 3}, at::kDouble), 0, {}),
                "lif membrane must have shape [2, 4]");
  EXPECT_THROWS(lif(current, scalar(0.9), scalar(1), {}, 7, {}), "1 or 7 time steps, got 3");
  EXPECT_THROWS(parse_membranes("bits"), "ERR_RANGE: lif membranes must be auto, recompute or save, got 'bits'");
  EXPECT_THROWS(parse_reset("hard"), "reset must be subtract, zero or none");
}

CHECK_MAIN()
