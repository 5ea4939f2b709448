// One training step: forward, loss, backward, clip, optimiser, schedule; and one evaluation step.
#pragma once
#include <memory>
#include <string>
#include <vector>

#include "api.h"
#include "model/network.h"
#include "model/optimizer.h"
#include "model/spec.h"

namespace spikingrx {

struct TrainerSpec {
  Spec loss;
  Spec optimizer;
  Spec schedule;
  Spec rate_regularizer;    // kind "none": no term
  double clip_norm = 0;     // largest L2 norm of all gradients together; 0: no clipping
  int64_t total_steps = 0;  // length of the schedule
  bool measure_rates = true;
};

struct StepReport {
  double loss = 0;      // mean over the batch, regulariser included
  int64_t correct = 0;  // samples whose largest output is the target class; 0 for other targets
  int64_t samples = 0;
  double gradient_norm = 0;  // before clipping
  double learning_rate = 0;
  std::vector<double> firing_rates;  // order of Network::spiking_layers()
};

struct EvaluationReport {
  double loss = 0;
  int64_t correct = 0;
  int64_t samples = 0;
  at::Tensor predictions;  // int64 [B], argmax of the decision values; empty for regression targets
  std::vector<double> firing_rates;
};

class SPIKINGRX_API Trainer {
 public:
  Trainer(std::shared_ptr<Network> network, TrainerSpec spec);

  // inputs [B, ...] or [B, T, ...]; targets int64/int32/uint8 [B] classes, or floating point [B, K].
  // A step that fails leaves weights and statistics as they were; one whose loss or gradient is not finite throws
  // c10::ValueError.
  StepReport step(const at::Tensor& inputs, const at::Tensor& targets);

  int64_t steps_done() const { return steps_done_; }
  // Everything that resumes the run exactly: optimiser moments, step count, the network's random state.
  std::vector<NamedTensor> state() const;
  // Checks everything before the first copy, so that a failure changes nothing.
  void load(const std::vector<NamedTensor>& values);

 private:
  std::shared_ptr<Network> network_;
  TrainerSpec spec_;
  std::unique_ptr<Optimizer> optimizer_;
  int64_t steps_done_ = 0;
};

SPIKINGRX_API EvaluationReport evaluate(Network& network, const at::Tensor& inputs, const at::Tensor& targets,
                                        const Spec& loss, bool measure_rates);

}  // namespace spikingrx
