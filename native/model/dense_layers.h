// Layers without state of their own: linear, pooling, flatten, mean over time, dropout, ReLU, input normalisation.
#pragma once
#include "model/layer.h"

namespace spikingrx {

// y = W x + b over the last dimension. options: features, bias. Uniform weights and bias in +-1/sqrt(fan_in), as torch.
class LinearLayer final : public Layer {
 public:
  LinearLayer(const Spec& spec, std::string name, Build& build);
  Signal forward(const Signal& input, Pass& pass) override;
  bool plan(PlanBuilder& plan) const override;
  void visit(const ParameterSink& sink) override;

 private:
  at::Tensor weight_, bias_;
};

// options: kernel, stride, padding. The average counts the padding, as torch does.
class PoolLayer final : public Layer {
 public:
  PoolLayer(const Spec& spec, std::string name, Build& build);
  Signal forward(const Signal& input, Pass& pass) override;
  bool plan(PlanBuilder& plan) const override;

 private:
  bool average_;
  std::vector<int64_t> kernel_, stride_, padding_;
};

class FlattenLayer final : public Layer {
 public:
  FlattenLayer(std::string name, Build& build);
  Signal forward(const Signal& input, Pass& pass) override;
  bool plan(PlanBuilder& plan) const override;
};

class ReluLayer final : public Layer {
 public:
  using Layer::Layer;
  Signal forward(const Signal& input, Pass& pass) override;
  bool plan(PlanBuilder& plan) const override;
};

// The mean over the time steps, [B, 1, ...]: layers after it run once, and see the same value at each of the T steps.
class TimeMeanLayer final : public Layer {
 public:
  using Layer::Layer;
  Signal forward(const Signal& input, Pass& pass) override;
  bool plan(PlanBuilder& plan) const override;
};

// y = x mask / (1 - p), the mask drawn once a sample and kept over all time steps. options: probability.
class DropoutLayer final : public Layer {
 public:
  DropoutLayer(const Spec& spec, std::string name);
  Signal forward(const Signal& input, Pass& pass) override;
  bool plan(PlanBuilder&) const override { return true; }

 private:
  double probability_;
};

// (x - mean) / std by channel. options: mean, std.
class NormalizeLayer final : public Layer {
 public:
  NormalizeLayer(const Spec& spec, std::string name, Build& build);
  Signal forward(const Signal& input, Pass& pass) override;
  bool plan(PlanBuilder& plan) const override;

 private:
  at::Tensor mean_, deviation_;
};

}  // namespace spikingrx
