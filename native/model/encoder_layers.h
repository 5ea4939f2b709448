// Encoders: an analog sample in [0, 1] becomes a spike sequence of T steps.
#pragma once
#include "model/layer.h"

namespace spikingrx {

// The sample itself at every step (constant current); what a network without an encoder does.
class DirectEncoderLayer final : public Layer {
 public:
  using Layer::Layer;
  Signal forward(const Signal& input, Pass& pass) override { return input; }
  bool plan(PlanBuilder&) const override { return true; }
};

// Poisson rate code: S[t] ~ Bernoulli(x), independent from step to step; x is clipped to [0, 1].
class RateEncoderLayer final : public Layer {
 public:
  using Layer::Layer;
  Signal forward(const Signal& input, Pass& pass) override;
};

// Latency code: one spike at step round((1 - x)(T - 1)), the brighter the earlier; none where x is below the threshold.
// options: threshold.
class LatencyEncoderLayer final : public Layer {
 public:
  LatencyEncoderLayer(const Spec& spec, std::string name, const Build& build);
  Signal forward(const Signal& input, Pass& pass) override;

 private:
  double threshold_;
  int64_t steps_;
};

}  // namespace spikingrx
