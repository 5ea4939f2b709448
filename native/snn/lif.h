// Leaky integrate-and-fire neuron over T steps, one fused autograd operator.
//
//   U[t] = decay U[t-1] + gain I[t]          integrate   (gain = 1 - decay, or 1)
//   S[t] = H(U[t] - threshold)               fire
//   U[t] = U[t] - threshold S[t]             reset: subtract; zero: U (1 - S); none
//
// With reset_delay the reset of step t acts at step t + 1 on the full threshold, as snnTorch does:
//
//   U[t] = decay U[t-1] + gain I[t] - threshold S[t-1]      subtract
//   U[t] = decay U[t-1] (1 - S[t-1]) + gain I[t]            zero
//
// Backward replaces H' by a surrogate g(U - threshold), see surrogate.h. The scan is bound by memory; lif_cpu.cpp
// counts the bytes.
#pragma once
#include <ATen/core/Tensor.h>

#include <string>

#include "api.h"
#include "snn/kernels/lif_step.h"
#include "snn/surrogate.h"

namespace spikingrx {

// Throws c10::ValueError for a name other than subtract, zero, none.
SPIKINGRX_API Reset parse_reset(const std::string& reset);

// Where backward gets the membranes from: recomputed from the current, or saved by forward, which takes memory of the
// size of the input (three times its size in the types of half the size). The same bits. kAuto recomputes: it moves
// 20.5 bytes an element against 24 and was as fast or faster at every size (docs/performance.md). Saving is for
// processors whose memory is fast and whose cores are slow; on a GPU it recomputes as well.
enum class LifMembranes { kAuto, kRecompute, kSave };
// Throws c10::ValueError for a name other than auto, recompute, save.
SPIKINGRX_API LifMembranes parse_membranes(const std::string& membranes);

struct LifOptions {
  bool decay_input = true;  // gain = 1 - decay
  Reset reset = Reset::kSubtract;
  bool reset_delay = false;   // apply the reset of step t at step t + 1
  bool detach_reset = false;  // keep the reset out of the gradient
  Surrogate surrogate = {};
  bool trace = false;  // return the membrane before reset at each step
  LifMembranes membranes = LifMembranes::kAuto;
};

struct LifOutput {
  at::Tensor spikes;    // [B, T, ...] 0 or 1, dtype of the input
  at::Tensor membrane;  // [B, ...] state after the last step; float32 for half-precision input, else the input's dtype
  at::Tensor trace;     // [B, T, ...] membrane before reset, or empty
};

// current [B, T, ...] floating point, or [B, 1, ...] with steps > 0: the same current at each of `steps` steps.
// decay (in [0, 1]) and threshold (> 0): 0-d, or [C] with C = current.size(2); either may require a gradient.
// membrane [B, ...] or undefined for zeros. All outputs are differentiable; there is no second derivative.
SPIKINGRX_API LifOutput lif(const at::Tensor& current, const at::Tensor& decay, const at::Tensor& threshold,
                            const at::Tensor& membrane, int64_t steps, const LifOptions& options);

struct LeakyOutput {
  at::Tensor trace;     // [B, T, ...] membrane at each step
  at::Tensor membrane;  // [B, ...] after the last step
};

// The same neuron without spikes: U[t] = decay U[t-1] + gain I[t].
SPIKINGRX_API LeakyOutput leaky_integrate(const at::Tensor& current, const at::Tensor& decay,
                                          const at::Tensor& membrane, int64_t steps, bool decay_input);

}  // namespace spikingrx
