#include "snn/lif_device.h"

#include <ATen/OpMathType.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/empty_like.h>
#include <torch/library.h>

#include "error.h"
#include "snn/device_kernel.h"
#include "snn/lif_shape.h"

namespace spikingrx {
namespace {

using Optional = std::optional<at::Tensor>;

const auto& forward_operator() {
  static const auto op =
      device_operator<void(const at::Tensor&, const at::Tensor&, const at::Tensor&, const Optional&, bool, int64_t,
                           bool, const Optional&, const at::Tensor&, const Optional&, const Optional&, int64_t)>(
          "spikingrx::lif_forward_out");
  return op;
}

const auto& backward_operator() {
  static const auto op =
      device_operator<void(const Optional&, const Optional&, const Optional&, const at::Tensor&, const at::Tensor&,
                           const at::Tensor&, const Optional&, const Optional&, bool, int64_t, bool, bool, int64_t,
                           double, const at::Tensor&, const at::Tensor&, const Optional&, const Optional&, int64_t)>(
          "spikingrx::lif_backward_out");
  return op;
}

void check_device(const Optional& tensor, const char* name, const at::Tensor& current) {
  SPIKINGRX_CHECK(!tensor || !tensor->defined() || tensor->device() == current.device(), "ERR_DEVICE", "lif ", name,
                  " is on ", tensor->device(), ", the current on ", current.device(), "; move it to the current's");
}

// In the computing type. One value may stay on the CPU: the kernel then gets it by value, and nothing is copied or
// waited for.
at::Tensor neuron_parameter(const at::Tensor& value, const char* name, const at::Tensor& current, at::ScalarType real) {
  if (value.dim() != 0 || !value.is_cpu()) check_device(value, name, current);
  SPIKINGRX_CHECK(value.dim() == 0 || (value.dim() == 1 && current.dim() > 2 && value.size(0) == current.size(2)),
                  "ERR_SHAPE", "lif ", name, " must be a scalar or one value a channel, got shape ", value.sizes());
  return value.detach().to(real).contiguous();
}

Optional start_state(const Optional& membrane, const char* name, const at::Tensor& current, at::ScalarType real) {
  if (!membrane || !membrane->defined()) return std::nullopt;
  check_device(membrane, name, current);
  return membrane->to(real).expand(without_steps(current)).contiguous();
}

// The type a neuron computes in: its own, or float for the types of half the size.
at::ScalarType computing_type(const at::Tensor& current) {
  const auto type = current.scalar_type();
  SPIKINGRX_CHECK(type == at::kFloat || type == at::kDouble || type == at::kHalf || type == at::kBFloat16, "ERR_TYPE",
                  "lif expects a floating point current, got ", current.dtype());
  return at::toOpMathType(type);
}

Optional given(const at::Tensor& tensor) { return tensor.defined() ? Optional(tensor) : std::nullopt; }

}  // namespace

std::tuple<at::Tensor, at::Tensor, at::Tensor, at::Tensor> lif_forward_device(
    const at::Tensor& current, const at::Tensor& decay, const at::Tensor& threshold, const Optional& membrane,
    int64_t steps, bool decay_input, int64_t reset, bool reset_delay, bool with_trace, int64_t keep) {
  check_kernel(forward_operator(), current);
  const at::Tensor input = current.contiguous();
  const LifSizes s = sizes_of(input, steps);
  const auto real = computing_type(input);
  const at::Tensor beta = neuron_parameter(decay, "decay", input, real),
                   theta = neuron_parameter(threshold, "threshold", input, real);
  const Optional initial = start_state(membrane, "membrane", input, real);
  const at::Tensor spikes = at::empty(with_steps(input, s.steps), input.options());
  const at::Tensor state = at::empty(without_steps(input), input.options().dtype(real));
  const at::Tensor trace = with_trace ? at::empty_like(spikes) : at::empty({0}, input.options());
  const int64_t saved = keep != 0 ? saved_states(s.steps) : 0;
  const at::Tensor states = at::empty({saved, s.batch, s.neurons}, state.options());
  forward_operator().call(input, beta, theta, initial, decay_input, reset, reset_delay, spikes, state,
                          with_trace ? Optional(trace) : std::nullopt, saved > 0 ? Optional(states) : std::nullopt,
                          s.steps);
  return {spikes, state, trace, states};
}

std::tuple<at::Tensor, at::Tensor, at::Tensor, at::Tensor> lif_backward_device(
    const Optional& grad_spikes, const Optional& grad_membrane, const Optional& grad_trace, const at::Tensor& current,
    const at::Tensor& decay, const at::Tensor& threshold, const Optional& membrane, int64_t steps, bool decay_input,
    int64_t reset, bool reset_delay, bool detach_reset, int64_t surrogate, double surrogate_parameter,
    bool parameter_gradients, const Optional& states) {
  check_kernel(backward_operator(), current);
  const at::Tensor input = current.contiguous();
  const LifSizes s = sizes_of(input, steps);
  const auto real = computing_type(input);
  const at::Tensor beta = neuron_parameter(decay, "decay", input, real),
                   theta = neuron_parameter(threshold, "threshold", input, real);
  const Optional initial = start_state(membrane, "membrane", input, real);
  check_device(grad_spikes, "gradient of the spikes", input);
  check_device(grad_trace, "gradient of the trace", input);
  const at::Tensor from_spikes = upstream_gradient(grad_spikes, input, s.steps),
                   from_trace = upstream_gradient(grad_trace, input, s.steps);
  const Optional from_membrane = start_state(grad_membrane, "gradient of the membrane", input, real);

  const auto state_options = input.options().dtype(real);
  at::Tensor saved = states && states->defined() && states->numel() > 0 ? *states : at::Tensor();
  if (!saved.defined() && saved_states(s.steps) > 0 && s.batch * s.neurons > 0) {  // forward did not know of backward
    saved = at::empty({saved_states(s.steps), s.batch, s.neurons}, state_options);
    forward_operator().call(input, beta, theta, initial, decay_input, reset, reset_delay, std::nullopt,
                            at::empty(without_steps(input), state_options), std::nullopt, saved, s.steps);
  }
  const at::Tensor grad_current = at::empty_like(input);
  const at::Tensor grad_initial = at::empty(without_steps(input), state_options);
  const auto sums = [&] {  // a row a sample, summed in a fixed order afterwards: no atomics
    return parameter_gradients ? at::empty({s.batch, s.neurons}, state_options) : at::Tensor();
  };
  at::Tensor grad_decay = sums(), grad_threshold = sums();
  backward_operator().call(given(from_spikes), from_membrane, given(from_trace), input, beta, theta, initial,
                           given(saved), decay_input, reset, reset_delay, detach_reset, surrogate, surrogate_parameter,
                           grad_current, grad_initial, given(grad_decay), given(grad_threshold), s.steps);
  if (!parameter_gradients) {
    const at::Tensor none = at::empty({0}, state_options);
    return {grad_current, grad_initial, none, none};
  }
  return {grad_current, grad_initial, parameter_gradient(grad_decay, decay, s),
          parameter_gradient(grad_threshold, threshold, s)};
}

TORCH_LIBRARY_IMPL(spikingrx, CUDA, library) {
  library.impl("lif_forward", &lif_forward_device);
  library.impl("lif_backward", &lif_backward_device);
}

}  // namespace spikingrx
