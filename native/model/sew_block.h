// SEWBlock (Fang et al. 2021): Conv -> SpikeNorm -> LIF, once or twice, joined with a shortcut by a connect function.
//
//   main     O = stages(x), the state of each LIF carried over all T steps
//   shortcut I = x, or Conv1x1 -> SpikeNorm -> LIF where channels or stride differ
//   output   g(O, I): add O + I, and O I, iand I (1 - O), mean (O + I) / 2
//
// With activation "relu" ReLU stands for each LIF: the dense residual block of the same topology and weights.
#pragma once
#include "model/convolution_layers.h"
#include "model/layer.h"
#include "model/neuron_layers.h"
#include "snn/sew.h"

namespace spikingrx {

class SewBlockLayer final : public Layer {
 public:
  // options: channels, stride, stages (1 or 2), connect, activation ("lif" | "relu"), and those of LIF and SpikeNorm.
  SewBlockLayer(const Spec& spec, std::string name, Build& build);
  Signal forward(const Signal& input, Pass& pass) override;
  bool plan(PlanBuilder& plan) const override;
  void visit(const ParameterSink& sink) override;
  void collect_spiking(std::vector<std::string>& names) const override;
  int64_t state_count() const override;
  void constrain() override;
  std::shared_ptr<Layer> folded() const override;

 private:
  struct Stage {
    std::shared_ptr<Layer> convolution;
    std::shared_ptr<Layer> norm;  // null once it is folded into the convolution
    std::shared_ptr<Layer> activation;
  };
  static Stage make_stage(const Spec& spec, const std::string& name, std::vector<double> kernel,
                          std::vector<double> stride, std::vector<double> padding, Build& build);
  static Stage folded_stage(const Stage& stage);
  static Signal run(const Stage& stage, const Signal& input, Pass& pass);
  static void plan_stage(const Stage& stage, PlanBuilder& plan);
  SewBlockLayer(const SewBlockLayer&) = default;

  template <class Body>
  void each_layer(Body&& body) const {
    for (const auto& stage : stages_)
      for (const auto& layer : {stage.convolution, stage.norm, stage.activation})
        if (layer) body(*layer);
    if (shortcut_.convolution)
      for (const auto& layer : {shortcut_.convolution, shortcut_.norm, shortcut_.activation})
        if (layer) body(*layer);
  }

  Connect connect_;
  std::vector<Stage> stages_;
  Stage shortcut_;  // empty: identity
};

}  // namespace spikingrx
