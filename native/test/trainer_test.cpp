// Training steps: losses by value, optimisers, schedules, regularisation, safety, and exact resumption.
#include "model/trainer.h"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include "check.h"
#include "model/loss.h"
#include "model/schedule.h"
#include "network_specs.h"
#include "support.h"

using namespace spikingrx;
using namespace specs;

namespace {

using Text = std::string;

Spec cross_entropy(const char* reduce = "mean", double smoothing = 0) {
  return {"crossEntropy", {{"reduce", Text(reduce)}, {"labelSmoothing", smoothing}}};
}

Spec adam(double rate) {
  return {"adamW",
          {{"learningRate", rate}, {"beta1", 0.9}, {"beta2", 0.999}, {"epsilon", 1e-8}, {"weightDecay", 0.01}}};
}

Spec sgd(double rate, double momentum = 0) {
  return {
      "sgd",
      {{"learningRate", rate}, {"momentum", momentum}, {"dampening", 0.0}, {"weightDecay", 0.0}, {"nesterov", false}}};
}

Spec schedule(const char* kind, std::map<std::string, OptionValue> options = {}) {
  options.insert({{"warmupSteps", 0.0}, {"warmupFactor", 0.0}});
  return {kind, options};
}

Spec firing_rate(double weight, double target, const char* norm = "l2", const char* mode = "two-sided") {
  return {"firingRate", {{"weight", weight}, {"target", target}, {"norm", Text(norm)}, {"mode", Text(mode)}}};
}

TrainerSpec training(Spec optimizer, Spec loss = cross_entropy()) {
  TrainerSpec spec;
  spec.loss = std::move(loss);
  spec.optimizer = std::move(optimizer);
  spec.schedule = schedule("constant");
  spec.rate_regularizer = {"none", {}};
  spec.total_steps = 100;
  return spec;
}

std::shared_ptr<Network> network_of(const NetworkSpec& spec, uint64_t seed = 1) {
  return std::make_shared<Network>(spec, seed, at::kCPU, at::kFloat);
}

at::Tensor labels(int64_t batch) { return at::arange(batch, at::kLong).remainder(10); }

bool equal(const Network& a, const Network& b) {
  const auto x = a.tensors(), y = b.tensors();
  for (size_t i = 0; i < x.size(); i++)
    if (!at::equal(x[i].tensor, y[i].tensor)) return false;
  return true;
}

}  // namespace

TEST("losses by value") {
  const at::Tensor out = support::normal({4, 6, 3}, 51), targets = at::tensor({0, 2, 1, 2}, at::kLong);
  EXPECT_CLOSE(compute_loss(out, targets, cross_entropy("mean")).loss, at::cross_entropy_loss(out.mean(1), targets),
               1e-14);
  EXPECT_CLOSE(compute_loss(out, targets, cross_entropy("sum", 0.1)).loss,
               at::cross_entropy_loss(out.sum(1), targets, {}, at::Reduction::Mean, -100, 0.1), 1e-14);
  const Spec rates{"rateMse", {{"correct", 0.8}, {"incorrect", 0.1}}},
      counts{"spikeCount", {{"correct", 5.0}, {"incorrect", 1.0}}};
  at::Tensor level = at::full({4, 3}, 0.1, at::kDouble), count = at::full({4, 3}, 1.0, at::kDouble);
  for (int64_t b = 0; b < 4; b++) level[b][targets[b].item<int64_t>()] = 0.8, count[b][targets[b].item<int64_t>()] = 5;
  EXPECT_CLOSE(compute_loss(out, targets, rates).loss, (out.mean(1) - level).square().mean(), 1e-14);
  EXPECT_CLOSE(compute_loss(out, targets, counts).loss, (out.sum(1) - count).square().mean(), 1e-13);
  const at::Tensor wanted = support::normal({4, 3}, 52);
  EXPECT_CLOSE(compute_loss(out, wanted, {"mse", {}}).loss, (out.mean(1) - wanted).square().mean(), 1e-14);
  EXPECT_THROWS(compute_loss(out, at::tensor({0, 3, 1, 2}, at::kLong), cross_entropy()),
                "class targets must be in [0, 3), got 3");
  EXPECT_THROWS(compute_loss(out, at::tensor({0, -1, 1, 2}, at::kLong), cross_entropy()), "got -1");
  EXPECT_THROWS(compute_loss(out, wanted, cross_entropy()), "crossEntropy needs integer class targets");
  EXPECT_THROWS(compute_loss(out, targets, {"mse", {}}), "mse needs floating point targets");
  EXPECT_THROWS(compute_loss(out, targets, {"hinge", {}}), "loss must be crossEntropy");
}

