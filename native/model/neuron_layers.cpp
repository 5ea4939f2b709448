#include "model/neuron_layers.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/full.h>

#include <algorithm>
#include <cmath>

#include "error.h"
#include "model/plan_builder.h"
#include "snn/norm_lif.h"

namespace spikingrx {

namespace {

constexpr double kSmallestThreshold = 1e-4;  // a learnt threshold stays positive

bool names(const std::vector<std::string>& list, const char* name) {
  return std::find(list.begin(), list.end(), name) != list.end();
}

// A value for all neurons, or one a channel; a parameter where it is learnt.
at::Tensor neuron_value(double value, bool learnt, bool per_channel, const Build& build) {
  const auto shape = per_channel ? std::vector<int64_t>{build.shape[0]} : std::vector<int64_t>{};
  const at::Tensor tensor = at::full(shape, value, build.options);
  return learnt ? build.parameter(tensor) : build.buffer(tensor);
}

double decay_of(const Spec& spec, const std::string& name) {
  const double decay = spec.number("decay");
  SPIKINGRX_CHECK(decay >= 0 && decay <= 1, "ERR_RANGE", name, ": decay must be in [0, 1], got ", decay);
  return decay;
}

}  // namespace

LifLayer::LifLayer(const Spec& spec, std::string name, Build& build) : Layer(std::move(name)) {
  const auto learnable = spec.texts("learnable");
  learn_decay_ = names(learnable, "decay");
  learn_threshold_ = names(learnable, "threshold");
  const double threshold = spec.number("threshold");
  SPIKINGRX_CHECK(threshold > 0 && std::isfinite(threshold), "ERR_RANGE", name_,
                  ": threshold must be positive and finite, got ", threshold);
  const bool per_channel = spec.flag("perChannel");
  decay_ = neuron_value(decay_of(spec, name_), learn_decay_, per_channel, build);
  threshold_ = neuron_value(threshold, learn_threshold_, per_channel, build);
  options_.decay_input = spec.flag("decayInput");
  options_.reset = parse_reset(spec.text("reset"));
  options_.reset_delay = spec.flag("resetDelay");
  options_.detach_reset = spec.flag("detachReset");
  options_.surrogate = parse_surrogate(spec.text("surrogate"), spec.number("surrogateParameter"));
}

Signal LifLayer::forward(const Signal& input, Pass& pass) {
  LifOptions options = options_;
  options.trace = pass.options.record;
  return finish(lif(input.value, decay_, threshold_, pass.take_state(), input.steps, options), input.steps, pass);
}

Signal LifLayer::forward_normalised(const Signal& input, const NormTensors& norm, const SpikeNormOptions& norm_options,
                                    Pass& pass) {
  return finish(norm_lif(input.value, norm, norm_options, decay_, threshold_, pass.take_state(), input.steps, options_),
                input.steps, pass);
}

Signal LifLayer::finish(const LifOutput& output, int64_t steps, Pass& pass) {
  pass.give_state(output.membrane);
  if (pass.options.measure_rates) pass.result.rates.push_back(output.spikes.mean());
  pass.record(name_, "spikes", output.spikes);
  if (pass.options.record) pass.record(name_, "membrane", output.trace);
  return {output.spikes, steps};
}

bool LifLayer::plan(PlanBuilder& plan) const {
  plan.spiking_neuron(name_, {decay_, threshold_, options_.decay_input, options_.reset, options_.reset_delay});
  return true;
}

void LifLayer::visit(const ParameterSink& sink) {
  if (learn_decay_) sink(name_ + ".decay", decay_, true);
  if (learn_threshold_) sink(name_ + ".threshold", threshold_, true);
}

void LifLayer::constrain() {
  at::NoGradGuard no_grad;
  if (learn_decay_) decay_.clamp_(0, 1);
  if (learn_threshold_) threshold_.clamp_min_(kSmallestThreshold);
}

LeakyReadoutLayer::LeakyReadoutLayer(const Spec& spec, std::string name, Build& build)
    : Layer(std::move(name)),
      decay_input_(spec.flag("decayInput")),
      learn_decay_(names(spec.texts("learnable"), "decay")) {
  decay_ = neuron_value(decay_of(spec, name_), learn_decay_, false, build);
}

Signal LeakyReadoutLayer::forward(const Signal& input, Pass& pass) {
  const LeakyOutput output = leaky_integrate(input.value, decay_, pass.take_state(), input.steps, decay_input_);
  pass.give_state(output.membrane);
  pass.record(name_, "output", output.trace);
  return {output.trace, input.steps};
}

bool LeakyReadoutLayer::plan(PlanBuilder& plan) const {
  plan.leaky_neuron(name_, {decay_, {}, decay_input_, Reset::kNone, false});
  return true;
}

void LeakyReadoutLayer::visit(const ParameterSink& sink) {
  if (learn_decay_) sink(name_ + ".decay", decay_, true);
}

void LeakyReadoutLayer::constrain() {
  at::NoGradGuard no_grad;
  if (learn_decay_) decay_.clamp_(0, 1);
}

}  // namespace spikingrx
