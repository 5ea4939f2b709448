// SpikeNorm and LIF as one operator against one after the other: same spikes, bit by bit, and gradients to rounding.
#include "snn/norm_lif.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <torch/csrc/autograd/autograd.h>
#include <torch/csrc/autograd/function.h>

#include <algorithm>

#include "check.h"
#include "lif_options.h"
#include "model/network.h"
#include "network_specs.h"
#include "support.h"

using namespace spikingrx;

namespace {

constexpr int64_t kChannels = 3;

struct Case {
  at::Tensor input, gamma, beta, decay, threshold, membrane;
  NormTensors norm;  // with running statistics of its own

  Case(const at::Tensor& x, bool by_channel, bool with_membrane, at::ScalarType type = at::kFloat) {
    const auto leaf = [&](const at::Tensor& values) { return values.to(type).clone().requires_grad_(true); };
    input = leaf(x);
    gamma = leaf(at::tensor({1.5, -0.7, 1.1})), beta = leaf(at::tensor({0.25, 0.5, 0.0}));
    decay = leaf(by_channel ? at::tensor({0.5, 0.9, 0.2}) : at::scalar_tensor(0.8));
    threshold = leaf(by_channel ? at::tensor({0.4, 1.0, 0.7}) : at::scalar_tensor(0.6));
    if (with_membrane) membrane = leaf(support::normal({x.size(0), kChannels, x.size(3), x.size(4)}, 71));
    norm = {gamma, beta, at::zeros({kChannels}, type), at::ones({kChannels}, type)};
  }

  LifOutput together(const LifOptions& options) const {
    return norm_lif(input, norm, {true, 0.1, 1e-5, 1}, decay, threshold, membrane, 0, options);
  }
  LifOutput one_after_the_other(const LifOptions& options) const {
    return lif(spike_norm(input, norm, {true, 0.1, 1e-5, 1}), decay, threshold, membrane, 0, options);
  }
  std::vector<at::Tensor> leaves() const {
    std::vector<at::Tensor> list{input, gamma, beta, decay, threshold};
    if (membrane.defined()) list.push_back(membrane);
    return list;
  }
};

std::vector<at::Tensor> gradients(const LifOutput& out, const Case& of, bool of_membrane = true) {
  const auto type = out.spikes.scalar_type();
  at::Tensor loss = (out.spikes * support::normal(out.spikes.sizes(), 72, type)).sum();
  if (of_membrane) loss = loss + (out.membrane * support::normal(out.membrane.sizes(), 73, type)).sum();
  return torch::autograd::grad({loss}, of.leaves());
}

at::Tensor values(int64_t steps, int64_t height, int64_t width) {
  return support::normal({2, steps, kChannels, height, width}, 70) * at::arange(1, steps + 1).view({1, -1, 1, 1, 1}) +
         0.5;
}

// The inputs' gradients agree value by value; the parameters' are sums of many values, of either sign.
void expect_gradients(const std::vector<at::Tensor>& actual, const std::vector<at::Tensor>& expected) {
  EXPECT_CLOSE(actual[0], expected[0], 2e-5);
  for (size_t i = 1; i < 5; i++) EXPECT_CLOSE(actual[i], expected[i], 1e-3);
  if (actual.size() > 5) EXPECT_CLOSE(actual[5], expected[5], 2e-5);
}

}  // namespace

TEST("gives the spikes, membranes and statistics of one after the other, bit by bit, for every option") {
  each_option([](const LifOptions& options) {
    for (const bool by_channel : {false, true}) {
      const Case a(values(5, 33, 32), by_channel, by_channel), b(values(5, 33, 32), by_channel, by_channel);
      const LifOutput together = a.together(options), apart = b.one_after_the_other(options);
      EXPECT_EQ(together.spikes.grad_fn()->name().find("NormLif") != std::string::npos, true);
      EXPECT(at::equal(together.spikes, apart.spikes));
      EXPECT(at::equal(together.membrane, apart.membrane));
      EXPECT(at::equal(a.norm.running_mean, b.norm.running_mean));
      EXPECT(at::equal(a.norm.running_variance, b.norm.running_variance));
    }
  });
}

TEST("gives its gradients for every option and surrogate, planes of odd sizes and of several tiles, and many steps") {
  each_option([](LifOptions options) {
    for (const bool by_channel : {false, true}) {
      const Case of(values(5, 33, 32), by_channel, by_channel);
      expect_gradients(gradients(of.together(options), of), gradients(of.one_after_the_other(options), of));
    }
  });
  for (const auto& surrogate : {parse_surrogate("sigmoid", 4), parse_surrogate("atan", 2),
                                parse_surrogate("fastSigmoid", 5), parse_surrogate("boxcar", 0.5)}) {
    LifOptions options;
    options.surrogate = surrogate;
    const Case of(values(3, 41, 53), false, false);  // three tiles, the last one odd
    expect_gradients(gradients(of.together(options), of), gradients(of.one_after_the_other(options), of));
  }
  const Case long_one(values(35, 32, 32), true, true);  // three chunks of steps
  expect_gradients(gradients(long_one.together({}), long_one), gradients(long_one.one_after_the_other({}), long_one));
  expect_gradients(gradients(long_one.together({}), long_one, false),
                   gradients(long_one.one_after_the_other({}), long_one, false));
}

