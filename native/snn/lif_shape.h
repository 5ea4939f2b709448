// The tensors around LIF's kernels: sizes, start membrane, upstream gradients, and gradients of parameters summed to
// their shape. Same on the CPU (lif_cpu.cpp) and on a device (lif_device.cpp). Checked here too: the kernels are
// operators that anyone may call.
#pragma once
#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/sum.h>
#include <ATen/ops/zeros.h>

#include <optional>
#include <vector>

#include "error.h"
#include "snn/kernels/lif_chunk.h"

namespace spikingrx {

struct LifSizes {
  int64_t batch, current_steps, steps, neurons;
};

// What forward keeps for backward besides its input.
enum class LifKeep : int64_t {
  kNothing,
  kStates,     // [chunks, B, N]: the membrane that entered each chunk of steps (kernels/lif_chunk.h) but the first
  kMembranes,  // [B, T, N]: every membrane before reset; the CPU's kernels only, others keep the states
};

inline constexpr int64_t kMostSteps = int64_t{1} << 40;  // sizes made of steps do not overflow

inline LifSizes sizes_of(const at::Tensor& current, int64_t steps) {
  SPIKINGRX_CHECK(current.dim() >= 2 && steps >= 0 && steps < kMostSteps &&
                      (steps == 0 || current.size(1) == 1 || current.size(1) == steps),
                  "ERR_SHAPE", "lif with steps ", steps, " does not take a current ", current.sizes());
  int64_t neurons = 1;
  for (int64_t d = 2; d < current.dim(); d++) neurons *= current.size(d);
  return {current.size(0), current.size(1), steps > 0 ? steps : current.size(1), neurons};
}

inline std::vector<int64_t> kept_shape(const LifSizes& s, LifKeep keep) {
  if (keep == LifKeep::kMembranes) return {s.batch, s.steps, s.neurons};
  return {keep == LifKeep::kStates ? saved_states(s.steps) : 0, s.batch, s.neurons};
}

// There are fewer chunks than steps: with elements inside, the number of them tells.
inline bool holds_membranes(const at::Tensor& kept, const LifSizes& s) {
  return kept.numel() > 0 && kept.sizes() == kept_shape(s, LifKeep::kMembranes) &&
         kept.numel() == s.batch * s.steps * s.neurons;
}

inline std::vector<int64_t> with_steps(const at::Tensor& current, int64_t steps) {
  auto shape = current.sizes().vec();
  shape[1] = steps;
  return shape;
}

inline std::vector<int64_t> without_steps(const at::Tensor& current) {
  auto shape = current.sizes().vec();
  shape.erase(shape.begin() + 1);
  return shape;
}

inline at::Tensor start_membrane(const std::optional<at::Tensor>& membrane, const at::Tensor& current,
                                 at::ScalarType real) {
  const auto shape = without_steps(current);
  if (membrane && membrane->defined()) return membrane->to(real).expand(shape).contiguous();
  return at::zeros(shape, current.options().dtype(real));
}

// A gradient [B, T, ...] of spikes or trace in the input's dtype, or undefined.
inline at::Tensor upstream_gradient(const std::optional<at::Tensor>& gradient, const at::Tensor& current,
                                    int64_t steps) {
  if (!gradient || !gradient->defined()) return {};
  SPIKINGRX_CHECK(gradient->sizes() == with_steps(current, steps), "ERR_SHAPE", "lif gradients must have shape ",
                  at::IntArrayRef(with_steps(current, steps)), ", got ", gradient->sizes());
  return gradient->to(current.scalar_type()).contiguous();
}

// sums [B, N] -> the parameter's shape, in a fixed order of summation.
inline at::Tensor parameter_gradient(const at::Tensor& sums, const at::Tensor& parameter, const LifSizes& s) {
  if (parameter.dim() == 0) return sums.sum().to(parameter.scalar_type());
  const int64_t channels = parameter.size(0), area = channels > 0 ? s.neurons / channels : 0;
  return sums.reshape({s.batch, channels, area}).sum(at::IntArrayRef{0, 2}).to(parameter.scalar_type());
}

}  // namespace spikingrx
