#include "snn/lif.h"

#include <ATen/core/dispatch/Dispatcher.h>
#include <ATen/ops/scalar_tensor.h>
#include <torch/csrc/autograd/custom_function.h>
#include <torch/library.h>

#include <algorithm>
#include <limits>

#include "error.h"
#include "snn/lif_arguments.h"
#include "snn/lif_shape.h"
#include "snn/once_differentiable.h"

namespace spikingrx {

namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;
using Optional = std::optional<at::Tensor>;

std::tuple<at::Tensor, at::Tensor, at::Tensor, at::Tensor> lif_forward(const at::Tensor& current,
                                                                       const at::Tensor& decay,
                                                                       const at::Tensor& threshold,
                                                                       const Optional& membrane, int64_t steps,
                                                                       const LifOptions& options, LifKeep keep) {
  static const auto op = c10::Dispatcher::singleton()
                             .findSchemaOrThrow("spikingrx::lif_forward", "")
                             .typed<std::tuple<at::Tensor, at::Tensor, at::Tensor, at::Tensor>(
                                 const at::Tensor&, const at::Tensor&, const at::Tensor&, const Optional&, int64_t,
                                 bool, int64_t, bool, bool, int64_t)>();
  return op.call(current, decay, threshold, membrane, steps, options.decay_input, static_cast<int64_t>(options.reset),
                 options.reset_delay, options.trace, static_cast<int64_t>(keep));
}

std::tuple<at::Tensor, at::Tensor, at::Tensor, at::Tensor> lif_backward(
    const Optional& grad_spikes, const Optional& grad_membrane, const Optional& grad_trace, const at::Tensor& current,
    const at::Tensor& decay, const at::Tensor& threshold, const Optional& membrane, int64_t steps,
    const LifOptions& options, bool parameter_gradients, const Optional& states) {
  static const auto op = c10::Dispatcher::singleton()
                             .findSchemaOrThrow("spikingrx::lif_backward", "")
                             .typed<std::tuple<at::Tensor, at::Tensor, at::Tensor, at::Tensor>(
                                 const Optional&, const Optional&, const Optional&, const at::Tensor&,
                                 const at::Tensor&, const at::Tensor&, const Optional&, int64_t, bool, int64_t, bool,
                                 bool, int64_t, double, bool, const Optional&)>();
  return op.call(grad_spikes, grad_membrane, grad_trace, current, decay, threshold, membrane, steps,
                 options.decay_input, static_cast<int64_t>(options.reset), options.reset_delay, options.detach_reset,
                 static_cast<int64_t>(options.surrogate.kind), options.surrogate.parameter, parameter_gradients,
                 states);
}

Optional optional(const at::Tensor& tensor) { return tensor.defined() ? Optional(tensor) : std::nullopt; }

LifKeep keep_of(const LifOptions& options, bool differentiable) {
  if (!differentiable) return LifKeep::kNothing;
  return options.membranes == LifMembranes::kSave ? LifKeep::kMembranes : LifKeep::kStates;
}

struct LifFunction : torch::autograd::Function<LifFunction> {
  static variable_list forward(AutogradContext* context, const at::Tensor& current, const at::Tensor& decay,
                               const at::Tensor& threshold, const Optional& membrane, int64_t steps,
                               const LifOptions& options, LifKeep keep) {
    at::AutoDispatchBelowADInplaceOrView below;
    context->set_materialize_grads(false);
    context->saved_data["steps"] = steps;
    save_options(*context, options);
    auto [spikes, state, trace, states] = lif_forward(current, decay, threshold, membrane, steps, options, keep);
    context->save_for_backward({current, decay, threshold, membrane.value_or(at::Tensor()), states});
    if (!options.trace) context->mark_non_differentiable({trace});
    return {spikes, state, trace};
  }

  static variable_list backward(AutogradContext* context, const variable_list& gradients) {
    return once_differentiable("lif", [&] { return input_gradients(context, gradients); });
  }

