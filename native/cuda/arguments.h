// What the kernels get: raw pointers and sizes. No torch header, and no CUDA header either, so that the same structs
// serve registration (g++), the kernels (nvcc) and the test that runs them on the CPU.
#pragma once
#include <cstdint>

namespace spikingrx::cuda {

enum class Element : int32_t { kFloat, kDouble, kHalf, kBFloat16 };

// decay or threshold in the computing type: on the device, one value or one a channel; or by value.
struct NeuronParameter {
  const void* data;  // null: `value`
  bool per_channel;
  double value;
};

// current [B, current_steps, N]; spikes, trace [B, T, N]; initial, membrane [B, N]; states [(T - 1) / kLifChunk, B, N].
struct LifForwardArguments {
  Element element;
  int64_t batch, current_steps, steps, neurons, area;  // area: neurons of a channel
  NeuronParameter decay, threshold;
  bool decay_input;
  int64_t reset;
  bool reset_delay;
  const void *current, *initial;             // initial may be null: zeros
  void *spikes, *membrane, *trace, *states;  // all but membrane may be null
};

// grad_decay, grad_threshold [B, N]: sums over the steps; null where nothing is learnt.
struct LifBackwardArguments {
  Element element;
  int64_t batch, current_steps, steps, neurons, area;
  NeuronParameter decay, threshold;
  bool decay_input;
  int64_t reset;
  bool reset_delay, detach_reset;
  int64_t surrogate;
  double surrogate_parameter;
  const void *grad_spikes, *grad_membrane, *grad_trace;  // each may be null: zeros
  const void *current, *initial, *states;                // states: as forward left them; null where T <= kLifChunk
  void *grad_current, *grad_initial, *grad_decay, *grad_threshold;
};

// result = gradient g(x), `count` elements.
struct SurrogateArguments {
  Element element;
  int64_t count, kind;
  double parameter;
  const void *gradient, *x;
  void* result;
};

// running [C], or [T repeats, C] where by_step; batch statistics [T, C].
struct NormUpdateArguments {
  Element element;
  int64_t steps, channels, repeats;
  bool by_step;
  double momentum;
  void *running_mean, *running_variance;
  const void *mean, *variance;
};

}  // namespace spikingrx::cuda