TEST("binary cross-entropy counts the elements whose target is not negative") {
  const Spec spec{"binaryCrossEntropy", {}};
  const at::Tensor output =
      at::tensor({2.0, 0.0, 4.0, -2.0, 0.0, 700.0}, at::kDouble).view({1, 2, 3});  // means 0, 0, 352
  const at::Tensor targets = at::tensor({1.0, 0.25, -1.0}, at::kDouble).view({1, 3});
  const LossResult result = compute_loss(output, targets, spec);
  EXPECT_NEAR(result.loss.item<double>(), std::log(2.0), 1e-12);
  EXPECT_CLOSE(result.scores, at::tensor({0.0, 0.0, 352.0}, at::kDouble).view({1, 3}), 1e-12);
  const at::Tensor all = at::tensor({1.0, 0.0, 0.0}, at::kDouble).view({1, 3});
  EXPECT_NEAR(compute_loss(output, all, spec).loss.item<double>(), (2 * std::log(2.0) + 352) / 3, 1e-12);
  at::Tensor leaf = output.clone().requires_grad_();
  const at::Tensor none = compute_loss(leaf, at::full({1, 3}, -1.0, at::kDouble), spec).loss;
  none.backward();
  EXPECT_EQ(none.item<double>(), 0.0);
  EXPECT(at::equal(leaf.grad(), at::zeros_like(leaf)));
  EXPECT_THROWS(compute_loss(output, at::zeros({1, 2}, at::kDouble), spec),
                "targets must have shape [1, 3], got [1, 2]");
  EXPECT_THROWS(compute_loss(output, at::zeros({1}, at::kLong), spec), "needs floating point targets");
}

TEST("rate penalties by value") {
  const std::vector<at::Tensor> rates{at::scalar_tensor(0.1, at::kDouble), at::scalar_tensor(0.5, at::kDouble)};
  EXPECT_NEAR(rate_penalty(rates, firing_rate(2, 0.2)).item<double>(), 2 * (0.01 + 0.09) / 2, 1e-15);
  EXPECT_NEAR(rate_penalty(rates, firing_rate(2, 0.2, "l1")).item<double>(), 2 * (0.1 + 0.3) / 2, 1e-15);
  EXPECT_NEAR(rate_penalty(rates, firing_rate(2, 0.2, "l1", "upper")).item<double>(), 2 * 0.3 / 2, 1e-15);
  EXPECT(!rate_penalty(rates, {"none", {}}).defined());
  EXPECT_THROWS(rate_penalty(rates, firing_rate(1, 0.2, "l3")), "norm must be l1 or l2");
}

TEST("schedules by their closed forms") {
  EXPECT_NEAR(learning_rate(schedule("constant"), 0.1, 57, 100), 0.1, 1e-15);
  const Spec step = schedule("step", {{"everySteps", 10.0}, {"factor", 0.5}});
  EXPECT_NEAR(learning_rate(step, 0.1, 29, 100), 0.1 * 0.25, 1e-15);
  const Spec cosine = schedule("cosine", {{"minimum", 0.01}});
  EXPECT_NEAR(learning_rate(cosine, 0.1, 0, 100), 0.1, 1e-15);
  EXPECT_NEAR(learning_rate(cosine, 0.1, 50, 100), 0.055, 1e-15);
  EXPECT_NEAR(learning_rate(cosine, 0.1, 100, 100), 0.01, 1e-15);
  const Spec cycle = schedule("oneCycle", {{"warmFraction", 0.3}, {"divide", 25.0}, {"finalDivide", 1e4}});
  EXPECT_NEAR(learning_rate(cycle, 0.1, 0, 100), 0.004, 1e-15);
  EXPECT_NEAR(learning_rate(cycle, 0.1, 29, 100), 0.1, 1e-15);
  EXPECT_NEAR(learning_rate(cycle, 0.1, 99, 100), 0.004 / 1e4, 1e-15);
  Spec warm = cosine;
  warm.options["warmupSteps"] = 10.0;
  warm.options["warmupFactor"] = 0.5;
  EXPECT_NEAR(learning_rate(warm, 0.1, 5, 110), 0.1 * 0.75, 1e-15);
  EXPECT_NEAR(learning_rate(warm, 0.1, 60, 110), 0.055, 1e-15);
  EXPECT_THROWS(learning_rate(schedule("triangle"), 0.1, 0, 1), "schedule must be constant, step, cosine or oneCycle");
}

