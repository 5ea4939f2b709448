#include "model/plan_builder.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/full.h>
#include <ATen/ops/ones_like.h>

#include "model/inference_steps.h"

namespace spikingrx {

namespace {

int64_t product_of(const std::vector<int64_t>& sizes, size_t first) {
  int64_t product = 1;
  for (size_t d = first; d < sizes.size(); d++) product *= sizes[d];
  return product;
}

EventWindow window_of(const SignalPlace& input, std::vector<int64_t> kernel, const std::vector<int64_t>& stride,
                      const std::vector<int64_t>& padding) {
  EventWindow window{input.shape[1],
                     input.shape[2],
                     input.channels,
                     {kernel[0], kernel[1]},
                     {stride[0], stride[1]},
                     {padding[0], padding[1]},
                     {}};
  window.output[0] = (window.height + 2 * padding[0] - kernel[0]) / stride[0] + 1;
  window.output[1] = (window.width + 2 * padding[1] - kernel[1]) / stride[1] + 1;
  return window;
}

// [channels, height, width] of what a window gives.
SignalPlace mapped(const SignalPlace& input, const EventWindow& window, int64_t channels) {
  SignalPlace output = input;
  output.shape = {channels, window.output[0], window.output[1]};
  output.channels = channels;
  output.places = window.output[0] * window.output[1];
  output.binary = false;
  return output;
}

// [rows, C] or [C] of the layers as [rows, values] in the order of memory.
at::Tensor as_it_lies(const at::Tensor& values, const SignalPlace& place) {
  const at::Tensor rows = values.detach().to(at::kFloat).reshape({-1, place.shape[0]});
  if (place.shape[0] == place.channels) return rows.contiguous();
  return rows.view({-1, place.channels, place.places}).transpose(1, 2).reshape({rows.size(0), place.size()});
}

// One value a neuron in the order of memory, from one for all or one a channel.
at::Tensor by_neuron(const at::Tensor& value, const SignalPlace& place) {
  const at::Tensor real = value.detach().to(at::kFloat);
  if (real.dim() == 0) return real.expand({place.size()}).contiguous();
  return real.unsqueeze(1)
      .expand({real.size(0), place.size() / place.shape[0]})
      .reshape({place.channels, place.places})
      .t()
      .reshape({place.size()})
      .contiguous();
}

}  // namespace

PlanBuilder::PlanBuilder(std::vector<int64_t> shape, bool fold) : fold_(fold) {
  const int64_t channels = shape[0], places = product_of(shape, 1);
  add_signal({std::move(shape), channels, places, Duration::kInput, false, 0});
}

PlanBuilder::~PlanBuilder() = default;

size_t PlanBuilder::add_signal(SignalPlace place) {
  place.root = places_.size();
  places_.push_back(std::move(place));
  return places_.size() - 1;
}

size_t PlanBuilder::record(const std::string& layer, const char* quantity, size_t signal) {
  if (layer.empty()) return kNone;
  records_.push_back({layer, quantity, signal});
  return records_.size() - 1;
}

template <class Step>
void PlanBuilder::add(std::unique_ptr<Step> step, size_t output) {
  steps_.push_back(std::move(step));
  signal_ = output;
  foldable_ = nullptr;
}

void PlanBuilder::convolution(const std::string& layer, const at::Tensor& weight, const at::Tensor& bias,
                              const std::vector<int64_t>& stride, const std::vector<int64_t>& padding) {
  const EventWindow window = window_of(here(), {weight.size(2), weight.size(3)}, stride, padding);
  const size_t input = signal_, output = add_signal(mapped(here(), window, weight.size(0)));
  const size_t recorded = record(layer, "output", output);
  auto step = std::make_unique<ConvolutionStep>(StepPlaces{input, output, recorded}, places_[input], places_[output],
                                                weight, bias, stride, padding);
  ConvolutionStep* made = step.get();
  add(std::move(step), output);
  if (fold_) foldable_ = made;
}

void PlanBuilder::affine(const std::string& layer, const at::Tensor& scale, const at::Tensor& shift) {
  if (foldable_ && !layer.empty() && scale.dim() == 1) {
    records_.pop_back();
    foldable_->fold(scale.detach(), shift.detach(), record(layer, "output", signal_));
    foldable_ = nullptr;
    return;
  }
  SignalPlace place = here();
  place.binary = false;
  if (scale.dim() == 2) place.duration = Duration::kAll;
  const at::Tensor scales = as_it_lies(scale, place), shifts = as_it_lies(shift, place);
  const size_t input = signal_, output = add_signal(place);
  add(std::make_unique<AffineStep>(StepPlaces{input, output, record(layer, "output", output)}, scales, shifts), output);
}

void PlanBuilder::linear(const std::string& layer, const at::Tensor& weight, const at::Tensor& bias) {
  SignalPlace place = here();
  place.shape = {weight.size(0)};
  place.channels = weight.size(0);
  place.places = 1;
  place.binary = false;
  const size_t input = signal_, output = add_signal(place);
  add(std::make_unique<LinearStep>(StepPlaces{input, output, record(layer, "output", output)}, places_[input], weight,
                                   bias),
      output);
}

void PlanBuilder::neuron(const std::string& layer, const PlanNeuron& neuron, bool spiking) {
  SignalPlace place = here();
  place.duration = Duration::kAll;
  place.binary = spiking;
  const at::Tensor decay = by_neuron(neuron.decay, place);
  const at::Tensor gain = neuron.decay_input ? 1 - decay : at::ones_like(decay);
  const at::Tensor threshold = neuron.threshold.defined()
                                   ? by_neuron(neuron.threshold, place)
                                   : at::full({place.size()}, std::numeric_limits<float>::infinity(), at::kFloat);
  const size_t input = signal_, output = add_signal(place);
  const size_t recorded = record(layer, spiking ? "spikes" : "output", output);
  NeuronPlaces places{};
  places.membrane_record = spiking ? record(layer, "membrane", output) : kNone;
  places.membrane_scratch = scratches_++;
  places.trace_scratch = scratches_++;
  places.state = neurons_++;
  places.spiking = spiking ? spiking_sizes_.size() : kNone;
  if (spiking) spiking_sizes_.push_back(place.size());
  neuron_signals_.push_back(output);
  add(std::make_unique<NeuronStep>(StepPlaces{input, output, recorded}, places, decay, gain, threshold, neuron.reset,
                                   neuron.reset_delay),
      output);
}

void PlanBuilder::spiking_neuron(const std::string& layer, const PlanNeuron& values) { neuron(layer, values, true); }

void PlanBuilder::leaky_neuron(const std::string& layer, const PlanNeuron& values) { neuron(layer, values, false); }

void PlanBuilder::pool(const std::string& layer, bool average, const std::vector<int64_t>& kernel,
                       const std::vector<int64_t>& stride, const std::vector<int64_t>& padding) {
  const EventWindow window = window_of(here(), kernel, stride, padding);
  SignalPlace place = mapped(here(), window, here().channels);
  place.binary = !average && here().binary;
  const size_t input = signal_, output = add_signal(place);
  add(std::make_unique<PoolStep>(StepPlaces{input, output, record(layer, "output", output)}, window, average), output);
}

void PlanBuilder::relu(const std::string& layer) {
  const size_t input = signal_, output = add_signal(here());
  add(std::make_unique<ReluStep>(StepPlaces{input, output, record(layer, "output", output)}), output);
}

void PlanBuilder::time_mean(const std::string& layer) {
  SignalPlace place = here();
  place.duration = Duration::kOne;
  place.binary = false;
  const size_t input = signal_, output = add_signal(place);
  add(std::make_unique<TimeMeanStep>(StepPlaces{input, output, record(layer, "output", output)}), output);
}

void PlanBuilder::flatten() {
  SignalPlace place = here();
  place.shape = {place.size()};
  const size_t root = place.root;
  signal_ = add_signal(place);
  places_[signal_].root = root;  // the same values
  foldable_ = nullptr;
}

void PlanBuilder::connect(const std::string& layer, size_t shortcut, Connect connect) {
  SignalPlace place = here();
  if (places_[shortcut].duration == Duration::kAll) place.duration = Duration::kAll;
  const bool binary = place.binary && places_[shortcut].binary;
  place.binary = binary && (connect == Connect::kAnd || connect == Connect::kIand);
  const size_t input = signal_, output = add_signal(place);
  add(std::make_unique<ConnectStep>(StepPlaces{input, output, record(layer, "output", output)}, shortcut, connect),
      output);
}

}  // namespace spikingrx
