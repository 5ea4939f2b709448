// SpikeNorm, ConvBlock and the SEW connect functions against the definitions, by values.
#include <ATen/ATen.h>

#include "check.h"
#include "snn/conv_block.h"
#include "snn/sew.h"
#include "snn/spike_norm.h"
#include "support.h"

using namespace spikingrx;

namespace {

struct Norm {
  at::Tensor gamma, beta, mean, variance;
};

Norm norm(int64_t channels, at::IntArrayRef running) {
  return {(support::normal({channels}, 21) * 0.1 + 1).requires_grad_(true),
          (support::normal({channels}, 22) * 0.1).requires_grad_(true), at::zeros(running, at::kDouble),
          at::ones(running, at::kDouble)};
}

at::Tensor apply(const at::Tensor& x, const Norm& n, bool training, int64_t repeats = 1) {
  return spike_norm(x, {n.gamma, n.beta, n.mean, n.variance}, {training, 0.1, 1e-5, repeats});
}

// The definition with small operators.
at::Tensor by_definition(const at::Tensor& x, const at::Tensor& gamma, const at::Tensor& beta) {
  const at::Tensor mean = x.mean({0, 3, 4}, true), variance = (x - mean).square().mean({0, 3, 4}, true);
  return (x - mean) / (variance + 1e-5).sqrt() * gamma.view({1, 1, -1, 1, 1}) + beta.view({1, 1, -1, 1, 1});
}

}  // namespace

TEST("training normalises each step by its own statistics, with the right gradients") {
  const at::Tensor base = support::normal({3, 4, 2, 5, 5}, 20) * at::arange(1, 5, at::kDouble).view({1, 4, 1, 1, 1});
  at::Tensor x = base.clone().requires_grad_(true), y = base.clone().requires_grad_(true);
  const Norm a = norm(2, {2}), b = norm(2, {2});
  const at::Tensor weight = support::normal(base.sizes(), 23);
  const at::Tensor out = apply(x, a, true), expected = by_definition(y, b.gamma, b.beta);
  EXPECT_CLOSE(out.detach(), expected.detach(), 1e-12);
  (out * weight).sum().backward();
  (expected * weight).sum().backward();
  EXPECT_CLOSE(x.grad(), y.grad(), 1e-11);
  EXPECT_CLOSE(a.gamma.grad(), b.gamma.grad(), 1e-10);
  EXPECT_CLOSE(a.beta.grad(), b.beta.grad(), 1e-10);
}

TEST("running statistics are updated once a step, shared or by step, with the unbiased variance") {
  const at::Tensor x = support::normal({3, 4, 2, 5, 5}, 24) + at::arange(4, at::kDouble).view({1, 4, 1, 1, 1});
  const Norm shared = norm(2, {2}), per_step = norm(2, {4, 2});
  apply(x, shared, true);
  apply(x, per_step, true);
  at::Tensor mean = at::zeros({2}, at::kDouble), variance = at::ones({2}, at::kDouble);
  for (int64_t t = 0; t < 4; t++) {
    const at::Tensor m = x.select(1, t).mean({0, 2, 3}), v = x.select(1, t).var({0, 2, 3}, true, false);
    EXPECT_CLOSE(per_step.mean.select(0, t), 0.1 * m, 1e-13);
    EXPECT_CLOSE(per_step.variance.select(0, t), 0.9 + 0.1 * v, 1e-13);
    mean = 0.9 * mean + 0.1 * m;
    variance = 0.9 * variance + 0.1 * v;
  }
  EXPECT_CLOSE(shared.mean, mean, 1e-13);
  EXPECT_CLOSE(shared.variance, variance, 1e-13);
}

TEST("a constant input stands for its repeats") {
  const at::Tensor x = support::normal({3, 1, 2, 5, 5}, 25);
  const Norm once = norm(2, {2}), repeated = norm(2, {2});
  const at::Tensor a = apply(x, once, true, 6), b = apply(x.expand({3, 6, 2, 5, 5}), repeated, true);
  EXPECT_CLOSE(a.expand({3, 6, 2, 5, 5}).detach(), b.detach(), 1e-13);
  EXPECT_CLOSE(once.mean, repeated.mean, 1e-13);
  EXPECT_CLOSE(once.variance, repeated.variance, 1e-13);
}

TEST("evaluation uses the running statistics: a sample's output does not depend on its neighbours") {
  for (const auto& running : std::vector<std::vector<int64_t>>{{2}, {4, 2}}) {
    const Norm n = norm(2, running);
    apply(support::normal({3, 4, 2, 5, 5}, 26) * 2 + 1, n, true);
    const at::Tensor x = support::normal({3, 4, 2, 5, 5}, 27);
    EXPECT_CLOSE(apply(x, n, false).narrow(0, 1, 1).detach(), apply(x.narrow(0, 1, 1), n, false).detach(), 1e-14);
    const at::Tensor mean = n.mean.view({1, -1, 2, 1, 1}), variance = n.variance.view({1, -1, 2, 1, 1});
    const at::Tensor expected =
        (x - mean) / (variance + 1e-5).sqrt() * n.gamma.view({1, 1, 2, 1, 1}) + n.beta.view({1, 1, 2, 1, 1});
    EXPECT_CLOSE(apply(x, n, false).detach(), expected.detach(), 1e-13);
  }
}

