// What every layer of a network is: a function of a signal, with parameters, buffers and perhaps a state.
#pragma once
#include <ATen/core/Generator.h>
#include <ATen/core/Tensor.h>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "model/network.h"

namespace spikingrx {

// A sequence [B, T, ...]; or [B, 1, ...] that stands for T equal steps, so that layers before the first neuron run
// once.
struct Signal {
  at::Tensor value;
  int64_t steps;
  bool constant() const { return value.size(1) == 1 && steps > 1; }
};

// One forward pass: options, the state read and written in the order of the layers, and what is recorded.
struct Pass {
  const ForwardOptions& options;
  const NetworkState& entry;  // empty: from rest
  at::Generator& generator;
  int64_t first_step = 0;  // time steps seen before this call
  size_t next_state = 0;
  ForwardResult result;

  // Membrane to begin with; undefined: zeros.
  at::Tensor take_state() { return entry.empty() ? at::Tensor() : entry.at(next_state++); }
  void give_state(const at::Tensor& state) {
    if (options.carry_state) result.state.push_back(state);
  }
  void record(const std::string& layer, const char* quantity, const at::Tensor& value) {
    if (options.record) result.records.push_back({layer, quantity, value.detach()});
  }
};

class PlanBuilder;

using ParameterSink = std::function<void(const std::string& name, at::Tensor& tensor, bool trainable)>;

class Layer {
 public:
  explicit Layer(std::string name) : name_(std::move(name)) {}
  virtual ~Layer() = default;

  virtual Signal forward(const Signal& input, Pass& pass) = 0;
  // What `next` gives of the signal after this layer, where one operator does both; nothing where none does.
  virtual std::optional<Signal> forward_with(Layer&, const Signal&, Pass&) { return std::nullopt; }
  // Each parameter and buffer by its full name.
  virtual void visit(const ParameterSink&) {}
  // Names of spiking layers inside, this one included, in the order in which they run.
  virtual void collect_spiking(std::vector<std::string>&) const {}
  virtual int64_t state_count() const { return 0; }
  // Brings learnt values back into their range after an optimiser step.
  virtual void constrain() {}
  // A layer for inference that does the work of this one and of `next`, or null.
  virtual std::shared_ptr<Layer> folded_with(const Layer& next) const { return nullptr; }
  // A layer for inference that does the work of this one, or null where nothing inside can be folded.
  virtual std::shared_ptr<Layer> folded() const { return nullptr; }

  // Adds what the layer computes in evaluation to a plan (plan_builder.h). False, with the plan untouched, where plans
  // can't express it.
  virtual bool plan(PlanBuilder&) const { return false; }

  const std::string& name() const { return name_; }

 protected:
  std::string name_;
};

// The signal after the first `count` layers, one after the other.
Signal run_layers(const std::vector<std::shared_ptr<Layer>>& layers, size_t count, Signal signal, Pass& pass);

// What a layer is built from.
struct Build {
  std::vector<int64_t> shape;  // [C, H, W] or [D]; in: the input's; out: the output's
  int64_t steps;
  at::TensorOptions options;  // the network's dtype, on the CPU: weights are drawn there, so that a seed means the same
  at::Device device;          // network on every device
  at::Generator& generator;

  at::Tensor buffer(const at::Tensor& value) const { return value.to(device); }
  at::Tensor parameter(const at::Tensor& value) const { return value.to(device).detach().requires_grad_(true); }
};

// Throws c10::ValueError for an unknown kind, an option out of range, or a shape that does not fit.
std::shared_ptr<Layer> make_layer(const Spec& spec, const std::string& name, Build& build);

}  // namespace spikingrx
