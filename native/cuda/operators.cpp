// The CUDA kernels of the operators *_out and spike_norm_update (native/snn/operators.cpp), through libtorch's stable C
// interface alone: one binary for every libtorch from 2.10 on. The core checks and allocates (lif_device.cpp); here
// shapes are read into the kernels' arguments, and checked once more where a wrong one would reach past the memory.
#include <torch/csrc/inductor/aoti_torch/c/shim.h>
#include <torch/csrc/stable/accelerator.h>
#include <torch/csrc/stable/library.h>
#include <torch/csrc/stable/tensor.h>

#include <optional>
#include <stdexcept>
#include <string>

#include "cuda/launch.h"
#include "snn/kernels/lif_chunk.h"

namespace spikingrx::cuda {
namespace {

using torch::headeronly::ScalarType;
using torch::stable::Tensor;
using Optional = std::optional<Tensor>;

void require(bool condition, const char* what) {
  if (!condition) throw std::runtime_error(std::string("ERR_TORCH: the CUDA kernels were called with ") + what);
}

Element element_of(ScalarType type) {
  switch (type) {
    case ScalarType::Float:
      return Element::kFloat;
    case ScalarType::Double:
      return Element::kDouble;
    case ScalarType::Half:
      return Element::kHalf;
    case ScalarType::BFloat16:
      return Element::kBFloat16;
    default:
      throw std::runtime_error("ERR_TYPE: the CUDA kernels compute in float32, float64, bfloat16 and float16");
  }
}

ScalarType computing_type(ScalarType type) { return type == ScalarType::Double ? type : ScalarType::Float; }

// Of the current's device (or that of what stands for it): its kernels run there, on its current stream.
class Launch {
 public:
  explicit Launch(const Tensor& tensor) : device_(tensor.get_device_index()), guard_(device_) {
    void* stream = nullptr;
    TORCH_ERROR_CODE_CHECK(aoti_torch_get_current_cuda_stream(device_, &stream));
    queue_ = {device_, stream};
  }
  const Queue& queue() const { return queue_; }

  // A tensor's memory as a kernel may use it: on this device, contiguous, of the type and number of elements given.
  void* memory(const Tensor& tensor, ScalarType type, int64_t count) const {
    require(tensor.is_cuda() && tensor.get_device_index() == device_, "tensors of several devices");
    require(tensor.is_contiguous() && tensor.scalar_type() == type, "a tensor of another layout or type");
    require(tensor.numel() == count, "a tensor of another size");
    return tensor.data_ptr();
  }
  void* memory(const Optional& tensor, ScalarType type, int64_t count) const {
    return tensor ? memory(*tensor, type, count) : nullptr;
  }

