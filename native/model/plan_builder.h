// How layers tell what they compute, in the order in which a signal passes them; makes the steps of an inference plan.
#pragma once
#include <ATen/core/Tensor.h>

#include <memory>
#include <string>
#include <vector>

#include "model/inference_plan.h"
#include "snn/kernels/lif_step.h"
#include "snn/sew.h"

namespace spikingrx {

class ConvolutionStep;

struct PlanNeuron {
  at::Tensor decay, threshold;  // 0-d, or one a channel; threshold undefined: never fires
  bool decay_input;
  Reset reset;
  bool reset_delay;
};

class PlanBuilder {
 public:
  // fold: SpikeNorm becomes part of the convolution before it; what that convolution gave can't be recorded then.
  PlanBuilder(std::vector<int64_t> shape, bool fold);
  ~PlanBuilder();

  // The signal that the next step takes.
  size_t signal() const { return signal_; }
  void go_back(size_t signal) {
    signal_ = signal;
    foldable_ = nullptr;
  }

  void convolution(const std::string& layer, const at::Tensor& weight, const at::Tensor& bias,
                   const std::vector<int64_t>& stride, const std::vector<int64_t>& padding);
  // y = scale x + shift by channel; [C], or [T, C] of which the last row stands for all later steps. An empty name
  // records nothing.
  void affine(const std::string& layer, const at::Tensor& scale, const at::Tensor& shift);
  void linear(const std::string& layer, const at::Tensor& weight, const at::Tensor& bias);
  void spiking_neuron(const std::string& layer, const PlanNeuron& neuron);
  void leaky_neuron(const std::string& layer, const PlanNeuron& neuron);
  void pool(const std::string& layer, bool average, const std::vector<int64_t>& kernel,
            const std::vector<int64_t>& stride, const std::vector<int64_t>& padding);
  void relu(const std::string& layer);
  void time_mean(const std::string& layer);
  void flatten();
  // The current signal is the main path.
  void connect(const std::string& layer, size_t shortcut, Connect connect);

 private:
  friend class InferencePlan;
  const SignalPlace& here() const { return places_[signal_]; }
  size_t add_signal(SignalPlace place);
  size_t record(const std::string& layer, const char* quantity, size_t signal);
  void neuron(const std::string& layer, const PlanNeuron& neuron, bool spiking);
  template <class Step>
  void add(std::unique_ptr<Step> step, size_t output);

  bool fold_;
  size_t signal_ = 0, neurons_ = 0, scratches_ = 0;
  std::vector<SignalPlace> places_;
  std::vector<std::unique_ptr<InferenceStep>> steps_;
  std::vector<RecordPlace> records_;
  std::vector<size_t> neuron_signals_;
  std::vector<int64_t> spiking_sizes_;
  ConvolutionStep* foldable_ = nullptr;  // the step before, while nothing else has come
};

}  // namespace spikingrx
