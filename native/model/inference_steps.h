// The steps of an inference plan (inference_plan.h). Each reads one or two signals and writes one.
#pragma once
#include <ATen/core/Tensor.h>

#include <limits>
#include <vector>

#include "model/inference_plan.h"
#include "snn/kernels/lif_step.h"
#include "snn/sew.h"

namespace spikingrx {

inline constexpr size_t kNone = std::numeric_limits<size_t>::max();

struct StepPlaces {
  size_t input, output;
  size_t record = kNone;  // of the output
};

// Weights laid out for events, and whether dense products may be replaced at all: a weight that is not finite spoils
// what it is multiplied with even where the input is zero, so that those layers are always computed densely.
struct EventTable {
  at::Tensor weight, bias;
  EventWeights weights = {};
  bool finite = true;

  // rows [inputs, outputs]; bias [outputs] or undefined.
  void fill(const at::Tensor& rows, const at::Tensor& bias);
};

class LinearStep final : public InferenceStep {
 public:
  // weight [outputs, inputs], its inputs in the order of the layers; `input` tells how they lie.
  LinearStep(StepPlaces places, const SignalPlace& input, const at::Tensor& weight, const at::Tensor& bias);
  void run(Chunk& chunk) const override;

 private:
  StepPlaces places_;
  at::Tensor weight_, bias_;  // [outputs, inputs] with inputs as they lie; [outputs] or undefined
  EventTable table_;
};

class ConvolutionStep final : public InferenceStep {
 public:
  ConvolutionStep(StepPlaces places, const SignalPlace& input, const SignalPlace& output, const at::Tensor& weight,
                  const at::Tensor& bias, const std::vector<int64_t>& stride, const std::vector<int64_t>& padding);
  // W := scale W, b := scale b + shift; from now on the output is recorded as `record`.
  void fold(const at::Tensor& scale, const at::Tensor& shift, size_t record);
  void run(Chunk& chunk) const override;

 private:
  void lay_out();
  bool events_are_cheaper(const Chunk& chunk, const EventLists& events, int64_t images) const;
  void run_dense(Chunk& chunk, int64_t images) const;

  StepPlaces places_;
  EventWindow window_;
  at::Tensor weight_, bias_;  // [O, C, kh, kw] channels last; [O] or undefined
  EventTable table_;
};

struct NeuronPlaces {
  size_t membrane_record;  // kNone: none
  size_t membrane_scratch, trace_scratch;
  size_t state;    // among the neuron layers
  size_t spiking;  // among the spiking layers; kNone: the membrane is the output
};

class NeuronStep final : public InferenceStep {
 public:
  // decay, threshold: one value a neuron, as they lie.
  NeuronStep(StepPlaces places, NeuronPlaces neuron, at::Tensor decay, at::Tensor gain, at::Tensor threshold,
             Reset reset, bool reset_delay);
  void run(Chunk& chunk) const override;
  bool has_state() const override { return true; }

 private:
  StepPlaces places_;
  NeuronPlaces neuron_;
  at::Tensor decay_, gain_, threshold_;
  Reset reset_;
  bool reset_delay_;
};

class AffineStep final : public InferenceStep {
 public:
  // [rows, C]
  AffineStep(StepPlaces places, at::Tensor scale, at::Tensor shift);
  void run(Chunk& chunk) const override;

 private:
  StepPlaces places_;
  at::Tensor scale_, shift_;
};

class ReluStep final : public InferenceStep {
 public:
  explicit ReluStep(StepPlaces places) : places_(places) {}
  void run(Chunk& chunk) const override;

 private:
  StepPlaces places_;
};

class TimeMeanStep final : public InferenceStep {
 public:
  explicit TimeMeanStep(StepPlaces places) : places_(places) {}
  void run(Chunk& chunk) const override;

 private:
  StepPlaces places_;
};

class PoolStep final : public InferenceStep {
 public:
  PoolStep(StepPlaces places, EventWindow window, bool average) : places_(places), window_(window), average_(average) {}
  void run(Chunk& chunk) const override;

 private:
  StepPlaces places_;
  EventWindow window_;
  bool average_;
};

class ConnectStep final : public InferenceStep {
 public:
  ConnectStep(StepPlaces places, size_t shortcut, Connect connect)
      : places_(places), shortcut_(shortcut), connect_(connect) {}
  void run(Chunk& chunk) const override;

 private:
  StepPlaces places_;
  size_t shortcut_;
  Connect connect_;
};

}  // namespace spikingrx
