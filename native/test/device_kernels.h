// The CUDA kernels' threads run one after another on the CPU: the *_out operators for CPU tensors, as the plugin has
// them for CUDA. Everything but the launch is the code that nvcc compiles.
#pragma once
#include <ATen/ATen.h>
#include <ATen/core/dispatch/Dispatcher.h>
#include <torch/library.h>

#include <vector>

#include "cuda/elementwise.h"
#include "cuda/lif_neuron.h"

namespace emulated {

using Optional = std::optional<at::Tensor>;
using namespace spikingrx;
using namespace spikingrx::cuda;

inline bool& allow_vectors() {  // false: one neuron a thread, as where rows or addresses do not fit
  static bool allowed = true;
  return allowed;
}

inline int64_t& vector_launches() {
  static int64_t count = 0;
  return count;
}

inline void* data(const Optional& tensor) { return tensor ? tensor->data_ptr() : nullptr; }

inline NeuronParameter parameter(const at::Tensor& value) {
  if (value.dim() == 0) return {nullptr, false, value.item<double>()};
  return {value.data_ptr(), true, 0};
}

template <class Arguments>
void fill_sizes(Arguments& a, const at::Tensor& current, const at::Tensor& decay, const at::Tensor& threshold,
                int64_t steps) {
  a.batch = current.size(0), a.current_steps = current.size(1), a.steps = steps;
  a.neurons = 1;
  for (int64_t d = 2; d < current.dim(); d++) a.neurons *= current.size(d);
  const int64_t channels = decay.dim() ? decay.size(0) : threshold.dim() ? threshold.size(0) : 1;
  a.area = channels > 0 ? a.neurons / channels : 0;
  a.decay = parameter(decay), a.threshold = parameter(threshold);
}

// body(value, width) with the widest that fits.
template <class Arguments, class Body>
void with_width(at::ScalarType type, const Arguments& a, Body&& body) {
  if (a.batch * a.neurons == 0) return;
  AT_DISPATCH_FLOATING_TYPES_AND2(at::kBFloat16, at::kHalf, type, "emulated", [&] {
    if (allow_vectors() && fits_widest<scalar_t>(a)) {
      vector_launches()++;
      body(scalar_t{}, std::integral_constant<int, kWidest<scalar_t>>{});
    } else {
      body(scalar_t{}, std::integral_constant<int, 1>{});
    }
  });
}

inline void lif_forward(const at::Tensor& current, const at::Tensor& decay, const at::Tensor& threshold,
                        const Optional& initial, bool decay_input, int64_t reset, bool reset_delay,
                        const Optional& spikes, const at::Tensor& membrane, const Optional& trace,
                        const Optional& states, int64_t steps) {
  LifForwardArguments a{};
  fill_sizes(a, current, decay, threshold, steps);
  a.decay_input = decay_input, a.reset = reset, a.reset_delay = reset_delay;
  a.current = current.data_ptr(), a.initial = data(initial), a.spikes = data(spikes);
  a.membrane = membrane.data_ptr(), a.trace = data(trace), a.states = data(states);
  with_width(current.scalar_type(), a, [&](auto value, auto width) {
    for (int64_t i = 0; i < a.batch * a.neurons / width(); i++) lif_forward_thread<decltype(value), width()>(a, i);
  });
}

inline void lif_backward(const Optional& grad_spikes, const Optional& grad_membrane, const Optional& grad_trace,
                         const at::Tensor& current, const at::Tensor& decay, const at::Tensor& threshold,
                         const Optional& initial, const Optional& states, bool decay_input, int64_t reset,
                         bool reset_delay, bool detach_reset, int64_t surrogate, double surrogate_parameter,
                         const at::Tensor& grad_current, const at::Tensor& grad_initial, const Optional& grad_decay,
                         const Optional& grad_threshold, int64_t steps) {
  LifBackwardArguments a{};
  fill_sizes(a, current, decay, threshold, steps);
  a.decay_input = decay_input, a.reset = reset, a.reset_delay = reset_delay, a.detach_reset = detach_reset;
  a.surrogate = surrogate, a.surrogate_parameter = surrogate_parameter;
  a.grad_spikes = data(grad_spikes), a.grad_membrane = data(grad_membrane), a.grad_trace = data(grad_trace);
  a.current = current.data_ptr(), a.initial = data(initial), a.states = data(states);
  a.grad_current = grad_current.data_ptr(), a.grad_initial = grad_initial.data_ptr();
  a.grad_decay = data(grad_decay), a.grad_threshold = data(grad_threshold);
  with_width(current.scalar_type(), a, [&](auto value, auto width) {
    using Value = decltype(value);
    using Size = SlotSize<Value, width()>;
    constexpr int64_t block = 64;  // slots of neighbouring threads side by side, as in shared memory
    const int64_t most = std::min(steps, kLifChunk) * Size::count * Size::bytes * block;
    const std::unique_ptr<unsigned char[]> shared(new (std::align_val_t{16}) unsigned char[most]);
    for (int64_t i = 0; i < a.batch * a.neurons / width(); i++) {
      const Slots slots{shared.get() + i % block * Size::bytes, block * Size::bytes};
      if (a.grad_decay)
        lif_backward_thread<Value, width(), true>(a, i, slots);
      else
        lif_backward_thread<Value, width(), false>(a, i, slots);
    }
  });
}

inline void surrogate_backward(const at::Tensor& gradient, const at::Tensor& x, int64_t kind, double parameter,
                               const at::Tensor& result) {
  const SurrogateArguments a{{}, x.numel(), kind, parameter, gradient.data_ptr(), x.data_ptr(), result.data_ptr()};
  AT_DISPATCH_FLOATING_TYPES_AND2(at::kBFloat16, at::kHalf, x.scalar_type(), "emulated", [&] {
    constexpr int width = kWidest<scalar_t>;
    for (int64_t i = 0; i < (a.count + width - 1) / width; i++) surrogate_thread<scalar_t, width>(a, i);
  });
}

inline void norm_update(const at::Tensor& running_mean, const at::Tensor& running_variance, const at::Tensor& mean,
                        const at::Tensor& variance, double momentum, int64_t repeats) {
  const NormUpdateArguments a{{},
                              mean.size(0),
                              mean.size(1),
                              repeats,
                              running_mean.dim() == 2,
                              momentum,
                              running_mean.data_ptr(),
                              running_variance.data_ptr(),
                              mean.data_ptr(),
                              variance.data_ptr()};
  AT_DISPATCH_FLOATING_TYPES_AND2(at::kBFloat16, at::kHalf, mean.scalar_type(), "emulated", [&] {
    for (int64_t i = 0; i < norm_update_threads(a); i++) norm_update_thread<scalar_t>(a, i);
  });
}

TORCH_LIBRARY_IMPL(spikingrx, CPU, library) {
  library.impl("lif_forward_out", &lif_forward);
  library.impl("lif_backward_out", &lif_backward);
  library.impl("surrogate_backward_out", &surrogate_backward);
}

}  // namespace emulated
