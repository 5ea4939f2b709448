// Layers with a membrane: LIF and the leaky readout.
#pragma once
#include "model/layer.h"
#include "snn/lif.h"
#include "snn/spike_norm.h"

namespace spikingrx {

class LifLayer final : public Layer {
 public:
  // options: decay, threshold, decayInput, reset, resetDelay, detachReset, surrogate, surrogateParameter,
  // learnable (of "decay", "threshold"), perChannel.
  LifLayer(const Spec& spec, std::string name, Build& build);
  Signal forward(const Signal& input, Pass& pass) override;
  // Forward of what SpikeNorm makes of the input; records nothing.
  Signal forward_normalised(const Signal& input, const NormTensors& norm, const SpikeNormOptions& norm_options,
                            Pass& pass);
  bool plan(PlanBuilder& plan) const override;
  void visit(const ParameterSink& sink) override;
  void collect_spiking(std::vector<std::string>& names) const override { names.push_back(name_); }
  int64_t state_count() const override { return 1; }
  void constrain() override;

 private:
  Signal finish(const LifOutput& output, int64_t steps, Pass& pass);

  LifOptions options_;
  bool learn_decay_, learn_threshold_;
  at::Tensor decay_, threshold_;
};

// U[t] = decay U[t-1] + gain I[t]; the output is the membrane.
class LeakyReadoutLayer final : public Layer {
 public:
  // options: decay, decayInput, learnable (of "decay").
  LeakyReadoutLayer(const Spec& spec, std::string name, Build& build);
  Signal forward(const Signal& input, Pass& pass) override;
  bool plan(PlanBuilder& plan) const override;
  void visit(const ParameterSink& sink) override;
  int64_t state_count() const override { return 1; }
  void constrain() override;

 private:
  bool decay_input_, learn_decay_;
  at::Tensor decay_;
};

}  // namespace spikingrx
