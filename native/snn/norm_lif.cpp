#include "snn/norm_lif.h"

#include <ATen/ops/empty.h>
#include <torch/csrc/autograd/custom_function.h>
#include <torch/library.h>

#include "snn/lif_arguments.h"
#include "snn/norm_lif_cpu.h"
#include "snn/norm_rows.h"
#include "snn/once_differentiable.h"

namespace spikingrx {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

struct BatchStatistics {
  at::Tensor mean, variance;  // [T, C]
};

struct NormLif : torch::autograd::Function<NormLif> {
  static variable_list forward(AutogradContext* context, const at::Tensor& input, const at::Tensor& gamma,
                               const at::Tensor& beta, const at::Tensor& decay, const at::Tensor& threshold,
                               const std::optional<at::Tensor>& membrane, double epsilon, const LifOptions& options,
                               bool keep_states, BatchStatistics* statistics) {
    at::AutoDispatchBelowADInplaceOrView below;
    context->set_materialize_grads(false);
    save_options(*context, options);
    const at::Tensor initial = membrane.value_or(at::Tensor());
    const NormLifForward result =
        norm_lif_forward({input, gamma, beta, decay, threshold, initial}, epsilon, options, keep_states);
    context->save_for_backward({input, gamma, beta, decay, threshold, initial, result.states, result.rows});
    *statistics = {result.mean, result.variance};
    return {result.spikes, result.membrane};
  }

  static variable_list backward(AutogradContext* context, const variable_list& gradients) {
    return once_differentiable("lif", [&] { return input_gradients(context, gradients); });
  }

 private:
  static variable_list input_gradients(AutogradContext* context, const variable_list& gradients) {
    const auto saved = context->get_saved_variables();
    const at::Tensor& membrane = saved[5];
    const bool learns_decay = context->needs_input_grad(3), learns_threshold = context->needs_input_grad(4);
    NormLifGradients of =
        norm_lif_backward(gradients[0], gradients[1], {saved[0], saved[1], saved[2], saved[3], saved[4], membrane},
                          saved[6], saved[7], saved_options(*context), learns_decay || learns_threshold);
    if (membrane.defined()) of.membrane = of.membrane.to(membrane.scalar_type());
    return {of.input,
            of.gamma,
            of.beta,
            learns_decay ? of.decay : at::Tensor(),
            learns_threshold ? of.threshold : at::Tensor(),
            membrane.defined() ? of.membrane : at::Tensor(),
            {},
            {},
            {},
            {}};
  }
};

bool is_one_operator(const at::Tensor& input, const NormTensors& norm, const SpikeNormOptions& norm_options,
                     int64_t steps, const LifOptions& options) {
  const bool sequence = input.dim() == 5 && input.numel() > 0 && (steps == 0 || steps == input.size(1));
  return norm_options.training && sequence && !options.trace && options.membranes != LifMembranes::kSave &&
         has_own_passes(input, norm) && norm.running_variance.scalar_type() == at::kFloat;
}

}  // namespace

LifOutput norm_lif(const at::Tensor& input, const NormTensors& norm, const SpikeNormOptions& norm_options,
                   const at::Tensor& decay, const at::Tensor& threshold, const at::Tensor& membrane, int64_t steps,
                   const LifOptions& options) {
  check_spike_norm(input, norm, norm_options);
  if (!is_one_operator(input, norm, norm_options, steps, options))
    return lif(spike_norm(input, norm, norm_options), decay, threshold, membrane, steps, options);
  check_lif(input, decay, threshold, membrane, steps, options);
  BatchStatistics statistics;
  const auto outputs =
      NormLif::apply(input, norm.gamma, norm.beta, decay, threshold,
                     membrane.defined() ? std::optional<at::Tensor>(membrane) : std::nullopt, norm_options.epsilon,
                     options, needs_gradient({input, norm.gamma, norm.beta, decay, threshold, membrane}), &statistics);
  update_statistics(norm, statistics.mean, statistics.variance, norm_options);
  return {outputs[0], outputs[1], at::empty({0}, input.options())};
}

namespace {
std::tuple<at::Tensor, at::Tensor> norm_lif_operator(const at::Tensor& input, const at::Tensor& gamma,
                                                     const at::Tensor& beta, at::Tensor& running_mean,
                                                     at::Tensor& running_variance, const at::Tensor& decay,
                                                     const at::Tensor& threshold,
                                                     const std::optional<at::Tensor>& membrane, bool training,
                                                     double momentum, double epsilon, bool decay_input,
                                                     c10::string_view reset, bool reset_delay, bool detach_reset,
                                                     c10::string_view surrogate, double surrogate_parameter) {
  const LifOutput output =
      norm_lif(input, {gamma, beta, running_mean, running_variance}, {training, momentum, epsilon, 1}, decay, threshold,
               membrane.value_or(at::Tensor()), 0,
               lif_options(decay_input, reset, reset_delay, detach_reset, surrogate, surrogate_parameter));
  return {output.spikes, output.membrane};
}
}  // namespace

TORCH_LIBRARY_IMPL(spikingrx, CompositeImplicitAutograd, library) { library.impl("norm_lif", &norm_lif_operator); }

}  // namespace spikingrx
