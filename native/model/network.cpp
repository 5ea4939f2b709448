#include "model/network.h"

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/scalar_tensor.h>
#include <c10/util/StringUtil.h>

#include <algorithm>
#include <array>

#include "error.h"
#include "model/inference_plan.h"
#include "model/layer.h"
#include "model/named_tensors.h"
#include "model/plan_builder.h"

namespace spikingrx {

namespace {
constexpr int64_t kMostSteps = int64_t{1} << 53;  // a carried count stays a safe integer of JavaScript

// What the bytes of an image stand for: g / 255.
constexpr auto kShades = [] {
  std::array<float, 256> shades{};
  for (size_t grey = 0; grey < shades.size(); grey++) shades[grey] = static_cast<float>(grey) / 255.0f;
  return shades;
}();
}  // namespace

Network::Network(NetworkSpec spec, uint64_t seed, at::Device device, at::ScalarType dtype)
    : spec_(std::move(spec)),
      device_(device),
      dtype_(dtype),
      generator_(at::make_generator<at::CPUGeneratorImpl>(seed)) {
  SPIKINGRX_CHECK(!spec_.input.empty(), "ERR_SHAPE", "a network needs an input shape [C, H, W] or [D]");
  for (const int64_t length : spec_.input)
    SPIKINGRX_CHECK(length > 0, "ERR_SHAPE", "input sizes must be positive, got ", at::IntArrayRef(spec_.input));
  SPIKINGRX_CHECK(spec_.steps > 0, "ERR_RANGE", "steps must be positive, got ", spec_.steps);
  SPIKINGRX_CHECK(at::isFloatingType(dtype_), "ERR_TYPE", "a network's dtype must be floating point, got ", dtype_);
  Build build{spec_.input, spec_.steps, at::TensorOptions().dtype(dtype_), device_, generator_};
  for (size_t i = 0; i < spec_.layers.size(); i++) {
    shapes_.push_back(build.shape);
    layers_.push_back(make_layer(spec_.layers[i], "layers." + std::to_string(i), build));
  }
}

Network::~Network() = default;

// [B, ...] -> [B, 1, ...] and the spec's T; [B, T, ...] stays. Cast to the network's dtype, images scaled to [0, 1].
at::Tensor Network::prepare(const at::Tensor& input, int64_t& steps) const {
  const auto rank = static_cast<int64_t>(spec_.input.size());
  const bool sequence = input.dim() == rank + 2;
  SPIKINGRX_CHECK(sequence || input.dim() == rank + 1, "ERR_SHAPE", "the network expects an input [B, ",
                  c10::Join(", ", spec_.input), "] or [B, T, ", c10::Join(", ", spec_.input), "], got ", input.sizes());
  SPIKINGRX_CHECK(input.sizes().slice(input.dim() - rank) == at::IntArrayRef(spec_.input), "ERR_SHAPE",
                  "the network expects samples of shape ", at::IntArrayRef(spec_.input), ", got ",
                  input.sizes().slice(input.dim() - rank));
  SPIKINGRX_CHECK(!sequence || input.size(1) > 0, "ERR_SHAPE", "the network expects at least one time step, got ",
                  input.sizes());
  SPIKINGRX_CHECK(!input.is_complex(), "ERR_TYPE", "the network expects real numbers, got ", input.dtype());
  const bool image = input.scalar_type() == at::kByte;
  steps = sequence ? input.size(1) : spec_.steps;
  if (image && input.device().is_cpu() && device_.is_cpu() && dtype_ == at::kFloat && input.is_contiguous()) {
    // Of one image libtorch's operators would take as long as a small network.
    c10::DimVector shape(input.sizes());
    if (!sequence) shape.insert(shape.begin() + 1, 1);
    at::Tensor value = at::empty(shape, at::kFloat);
    std::transform(input.const_data_ptr<uint8_t>(), input.const_data_ptr<uint8_t>() + input.numel(),
                   value.mutable_data_ptr<float>(), [](uint8_t grey) { return kShades[grey]; });
    return value;
  }
  // An image goes to a GPU as bytes and is converted there: a quarter of the transfer.
  at::Tensor value = (image ? input.to(device_) : input).to(device_, dtype_);
  if (image) value = value.div(255);
  return sequence ? value : value.unsqueeze(1);
}

void Network::check_state(const NetworkState& state, int64_t batch) const {
  if (state.empty()) return;
  size_t expected = 1;
  for (const auto& layer : layers_) expected += layer->state_count();
  SPIKINGRX_CHECK(state.size() == expected, "ERR_SHAPE", "the network's state has ", expected, " tensors, got ",
                  state.size());
  SPIKINGRX_CHECK(state.back().dim() == 0 && state.back().scalar_type() == at::kLong, "ERR_TYPE",
                  "the last tensor of a network's state is the 0-d int64 count of time steps");
  const int64_t seen = state.back().item<int64_t>();
  SPIKINGRX_CHECK(seen >= 0 && seen <= kMostSteps, "ERR_RANGE", "the state's count of time steps must be from 0 to ",
                  kMostSteps, ", got ", seen);
  for (size_t i = 0; i + 1 < state.size(); i++)
    SPIKINGRX_CHECK(state[i].dim() > 0 && state[i].size(0) == batch, "ERR_SHAPE", "the state is of a batch of ",
                    state[i].dim() ? state[i].size(0) : 0, " samples, the input of ", batch);
}

const Network::Planned* Network::planned(const ForwardOptions& options) {
  if (options.engine == Engine::kDense || options.training || at::GradMode::is_enabled()) return nullptr;
  if (!device_.is_cpu() || dtype_ != at::kFloat) return nullptr;
  // A recording shows each layer as it is.
  Planned& planned = plans_[options.record ? 0 : 1];
  const auto version = [](const at::Tensor& tensor) {
    return tensor.unsafeGetTensorImpl()->version_counter().current_version();
  };
  bool current = planned.first > 0 || planned.plan;
  for (const auto& [tensor, made_at] : planned.weights) current = current && version(tensor) == made_at;
  if (!current) {
    planned = {};
    for (const auto& entry : tensors()) planned.weights.emplace_back(entry.tensor, version(entry.tensor));
    // What no plan expresses (an encoder that draws spikes) is computed by the layer, with all that comes before it.
    for (size_t i = 0; i < layers_.size();) {
      PlanBuilder builder(shapes_[i], !options.record);
      planned.first = i;
      while (i < layers_.size() && layers_[i]->plan(builder)) i++;
      if (i == layers_.size()) planned.plan = std::make_unique<InferencePlan>(std::move(builder));
      i++;
    }
    if (!planned.plan) planned.first = layers_.size();
  }
  return planned.plan ? &planned : nullptr;
}

ForwardResult Network::forward(const at::Tensor& input, const ForwardOptions& options, const NetworkState& state) {
  int64_t steps = 0;
  Signal signal;
  signal.value = prepare(input, steps);
  signal.steps = steps;
  check_state(state, input.size(0));
  Pass pass{options, state, generator_, 0, 0, {}};
  if (!state.empty()) pass.first_step = state.back().item<int64_t>();
  const Planned* planned = this->planned(options);
  const size_t layers = planned ? planned->first : layers_.size();
  signal = run_layers(layers_, layers, std::move(signal), pass);
  if (planned) signal.value = planned->plan->run(signal.value, steps, options.engine == Engine::kEvent, pass);
  if (layers > 0) pass.result.one_thread = false;
  if (signal.constant()) {  // no neuron on the way: the output is the same at every step
    auto shape = signal.value.sizes().vec();
    shape[1] = signal.steps;
    signal.value = signal.value.expand(shape);
  }
  if (options.carry_state)
    pass.result.state.push_back(at::scalar_tensor(pass.first_step + steps, at::TensorOptions().dtype(at::kLong)));
  pass.result.output = signal.value;
  return std::move(pass.result);
}

std::vector<NamedTensor> Network::tensors() const {
  std::vector<NamedTensor> list;
  for (const auto& layer : layers_)
    layer->visit([&](const std::string& name, at::Tensor& tensor, bool trainable) {
      list.push_back({name, tensor, trainable});
    });
  return list;
}

std::vector<at::Tensor> Network::parameters() const {
  std::vector<at::Tensor> list;
  for (const auto& entry : tensors())
    if (entry.trainable) list.push_back(entry.tensor);
  return list;
}

void Network::load(const std::vector<NamedTensor>& values) { copy_named(tensors(), values, "the network"); }

std::vector<std::string> Network::spiking_layers() const {
  std::vector<std::string> names;
  for (const auto& layer : layers_) layer->collect_spiking(names);
  return names;
}

void Network::constrain() {
  for (const auto& layer : layers_) layer->constrain();
}

std::unique_ptr<Network> Network::folded() const {
  SPIKINGRX_CHECK(!folded_, "ERR_ARGUMENT", "the network is folded already; fold the one it was made from");
  at::NoGradGuard no_grad;
  // Built again from the spec: the copy shares no memory with this network, which may go on training.
  auto network = std::make_unique<Network>(spec_, 0, device_, dtype_);
  network->load(tensors());
  std::vector<std::shared_ptr<Layer>> layers;
  std::vector<std::vector<int64_t>> shapes;
  layers.swap(network->layers_);
  for (size_t i = 0; i < layers.size(); i++) {
    if (i + 1 < layers.size())
      if (auto both = layers[i]->folded_with(*layers[i + 1])) {
        network->layers_.push_back(both);
        shapes.push_back(shapes_[i]);
        i++;
        continue;
      }
    auto alone = layers[i]->folded();
    network->layers_.push_back(alone ? alone : layers[i]);
    shapes.push_back(shapes_[i]);
  }
  network->shapes_ = std::move(shapes);
  network->folded_ = true;
  network->set_random_state(random_state());
  return network;
}

at::Tensor Network::random_state() const { return generator_.get_state(); }

void Network::set_random_state(const at::Tensor& state) {
  SPIKINGRX_CHECK(state.scalar_type() == at::kByte && state.sizes() == generator_.get_state().sizes(), "ERR_SHAPE",
                  "a network's random state is ", generator_.get_state().numel(), " bytes, got ", state.dtype(), " ",
                  state.sizes());
  generator_.set_state(state);
}

}  // namespace spikingrx