TEST("[B, C, H, W] is one step; empty batches pass; one value a channel can't train") {
  const at::Tensor x = support::normal({3, 2, 5, 5}, 28);
  EXPECT_CLOSE(apply(x, norm(2, {2}), true).detach(), apply(x.unsqueeze(1), norm(2, {2}), true).squeeze(1).detach(), 0);
  const Norm n = norm(2, {2});
  EXPECT(apply(at::zeros({0, 4, 2, 5, 5}, at::kDouble), n, true).sizes() == at::IntArrayRef({0, 4, 2, 5, 5}));
  EXPECT_CLOSE(n.variance, at::ones({2}, at::kDouble), 0);
  EXPECT_THROWS(apply(at::zeros({1, 4, 2, 1, 1}, at::kDouble), n, true), "more than one value a channel");
  EXPECT_THROWS(apply(at::zeros({1, 4, 3, 5, 5}, at::kDouble), n, true), "gamma and beta must have shape [3]");
  EXPECT_THROWS(apply(at::zeros({4, 3}, at::kDouble), n, true), "spikeNorm expects [B, C, H, W]");
}

TEST("ConvBlock folds time into the batch and refuses other channels") {
  const at::Tensor x = support::normal({2, 3, 4, 6, 6}, 29), weight = support::normal({5, 4, 3, 3}, 30);
  const at::Tensor bias = support::normal({5}, 31), out = conv_block(x, weight, bias, {1, 1}, {1, 1});
  for (int64_t t = 0; t < 3; t++) EXPECT_CLOSE(out.select(1, t), at::conv2d(x.select(1, t), weight, bias, 1, 1), 1e-12);
  EXPECT(conv_block(x.transpose(0, 1), weight, {}, {2, 2}, {1, 1}).sizes() == at::IntArrayRef({3, 2, 5, 3, 3}));
  EXPECT(conv_block(x.narrow(0, 0, 0), weight, bias, {1, 1}, {1, 1}).sizes() == at::IntArrayRef({0, 3, 5, 6, 6}));
  EXPECT_THROWS(conv_block(x.narrow(2, 0, 3), weight, bias, {1, 1}, {1, 1}), "does not fit an input with 3 channels");
}

TEST("connect functions") {
  const at::Tensor o = at::tensor({0., 1., 0., 1.}), i = at::tensor({0., 0., 1., 1.});
  EXPECT(at::equal(sew_connect(o, i, parse_connect("add")), at::tensor({0., 1., 1., 2.})));
  EXPECT(at::equal(sew_connect(o, i, parse_connect("and")), at::tensor({0., 0., 0., 1.})));
  EXPECT(at::equal(sew_connect(o, i, parse_connect("iand")), at::tensor({0., 0., 1., 0.})));
  EXPECT(at::equal(sew_connect(o, i, parse_connect("mean")), at::tensor({0., .5, .5, 1.})));
  EXPECT_THROWS(sew_connect(o, i.narrow(0, 0, 2), Connect::kAdd), "two inputs of one shape");
  EXPECT_THROWS(parse_connect("or"), "connect must be add, and, iand or mean");
}

TEST("large planes, which have kernels of their own, give libtorch's values and gradients step by step") {
  const int64_t batch = 2, steps = 3, channels = 2;
  for (const int64_t width : {32, 33}) {  // with and without a rest beside whole vectors
    const at::Tensor x = support::normal({batch, steps, channels, 33, width}, 60, at::kFloat) * 3 + 5;
    const at::Tensor upstream = support::normal(x.sizes(), 61, at::kFloat);
    const auto leaf = [](const at::Tensor& value) { return value.detach().clone().requires_grad_(); };
    const at::Tensor gamma = leaf(at::tensor({1.5f, -0.5f})), beta = leaf(at::tensor({0.25f, 2.f})), input = leaf(x);
    const at::Tensor mean = at::zeros({channels}), variance = at::ones({channels});
    const at::Tensor y = spike_norm(input, {gamma, beta, mean, variance}, {true, 0.1, 1e-5, 1});
    (y * upstream).sum().backward();
    const at::Tensor wide = leaf(x.to(at::kDouble)), wide_gamma = leaf(gamma.to(at::kDouble)),
                     wide_beta = leaf(beta.to(at::kDouble));
    const at::Tensor running_mean = at::zeros({channels}, at::kDouble),
                     running_variance = at::ones({channels}, at::kDouble);
    std::vector<at::Tensor> each;
    for (int64_t t = 0; t < steps; t++)
      each.push_back(at::batch_norm(wide.select(1, t), wide_gamma, wide_beta, running_mean, running_variance, true, 0.1,
                                    1e-5, false));
    const at::Tensor expected = at::stack(each, 1);
    (expected * upstream).sum().backward();
    EXPECT_CLOSE(y.detach().to(at::kDouble), expected.detach(), 1e-5);
    EXPECT_CLOSE(input.grad().to(at::kDouble), wide.grad(), 1e-5);
    EXPECT_CLOSE(gamma.grad().to(at::kDouble), wide_gamma.grad(), 2e-3);  // sums of 6,000 values
    EXPECT_CLOSE(beta.grad().to(at::kDouble), wide_beta.grad(), 2e-3);
    EXPECT_CLOSE(mean.to(at::kDouble), running_mean, 1e-5);
    EXPECT_CLOSE(variance.to(at::kDouble), running_variance, 1e-5);
  }
}

CHECK_MAIN()
