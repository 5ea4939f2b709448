// ConvBlock and SpikeNorm as layers, and their fold for inference.
#pragma once
#include "model/layer.h"
#include "snn/spike_norm.h"

namespace spikingrx {

class SpikeNormLayer final : public Layer {
 public:
  // options: epsilon, momentum, statistics ("shared" | "perStep"), steps.
  SpikeNormLayer(const Spec& spec, std::string name, Build& build);
  Signal forward(const Signal& input, Pass& pass) override;
  // Training with LIF as the next layer: one operator.
  std::optional<Signal> forward_with(Layer& next, const Signal& input, Pass& pass) override;
  bool plan(PlanBuilder& plan) const override;
  void visit(const ParameterSink& sink) override;

  bool shared() const { return running_mean_.dim() == 1; }
  // y = scale x + shift in evaluation, each [C], or [T, C] for statistics by step.
  at::Tensor scale() const;
  at::Tensor shift() const;

 private:
  // The statistics of `steps` steps after `first`: [C], or [steps, C] sharing memory when training.
  at::Tensor rows(const at::Tensor& running, int64_t first, int64_t steps, bool training) const;
  // Those for the next `steps` steps of the pass.
  NormTensors tensors(const Pass& pass, int64_t steps) const;

  double momentum_, epsilon_;
  at::Tensor gamma_, beta_, running_mean_, running_variance_;
};

class ConvLayer final : public Layer {
 public:
  // options: channels, kernel, stride, padding, bias, initial ("kaiming": normal weights (fan_out, gain sqrt 2), zero
  // bias | "uniform": weights and bias in +-1/sqrt(fan_in), as torch, for a head whose values are logits).
  ConvLayer(const Spec& spec, std::string name, Build& build);
  ConvLayer(std::string name, at::Tensor weight, at::Tensor bias, std::vector<int64_t> stride,
            std::vector<int64_t> padding);
  Signal forward(const Signal& input, Pass& pass) override;
  bool plan(PlanBuilder& plan) const override;
  void visit(const ParameterSink& sink) override;
  // W' = scale W, b' = scale b + shift.
  std::shared_ptr<Layer> folded_with(const Layer& next) const override;

 private:
  at::Tensor weight_, bias_;
  std::vector<int64_t> stride_, padding_;
};

}  // namespace spikingrx