 private:
  int device_;
  torch::stable::accelerator::DeviceGuard guard_;
  Queue queue_{};
};

void check(int error) {
  if (error != 0)
    throw std::runtime_error(std::string("ERR_TORCH: a CUDA kernel was not started: ") + error_text(error));
}

// 0-d on the CPU: read here and passed by value.
NeuronParameter neuron_parameter(const Tensor& value, ScalarType real, int64_t channels, const Launch& launch) {
  if (value.is_cpu()) {
    require(value.dim() == 0 && value.scalar_type() == real, "decay or threshold of another type or place");
    const void* data = value.data_ptr();
    return {nullptr, false,
            real == ScalarType::Double ? *static_cast<const double*>(data)
                                       : static_cast<double>(*static_cast<const float*>(data))};
  }
  return {launch.memory(value, real, value.dim() == 0 ? 1 : channels), value.dim() != 0, 0};
}

template <class Arguments>
ScalarType fill(Arguments& a, const Tensor& current, const Tensor& decay, const Tensor& threshold, int64_t steps,
                const Launch& launch) {
  const ScalarType type = current.scalar_type(), real = computing_type(type);
  require(current.dim() >= 2, "a current without steps");
  a.element = element_of(type);
  a.batch = current.size(0), a.current_steps = current.size(1), a.steps = steps;
  require(steps >= 0 && (a.current_steps == 1 || a.current_steps == steps), "a current of other steps");
  a.neurons = 1;
  for (int64_t d = 2; d < current.dim(); d++) a.neurons *= current.size(d);
  const int64_t channels = current.dim() > 2 ? current.size(2) : 1;
  a.area = channels > 0 ? a.neurons / channels : 0;
  a.decay = neuron_parameter(decay, real, channels, launch);
  a.threshold = neuron_parameter(threshold, real, channels, launch);
  a.current = launch.memory(current, type, current.numel());
  return real;
}

void lif_forward(const Tensor& current, const Tensor& decay, const Tensor& threshold, const Optional& initial,
                 bool decay_input, int64_t reset, bool reset_delay, const Optional& spikes, const Tensor& membrane,
                 const Optional& trace, const Optional& states, int64_t steps) {
  const Launch launch(current);
  LifForwardArguments a{};
  const ScalarType type = current.scalar_type(), real = fill(a, current, decay, threshold, steps, launch);
  const int64_t state = a.batch * a.neurons;
  a.decay_input = decay_input, a.reset = reset, a.reset_delay = reset_delay;
  a.initial = launch.memory(initial, real, state);
  a.spikes = launch.memory(spikes, type, state * steps);
  a.membrane = launch.memory(membrane, real, state);
  a.trace = launch.memory(trace, type, state * steps);
  a.states = launch.memory(states, real, state * saved_states(steps));
  check(launch_lif_forward(a, launch.queue()));
}

void lif_backward(const Optional& grad_spikes, const Optional& grad_membrane, const Optional& grad_trace,
                  const Tensor& current, const Tensor& decay, const Tensor& threshold, const Optional& initial,
                  const Optional& states, bool decay_input, int64_t reset, bool reset_delay, bool detach_reset,
                  int64_t surrogate, double surrogate_parameter, const Tensor& grad_current, const Tensor& grad_initial,
                  const Optional& grad_decay, const Optional& grad_threshold, int64_t steps) {
  const Launch launch(current);
  LifBackwardArguments a{};
  const ScalarType type = current.scalar_type(), real = fill(a, current, decay, threshold, steps, launch);
  const int64_t state = a.batch * a.neurons;
  require(states || saved_states(steps) == 0 || state == 0, "no saved states for backward");
  require(grad_decay.has_value() == grad_threshold.has_value(), "one parameter's gradient without the other's");
  a.decay_input = decay_input, a.reset = reset, a.reset_delay = reset_delay, a.detach_reset = detach_reset;
  a.surrogate = surrogate, a.surrogate_parameter = surrogate_parameter;
  a.grad_spikes = launch.memory(grad_spikes, type, state * steps);
  a.grad_membrane = launch.memory(grad_membrane, real, state);
  a.grad_trace = launch.memory(grad_trace, type, state * steps);
  a.initial = launch.memory(initial, real, state);
  a.states = launch.memory(states, real, state * saved_states(steps));
  a.grad_current = launch.memory(grad_current, type, current.numel());
  a.grad_initial = launch.memory(grad_initial, real, state);
  a.grad_decay = launch.memory(grad_decay, real, state);
  a.grad_threshold = launch.memory(grad_threshold, real, state);
  check(launch_lif_backward(a, launch.queue()));
}

void surrogate_backward(const Tensor& gradient, const Tensor& x, int64_t kind, double parameter, const Tensor& result) {
  const Launch launch(x);
  const ScalarType type = x.scalar_type();
  const int64_t count = x.numel();
  check(launch_surrogate({element_of(type), count, kind, parameter, launch.memory(gradient, type, count),
                          launch.memory(x, type, count), launch.memory(result, type, count)},
                         launch.queue()));
}

void norm_update(const Tensor& running_mean, const Tensor& running_variance, const Tensor& mean, const Tensor& variance,
                 double momentum, int64_t repeats) {
  const Launch launch(running_mean);
  const ScalarType type = running_mean.scalar_type();
  require(mean.dim() == 2 && repeats >= 1, "statistics of another shape");
  NormUpdateArguments a{};
  a.element = element_of(type);
  a.steps = mean.size(0), a.channels = mean.size(1), a.repeats = repeats;
  a.by_step = running_mean.dim() == 2;
  a.momentum = momentum;
  const int64_t statistics = a.steps * a.channels, running = a.by_step ? statistics * repeats : a.channels;
  a.running_mean = launch.memory(running_mean, type, running);
  a.running_variance = launch.memory(running_variance, type, running);
  a.mean = launch.memory(mean, type, statistics);
  a.variance = launch.memory(variance, type, statistics);
  check(launch_norm_update(a, launch.queue()));
}

}  // namespace
}  // namespace spikingrx::cuda

STABLE_TORCH_LIBRARY_IMPL(spikingrx, CUDA, library) {
  library.impl("lif_forward_out", TORCH_BOX(&spikingrx::cuda::lif_forward));
  library.impl("lif_backward_out", TORCH_BOX(&spikingrx::cuda::lif_backward));
  library.impl("surrogate_backward_out", TORCH_BOX(&spikingrx::cuda::surrogate_backward));
  library.impl("spike_norm_update", TORCH_BOX(&spikingrx::cuda::norm_update));
}