TEST("plain SGD moves each weight by its gradient times the rate; the loss of one batch falls") {
  auto network = network_of(perceptron()), twin = network_of(perceptron());
  Trainer trainer(network, training(sgd(0.5)));
  const at::Tensor x = support::normal({32, 12}, 53, at::kFloat).abs() * 3, y = labels(32);
  ForwardOptions options;
  options.training = true;
  const at::Tensor loss = compute_loss(twin->forward(x, options).output, y, cross_entropy()).loss;
  loss.backward();
  const StepReport report = trainer.step(x, y);
  EXPECT_EQ(report.samples, int64_t(32));
  EXPECT_NEAR(report.loss, loss.item<double>(), 1e-6);
  for (size_t i = 0; i < twin->parameters().size(); i++) {
    const at::Tensor parameter = twin->parameters()[i];
    EXPECT_CLOSE(network->parameters()[i].detach(), (parameter - 0.5 * parameter.grad()).detach(), 1e-6);
  }
  double loss_of_last = 0;
  for (int step = 0; step < 60; step++) loss_of_last = trainer.step(x, y).loss;
  EXPECT(loss_of_last < report.loss - 0.02);
}

TEST("evaluation counts what it predicts") {
  auto network = network_of(sew_network());
  const at::Tensor x = support::normal({7, 2, 8, 8}, 54, at::kFloat);
  const EvaluationReport report = evaluate(*network, x, labels(7), cross_entropy(), true);
  EXPECT_EQ(report.correct, report.predictions.eq(labels(7)).sum().item<int64_t>());
  EXPECT_EQ(report.firing_rates.size(), network->spiking_layers().size());
  const at::Tensor scores = network->forward(x, {}).output.mean(1);
  EXPECT(at::equal(report.predictions, scores.argmax(1)));
}

TEST("clipping bounds the common norm and reports the one before") {
  auto network = network_of(perceptron());
  TrainerSpec spec = training(sgd(1));
  spec.clip_norm = 1e-3;
  Trainer trainer(network, spec);
  std::vector<at::Tensor> before;
  for (const auto& p : network->parameters()) before.push_back(p.detach().clone());
  const StepReport report = trainer.step(support::normal({8, 12}, 55, at::kFloat).abs() * 3, labels(8));
  EXPECT(report.gradient_norm > 1e-3);
  double moved = 0;
  for (size_t i = 0; i < before.size(); i++)
    moved += (network->parameters()[i] - before[i]).square().sum().item<double>();
  EXPECT_NEAR(std::sqrt(moved), 1e-3, 1e-5);  // a step of rate 1 moves by the clipped gradient
}

TEST("a rate regulariser drives the firing rate towards its target") {
  const at::Tensor x = support::normal({64, 12}, 56, at::kFloat).abs() * 3, y = labels(64);
  std::vector<double> rates;
  for (const double weight : {0.0, 50.0}) {
    auto network = network_of(perceptron(), 9);
    TrainerSpec spec = training(adam(1e-2));
    if (weight > 0) spec.rate_regularizer = firing_rate(weight, 0.02);
    Trainer trainer(network, spec);
    for (int step = 0; step < 80; step++) trainer.step(x, y);
    rates.push_back(evaluate(*network, x, y, cross_entropy(), true).firing_rates[0]);
  }
  EXPECT(std::abs(rates[1] - 0.02) < 0.015);
  EXPECT(std::abs(rates[0] - 0.02) > 2 * std::abs(rates[1] - 0.02));
}

TEST("learnt decay and threshold move and stay in their range") {
  NetworkSpec spec = perceptron();
  spec.layers[1].options["learnable"] = std::vector<Text>{"decay", "threshold"};
  spec.layers[1].options["perChannel"] = true;
  auto network = network_of(spec);
  Trainer trainer(network, training(sgd(20)));  // far too large on purpose
  const at::Tensor x = support::normal({16, 12}, 57, at::kFloat).abs() * 3;
  for (int step = 0; step < 10; step++) trainer.step(x, labels(16));
  for (const auto& entry : network->tensors()) {
    if (entry.name == "layers.1.decay")
      EXPECT(entry.tensor.min().item<double>() >= 0 && entry.tensor.max().item<double>() <= 1);
    if (entry.name == "layers.1.threshold") {
      EXPECT(entry.tensor.min().item<double>() > 0);
      EXPECT(entry.tensor.sub(0.3).abs().max().item<double>() > 1e-3);
    }
  }
}

TEST("a step that is not finite changes nothing") {
  auto network = network_of(sew_network()), untouched = network_of(sew_network());
  Trainer trainer(network, training(adam(1e-2)));
  at::Tensor x = at::zeros({4, 2, 8, 8});
  x[0][0][0][0] = std::nanf("");  // NaN never fires, so the loss is finite here and the gradient is not
  EXPECT_THROWS(trainer.step(x, labels(4)), "ERR_NOT_FINITE: the gradient of step 0 is not finite");
  EXPECT(equal(*network, *untouched));
  EXPECT_EQ(trainer.steps_done(), int64_t(0));
}

TEST("a step whose targets are refused leaves the statistics as they were") {
  auto network = network_of(sew_network()), untouched = network_of(sew_network());
  Trainer trainer(network, training(adam(1e-2)));
  EXPECT_THROWS(trainer.step(support::normal({4, 2, 8, 8}, 70, at::kFloat), at::full({4}, 10, at::kLong)),
                "class targets must be in [0, 10), got 10");
  EXPECT(equal(*network, *untouched));
}

