#include "model/trainer.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/scalar_tensor.h>
#include <ATen/ops/stack.h>

#include <algorithm>
#include <cmath>

#include "error.h"
#include "model/loss.h"
#include "model/named_tensors.h"
#include "model/schedule.h"

namespace spikingrx {

namespace {

int64_t count_correct(const at::Tensor& predictions, const at::Tensor& targets) {
  return predictions.eq(targets.to(predictions.device(), at::kLong)).sum().item<int64_t>();
}

std::vector<double> values_of(const std::vector<at::Tensor>& rates) {
  if (rates.empty()) return {};
  const at::Tensor values = at::stack(rates).to(at::kCPU, at::kDouble);  // one transfer from a GPU, not one a layer
  return {values.const_data_ptr<double>(), values.const_data_ptr<double>() + values.numel()};
}

void check_batch(const at::Tensor& inputs, const at::Tensor& targets) {
  SPIKINGRX_CHECK(inputs.dim() > 0 && targets.dim() > 0 && inputs.size(0) == targets.size(0), "ERR_SHAPE",
                  "inputs and targets must have one batch size, got ", inputs.sizes(), " and ", targets.sizes());
  SPIKINGRX_CHECK(inputs.size(0) > 0, "ERR_SHAPE", "a batch needs at least one sample");
}

// SpikeNorm's statistics of a step that fails must not stay: they are put back unless the step is kept.
class BufferGuard {
 public:
  explicit BufferGuard(const Network& network) {
    for (const auto& entry : network.tensors())
      if (!entry.trainable) saved_.emplace_back(entry.tensor, entry.tensor.clone());
  }
  ~BufferGuard() {
    if (kept_) return;
    at::NoGradGuard no_grad;
    try {
      for (const auto& [tensor, value] : saved_) tensor.copy_(value);
    } catch (const c10::Error&) {  // a device that is gone; the error under way says more
    }
  }
  BufferGuard(const BufferGuard&) = delete;
  BufferGuard& operator=(const BufferGuard&) = delete;
  void keep() { kept_ = true; }

 private:
  std::vector<std::pair<at::Tensor, at::Tensor>> saved_;
  bool kept_ = false;
};

}  // namespace

Trainer::Trainer(std::shared_ptr<Network> network, TrainerSpec spec)
    : network_(std::move(network)), spec_(std::move(spec)) {
  check_loss(spec_.loss);
  check_rate_penalty(spec_.rate_regularizer);
  SPIKINGRX_CHECK(spec_.clip_norm >= 0, "ERR_RANGE", "clipNorm must not be negative, got ", spec_.clip_norm);
  optimizer_ = Optimizer::make(spec_.optimizer, network_->parameters());
  learning_rate(spec_.schedule, optimizer_->learning_rate(), 0, spec_.total_steps);  // refuses a bad schedule now
}

StepReport Trainer::step(const at::Tensor& inputs, const at::Tensor& targets) {
  check_batch(inputs, targets);
  at::AutoGradMode with_gradients(true);
  BufferGuard buffers(*network_);
  const bool regularized = spec_.rate_regularizer.kind != "none";

  ForwardOptions options;
  options.training = true;
  options.measure_rates = spec_.measure_rates || regularized;
  ForwardResult forward = network_->forward(inputs, options);
  const LossResult result = compute_loss(forward.output, targets, spec_.loss);
  const at::Tensor penalty = rate_penalty(forward.rates, spec_.rate_regularizer);
  const at::Tensor loss = penalty.defined() ? result.loss.add(penalty) : result.loss;

  StepReport report;
  report.samples = inputs.size(0);
  report.loss = loss.item<double>();
  report.learning_rate = learning_rate(spec_.schedule, optimizer_->learning_rate(), steps_done_, spec_.total_steps);
  SPIKINGRX_CHECK(std::isfinite(report.loss), "ERR_NOT_FINITE", "the loss of step ", steps_done_, " is ", report.loss,
                  "; the weights are as they were; lower the learning rate or look at the data");

  optimizer_->zero_grad();
  loss.backward();
  report.gradient_norm = clip_gradient_norm(optimizer_->parameters(), spec_.clip_norm);
  if (!std::isfinite(report.gradient_norm)) {
    optimizer_->zero_grad();
    SPIKINGRX_CHECK(false, "ERR_NOT_FINITE", "the gradient of step ", steps_done_,
                    " is not finite; the weights are as they were; lower the learning rate or look at the data");
  }
  optimizer_->step(report.learning_rate);
  buffers.keep();
  optimizer_->zero_grad();
  network_->constrain();
  steps_done_++;

  at::NoGradGuard no_grad;
  if (is_class_target(targets)) report.correct = count_correct(result.scores.detach().argmax(1), targets);
  report.firing_rates = values_of(forward.rates);
  return report;
}

std::vector<NamedTensor> Trainer::state() const {
  std::vector<NamedTensor> list;
  for (const auto& entry : optimizer_->state()) list.push_back({"optimizer." + entry.name, entry.tensor, false});
  list.push_back({"stepsDone", at::scalar_tensor(steps_done_, at::TensorOptions().dtype(at::kLong)), false});
  list.push_back({"randomState", network_->random_state(), false});
  return list;
}

void Trainer::load(const std::vector<NamedTensor>& values) {
  const auto into = state();
  check_named(into, values, "the trainer");
  const auto given = [&](const char* name) {
    return std::find_if(values.begin(), values.end(), [&](const auto& value) { return value.name == name; })->tensor;
  };
  // What may still be refused comes before the first copy, so that a failure changes nothing.
  const int64_t steps = given("stepsDone").item<int64_t>();
  SPIKINGRX_CHECK(steps >= 0, "ERR_RANGE", "stepsDone must not be negative, got ", steps);
  network_->set_random_state(given("randomState"));
  copy_named(into, values, "the trainer");
  steps_done_ = steps;
}

EvaluationReport evaluate(Network& network, const at::Tensor& inputs, const at::Tensor& targets, const Spec& loss,
                          bool measure_rates) {
  check_batch(inputs, targets);
  at::NoGradGuard no_grad;
  ForwardOptions options;
  options.measure_rates = measure_rates;
  const ForwardResult forward = network.forward(inputs, options);
  const LossResult result = compute_loss(forward.output, targets, loss);
  EvaluationReport report;
  report.samples = inputs.size(0);
  report.loss = result.loss.item<double>();
  if (is_class_target(targets)) {
    report.predictions = result.scores.argmax(1).cpu();
    report.correct = count_correct(report.predictions, targets);
  } else {
    report.predictions = at::empty({0}, at::kLong);
  }
  report.firing_rates = values_of(forward.rates);
  return report;
}

}  // namespace spikingrx