TEST("agrees with float64, which is done one after the other") {
  const Case narrow(values(6, 32, 32), true, true), wide(narrow.input.detach(), true, true, at::kDouble);
  const LifOutput a = narrow.together({}), b = wide.together({});
  EXPECT(at::equal(a.spikes.to(at::kDouble), b.spikes));
  EXPECT_CLOSE(a.membrane.detach(), b.membrane.detach(), 1e-5);
  expect_gradients(gradients(a, narrow), gradients(b, wide));
}

TEST("the gradient of one output alone, and the same bits with several threads") {
  const Case of(values(4, 32, 32), true, true);
  const LifOutput out = of.together({}), apart = of.one_after_the_other({});
  const at::Tensor weight = support::normal(out.membrane.sizes(), 74, at::kFloat);
  const auto membrane_alone = [&](const LifOutput& output) {
    return torch::autograd::grad({(output.membrane * weight).sum()}, of.leaves(), {}, true);
  };
  expect_gradients(membrane_alone(out), membrane_alone(apart));
  const auto one = gradients(out, of);
  const int threads = at::get_num_threads();
  at::set_num_threads(2);
  const LifOutput again = of.together({});
  const auto two = gradients(again, of);
  at::set_num_threads(threads);
  EXPECT(at::equal(out.spikes, again.spikes));
  for (size_t i = 0; i < 3; i++) EXPECT(at::equal(one[i], two[i]));
}

TEST("small planes, a constant input and a wanted trace are done one after the other; wrong arguments are refused") {
  const Case small(values(3, 8, 8), false, false);
  EXPECT(at::equal(small.together({}).spikes, small.one_after_the_other({}).spikes));
  const Case constant(values(1, 32, 32), false, false);
  const LifOutput out =
      norm_lif(constant.input, constant.norm, {true, 0.1, 1e-5, 4}, constant.decay, constant.threshold, {}, 4, {});
  EXPECT(out.spikes.sizes() == at::IntArrayRef({2, 4, kChannels, 32, 32}));
  LifOptions traced;
  traced.trace = true;
  const Case large(values(3, 32, 32), false, false);
  EXPECT(at::equal(large.together(traced).trace, large.one_after_the_other(traced).trace));
  const auto with_decay = [&](double decay) {
    return norm_lif(large.input, large.norm, {true, 0.1, 1e-5, 1}, at::scalar_tensor(decay), large.threshold, {}, 0,
                    {});
  };
  EXPECT_THROWS(with_decay(1.5), "lif decay must be in [0, 1]");
  EXPECT_THROWS(
      norm_lif(large.input,
               {large.gamma, large.beta.narrow(0, 0, 2), large.norm.running_mean, large.norm.running_variance},
               {true, 0.1, 1e-5, 1}, large.decay, large.threshold, {}, 0, {}),
      "gamma and beta must have shape [3]");
}

TEST("has no second derivative, and says so") {
  const Case of(values(2, 32, 32), false, false);
  const at::Tensor loss = (of.together({}).spikes * support::normal(of.input.sizes(), 75, at::kFloat)).sum();
  const auto first = torch::autograd::grad({loss}, {of.input}, {}, true, true);
  EXPECT_THROWS(first[0].square().sum().backward(), "lif has no second derivative");
}

TEST("a network trains as its recorded layers do, which run one by one") {
  const NetworkSpec spec{{2, 32, 32},
                         4,
                         {specs::conv(4),
                          specs::norm("perStep", 4),
                          specs::lif(),
                          specs::sew(4, 1),
                          specs::sew(6, 1),
                          {"flatten", {}},
                          specs::linear(10)}};
  Network together(spec, 7, at::kCPU, at::kFloat), apart(spec, 7, at::kCPU, at::kFloat);
  const at::Tensor input = support::normal({2, 4, 2, 32, 32}, 76, at::kFloat);
  ForwardOptions options;
  options.training = true, options.measure_rates = true, options.carry_state = true;
  ForwardOptions recorded = options;
  recorded.record = true;
  const ForwardResult a = together.forward(input, options), b = apart.forward(input, recorded);
  EXPECT(at::equal(a.output, b.output));
  EXPECT_EQ(a.rates.size(), b.rates.size());
  for (size_t i = 0; i < a.rates.size(); i++) EXPECT(at::equal(a.rates[i], b.rates[i]));
  EXPECT_EQ(a.state.size(), b.state.size());
  for (size_t i = 0; i < a.state.size(); i++) EXPECT(at::equal(a.state[i], b.state[i]));
  const auto of_a = torch::autograd::grad({a.output.square().sum()}, together.parameters()),
             of_b = torch::autograd::grad({b.output.square().sum()}, apart.parameters());
  for (size_t i = 0; i < of_a.size(); i++) {
    const double size = std::max(1.0, of_b[i].abs().max().item<double>());
    EXPECT_CLOSE(of_a[i] / size, of_b[i] / size, 1e-4);
  }
}

CHECK_MAIN()