TEST("a refused state leaves the trainer as it was") {
  auto network = network_of(sew_network());
  Trainer trainer(network, training(adam(1e-2)));
  trainer.step(support::normal({4, 2, 8, 8}, 71, at::kFloat), labels(4));
  const auto changed = [&](const char* name, const at::Tensor& value) {
    std::vector<NamedTensor> list = trainer.state();
    for (auto& entry : list) entry.tensor = entry.name == name ? value : at::zeros_like(entry.tensor);
    return list;
  };
  const auto moment = [&] { return trainer.state()[0].tensor.clone(); };
  const at::Tensor before = moment(), random = network->random_state();
  EXPECT(before.abs().sum().item<float>() > 0);
  EXPECT_THROWS(trainer.load(changed("stepsDone", at::scalar_tensor(-1, at::kLong))), "stepsDone must not be negative");
  EXPECT_THROWS(trainer.load(changed("randomState", at::full_like(random, 255))), "mt19937");
  EXPECT(at::equal(moment(), before) && at::equal(network->random_state(), random));
  EXPECT_EQ(trainer.steps_done(), int64_t(1));
}

TEST("a loss that is not finite is told as such") {
  auto network = network_of({{3}, 1, {linear(10)}}), untouched = network_of({{3}, 1, {linear(10)}});
  Trainer trainer(network, training(adam(1e-2)));
  EXPECT_THROWS(trainer.step(at::full({4, 3}, std::nanf("")), labels(4)), "ERR_NOT_FINITE: the loss of step 0 is nan");
  EXPECT(equal(*network, *untouched));
}

TEST("resumed from its state, a run continues bit by bit (Adam, SGD with momentum; dropout in between)") {
  NetworkSpec spec = sew_network();
  spec.layers.insert(spec.layers.begin() + 4, Spec{"dropout", {{"probability", 0.3}}});
  for (const Spec& optimizer : {adam(1e-2), sgd(0.1, 0.9)}) {
    auto whole = network_of(spec), first = network_of(spec), second = network_of(spec, 99);
    Trainer a(whole, training(optimizer)), b(first, training(optimizer)), c(second, training(optimizer));
    const auto batch = [](uint64_t k) { return support::normal({8, 2, 8, 8}, 60 + k, at::kFloat); };
    for (uint64_t k = 0; k < 6; k++) a.step(batch(k), labels(8));
    for (uint64_t k = 0; k < 3; k++) b.step(batch(k), labels(8));
    second->load(first->tensors());
    c.load(b.state());
    EXPECT_EQ(c.steps_done(), int64_t(3));
    for (uint64_t k = 3; k < 6; k++) c.step(batch(k), labels(8));
    EXPECT(equal(*whole, *second));
  }
}

TEST("bad training specs and batches are refused by name") {
  const auto make = [](TrainerSpec spec) { Trainer trainer(network_of(perceptron()), std::move(spec)); };
  EXPECT_THROWS(make(training({"adagrad", {{"learningRate", 0.1}}})), "optimizer must be sgd, adam or adamW");
  EXPECT_THROWS(make(training(sgd(-1))), "sgd learningRate must be finite and not negative, got -1");
  EXPECT_THROWS(make(training(sgd(0.1, 1))), "sgd momentum must be in [0, 1), got 1");
  EXPECT_THROWS(make(training(sgd(0.1), cross_entropy("max"))), "crossEntropy reduce must be mean or sum");
  TrainerSpec odd = training(sgd(0.1));
  odd.rate_regularizer = firing_rate(1, 0.1, "l3");
  EXPECT_THROWS(make(odd), "firingRate norm must be l1 or l2");
  odd = training(sgd(0.1));
  odd.schedule = schedule("oneCycle", {{"warmFraction", 0.3}, {"divide", 0.0}, {"finalDivide", 1e4}});
  EXPECT_THROWS(make(odd), "the oneCycle schedule gives inf at step 0");
  const at::Tensor every_other = at::zeros({8}).slice(0, 0, 8, 2).detach().requires_grad_(true);
  EXPECT_THROWS(Optimizer::make(sgd(0.1), {every_other}), "must fill their memory without gaps, got strides [2]");
  EXPECT(Optimizer::make(sgd(0.1), {at::zeros({2, 3}).t().detach().requires_grad_(true)}) != nullptr);
  Trainer trainer(network_of(perceptron()), training(sgd(0.1)));
  EXPECT_THROWS(trainer.step(at::zeros({4, 12}), labels(3)), "inputs and targets must have one batch size");
  EXPECT_THROWS(trainer.step(at::zeros({0, 12}), labels(0)), "a batch needs at least one sample");
}

CHECK_MAIN()