 private:
  static variable_list input_gradients(AutogradContext* context, const variable_list& gradients) {
    const auto inputs = context->get_saved_variables();
    const LifOptions options = saved_options(*context);
    const bool parameter_gradients = context->needs_input_grad(1) || context->needs_input_grad(2);
    auto [current, membrane, decay, threshold] = lif_backward(
        optional(gradients[0]), optional(gradients[1]), optional(gradients[2]), inputs[0], inputs[1], inputs[2],
        optional(inputs[3]), context->saved_data["steps"].toInt(), options, parameter_gradients, optional(inputs[4]));
    if (inputs[3].defined()) membrane = membrane.to(inputs[3].scalar_type());
    return {current,
            context->needs_input_grad(1) ? decay : at::Tensor(),
            context->needs_input_grad(2) ? threshold : at::Tensor(),
            inputs[3].defined() ? membrane : at::Tensor(),
            at::Tensor(),
            at::Tensor(),
            at::Tensor()};
  }
};

// decay in [lowest, highest], one value or one a channel. Reading the values waits for a device, so only on the CPU.
void check_parameter(const at::Tensor& value, const char* name, const at::Tensor& current, double lowest,
                     double highest) {
  SPIKINGRX_CHECK(value.is_floating_point(), "ERR_TYPE", "lif ", name, " must be floating point, got ", value.dtype());
  SPIKINGRX_CHECK(value.dim() == 0 || (value.dim() == 1 && value.size(0) == current.size(2)), "ERR_SHAPE", "lif ", name,
                  " must be a scalar or one value for each of the ", current.size(2), " channels, got shape ",
                  value.sizes());
  if (!value.is_cpu() || value.numel() == 0) return;
  const at::Tensor values = value.detach().to(at::kDouble).contiguous();
  const double* data = values.const_data_ptr<double>();
  for (int64_t i = 0; i < values.numel(); i++)
    SPIKINGRX_CHECK(data[i] >= lowest && data[i] <= highest, "ERR_RANGE", "lif ", name, " must be ",
                    highest == 1 ? "in [0, 1]" : "positive and finite", ", got ", data[i]);
}

std::tuple<at::Tensor, at::Tensor, at::Tensor> lif_operator(const at::Tensor& current, const at::Tensor& decay,
                                                            const at::Tensor& threshold, const Optional& membrane,
                                                            int64_t steps, bool decay_input, c10::string_view reset,
                                                            bool reset_delay, bool detach_reset,
                                                            c10::string_view surrogate, double surrogate_parameter,
                                                            bool trace, c10::string_view membranes) {
  LifOptions options = lif_options(decay_input, reset, reset_delay, detach_reset, surrogate, surrogate_parameter);
  options.trace = trace;
  options.membranes = parse_membranes(std::string(membranes));
  LifOutput output = lif(current, decay, threshold, membrane.value_or(at::Tensor()), steps, options);
  return {output.spikes, output.membrane, output.trace};
}

std::tuple<at::Tensor, at::Tensor> leaky_integrate_operator(const at::Tensor& current, const at::Tensor& decay,
                                                            const Optional& membrane, int64_t steps, bool decay_input) {
  LeakyOutput output = leaky_integrate(current, decay, membrane.value_or(at::Tensor()), steps, decay_input);
  return {output.trace, output.membrane};
}

}  // namespace

Reset parse_reset(const std::string& reset) {
  if (reset == "subtract") return Reset::kSubtract;
  if (reset == "zero") return Reset::kZero;
  if (reset == "none") return Reset::kNone;
  SPIKINGRX_CHECK(false, "ERR_RANGE", "reset must be subtract, zero or none, got '", reset, "'");
}

LifMembranes parse_membranes(const std::string& membranes) {
  if (membranes == "auto") return LifMembranes::kAuto;
  if (membranes == "recompute") return LifMembranes::kRecompute;
  if (membranes == "save") return LifMembranes::kSave;
  SPIKINGRX_CHECK(false, "ERR_RANGE", "lif membranes must be auto, recompute or save, got '", membranes, "'");
}

