// A network built from a spec: layers in order, their parameters, and a forward pass whose state can be carried on.
//
//   input [B, ...sample]     presented unchanged at each of the T steps (layers before the first neuron run once)
//   input [B, T, ...sample]  a sequence; T may differ from the spec
//   output [B, T, K]         what the last layer gives at each step
//
// Inputs of dtype uint8 are images: they are scaled to [0, 1] by 1/255. Everything else is cast to the network's dtype.
#pragma once
#include <ATen/core/Generator.h>
#include <ATen/core/Tensor.h>

#include <memory>
#include <string>
#include <vector>

#include "api.h"
#include "model/spec.h"

namespace spikingrx {

struct NamedTensor {
  std::string name;   // "layers.3.stages.0.conv.weight"
  at::Tensor tensor;  // shares storage with the network
  bool trainable;     // parameter (true) or buffer (false)
};

// Membrane of every neuron layer in order, then a 0-d int64 tensor: time steps seen. Empty: from rest.
using NetworkState = std::vector<at::Tensor>;

struct Record {
  std::string layer;     // "layers.2"
  std::string quantity;  // "spikes" | "membrane" (before reset) | "output"
  at::Tensor value;      // [B, T, ...]; [B, 1, ...] before the first neuron where every step is the same
};

// How products are computed where no gradient is asked for, on the CPU in float32; elsewhere all are dense.
enum class Engine {
  kDense,  // by libtorch, layer by layer
  kAuto,   // by an inference plan, each product by events or densely as is cheaper (inference_plan.h)
  kEvent,  // by an inference plan, all by events; densely only with weights that are not finite
};

struct ForwardOptions {
  bool training = false;       // batch statistics, dropout
  bool carry_state = false;    // fill ForwardResult::state
  bool record = false;         // fill ForwardResult::records
  bool measure_rates = false;  // fill ForwardResult::rates
  Engine engine = Engine::kDense;
};

struct ForwardResult {
  at::Tensor output;
  NetworkState state;
  std::vector<Record> records;
  // Mean value of each spiking layer's output, 0-d, in the order of Network::spiking_layers(); part of the graph when
  // gradients are on, so that a regulariser can use them.
  std::vector<at::Tensor> rates;
  bool one_thread = false;  // certainly computed without libtorch's team of threads
};

class InferencePlan;
class Layer;
struct Pass;

class SPIKINGRX_API Network {
 public:
  Network(NetworkSpec spec, uint64_t seed, at::Device device, at::ScalarType dtype);
  ~Network();
  Network(const Network&) = delete;
  Network& operator=(const Network&) = delete;

  ForwardResult forward(const at::Tensor& input, const ForwardOptions& options, const NetworkState& state = {});

  // Parameters and buffers in the order of the spec.
  std::vector<NamedTensor> tensors() const;
  std::vector<at::Tensor> parameters() const;
  // Copies values in. Checks every name, shape and dtype before the first copy, so that a failure changes nothing.
  void load(const std::vector<NamedTensor>& values);

  // Names of the layers whose output is spikes ("layers.2", or "layers.3.stages.0.lif" inside a SEW
  // block).
  std::vector<std::string> spiking_layers() const;

  // A copy for inference, sharing nothing, with each SpikeNorm folded into the convolution before it. What is folded
  // can't be folded again.
  std::unique_ptr<Network> folded() const;

  // Random state of dropout and Poisson encoding, as a byte tensor.
  at::Tensor random_state() const;
  void set_random_state(const at::Tensor& state);

  // Brings learnt decays and thresholds back into their range; the trainer calls it after each optimiser step.
  void constrain();

  const NetworkSpec& spec() const { return spec_; }
  at::Device device() const { return device_; }
  at::ScalarType dtype() const { return dtype_; }

 private:
  // A plan of the layers from `first` on, and the weights that it was made from with their versions.
  struct Planned {
    size_t first = 0;
    std::unique_ptr<InferencePlan> plan;  // null: the network can't be planned
    std::vector<std::pair<at::Tensor, uint32_t>> weights;
  };

  // Whether a plan computes this pass. Made anew when a weight has changed since the last.
  const Planned* planned(const ForwardOptions& options);
  at::Tensor prepare(const at::Tensor& input, int64_t& steps) const;
  void check_state(const NetworkState& state, int64_t batch) const;

  NetworkSpec spec_;
  at::Device device_;
  at::ScalarType dtype_;
  at::Generator generator_;
  std::vector<std::shared_ptr<Layer>> layers_;
  std::vector<std::vector<int64_t>> shapes_;  // that each layer takes
  bool folded_ = false;
  Planned plans_[2];  // without and with SpikeNorm folded
};

}  // namespace spikingrx