void check_lif(const at::Tensor& current, const at::Tensor& decay, const at::Tensor& threshold,
               const at::Tensor& membrane, int64_t steps, const LifOptions& options) {
  SPIKINGRX_CHECK(current.is_floating_point(), "ERR_TYPE", "lif expects a floating point current, got ",
                  current.dtype());
  SPIKINGRX_CHECK(current.dim() >= 3, "ERR_SHAPE", "lif expects a current [B, T, D] or [B, T, C, H, W], got ",
                  current.sizes());
  SPIKINGRX_CHECK(steps >= 0 && (steps == 0 || current.size(1) == 1 || current.size(1) == steps), "ERR_SHAPE",
                  "lif with steps ", steps, " expects a current of 1 or ", steps, " time steps, got ", current.size(1));
  check_parameter(decay, "decay", current, 0, 1);
  // An infinite threshold never fires, but a reset times it has no gradient.
  using Limits = std::numeric_limits<double>;
  check_parameter(threshold, "threshold", current, Limits::denorm_min(),
                  options.reset == Reset::kNone ? Limits::infinity() : Limits::max());
  if (membrane.defined()) {
    auto expected = current.sizes().vec();
    expected.erase(expected.begin() + 1);
    SPIKINGRX_CHECK(membrane.sizes() == expected, "ERR_SHAPE", "lif membrane must have shape ",
                    at::IntArrayRef(expected), ", got ", membrane.sizes());
    SPIKINGRX_CHECK(membrane.is_floating_point(), "ERR_TYPE", "lif membrane must be floating point, got ",
                    membrane.dtype());
  }
}

LifOptions lif_options(bool decay_input, c10::string_view reset, bool reset_delay, bool detach_reset,
                       c10::string_view surrogate, double surrogate_parameter) {
  LifOptions options;
  options.decay_input = decay_input;
  options.reset = parse_reset(std::string(reset));
  options.reset_delay = reset_delay;
  options.detach_reset = detach_reset;
  options.surrogate = parse_surrogate(std::string(surrogate), surrogate_parameter);
  return options;
}

bool needs_gradient(std::initializer_list<at::Tensor> inputs) {
  const auto wanted = [](const at::Tensor& tensor) { return tensor.defined() && tensor.requires_grad(); };
  return at::GradMode::is_enabled() && std::any_of(inputs.begin(), inputs.end(), wanted);
}

void save_options(AutogradContext& context, const LifOptions& options) {
  auto& saved = context.saved_data;
  saved["decay_input"] = options.decay_input;
  saved["reset"] = static_cast<int64_t>(options.reset);
  saved["reset_delay"] = options.reset_delay;
  saved["detach_reset"] = options.detach_reset;
  saved["surrogate"] = static_cast<int64_t>(options.surrogate.kind);
  saved["surrogate_parameter"] = options.surrogate.parameter;
}

LifOptions saved_options(AutogradContext& context) {
  auto& saved = context.saved_data;
  LifOptions options;
  options.decay_input = saved["decay_input"].toBool();
  options.reset = static_cast<Reset>(saved["reset"].toInt());
  options.reset_delay = saved["reset_delay"].toBool();
  options.detach_reset = saved["detach_reset"].toBool();
  options.surrogate = {static_cast<SurrogateKind>(saved["surrogate"].toInt()), saved["surrogate_parameter"].toDouble()};
  return options;
}

LifOutput lif(const at::Tensor& current, const at::Tensor& decay, const at::Tensor& threshold,
              const at::Tensor& membrane, int64_t steps, const LifOptions& options) {
  check_lif(current, decay, threshold, membrane, steps, options);
  const auto outputs = LifFunction::apply(current, decay, threshold, optional(membrane), steps, options,
                                          keep_of(options, needs_gradient({current, decay, threshold, membrane})));
  return {outputs[0], outputs[1], outputs[2]};
}

LeakyOutput leaky_integrate(const at::Tensor& current, const at::Tensor& decay, const at::Tensor& membrane,
                            int64_t steps, bool decay_input) {
  LifOptions options;
  options.decay_input = decay_input;
  options.reset = Reset::kNone;
  options.trace = true;
  const at::Tensor never = at::scalar_tensor(std::numeric_limits<double>::infinity(), at::kDouble);  // on any device
  LifOutput output = lif(current, decay, never, membrane, steps, options);
  return {output.trace, output.membrane};
}

TORCH_LIBRARY_IMPL(spikingrx, CompositeImplicitAutograd, library) {
  library.impl("lif", &lif_operator);
  library.impl("leaky_integrate", &leaky_integrate_operator);
}

}  // namespace spikingrx
