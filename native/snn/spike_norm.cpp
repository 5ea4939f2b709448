#include "snn/spike_norm.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/native_batch_norm.h>
#include <ATen/ops/zeros.h>
#include <torch/library.h>

#include "error.h"
#include "snn/device_kernel.h"

namespace spikingrx {

namespace {

// running := (1 - momentum) running + momentum batch, once a step in the order of time; batch [T, C].
void update_running(const at::Tensor& running, const at::Tensor& batch, double momentum, int64_t repeats) {
  const int64_t steps = batch.size(0);
  for (int64_t t = 0; t < steps * repeats; t++) {
    const at::Tensor target = running.dim() == 2 ? running.select(0, t) : running;
    target.mul_(1 - momentum).add_(batch.select(0, t / repeats), momentum);
  }
}

void update_by_step(const at::Tensor& running_mean, const at::Tensor& running_variance, const at::Tensor& mean,
                    const at::Tensor& variance, double momentum, int64_t repeats) {
  update_running(running_mean, mean, momentum, repeats);
  update_running(running_variance, variance, momentum, repeats);
}

// One kernel on a device whose plugin has it: 4 T small ones would cost more there than the normalisation.
void update(const at::Tensor& running_mean, const at::Tensor& running_variance, const at::Tensor& mean,
            const at::Tensor& variance, const SpikeNormOptions& options) {
  static const auto op = device_operator<void(const at::Tensor&, const at::Tensor&, const at::Tensor&,
                                              const at::Tensor&, double, int64_t)>("spikingrx::spike_norm_update");
  const bool contiguous = running_mean.is_contiguous() && running_variance.is_contiguous();
  const bool alike = running_mean.scalar_type() == running_variance.scalar_type();
  if (!running_mean.is_cuda() || !contiguous || !alike || !has_kernel(op, running_mean))
    return update_by_step(running_mean, running_variance, mean, variance, options.momentum, options.repeats);
  op.call(running_mean, running_variance, mean, variance, options.momentum, options.repeats);
  // Autograd does not see the kernel: what saved the statistics before must still notice the change.
  running_mean.unsafeGetTensorImpl()->bump_version();
  running_variance.unsafeGetTensorImpl()->bump_version();
}

void check(const at::Tensor& input, const at::Tensor& gamma, const at::Tensor& beta, const at::Tensor& running_mean,
           const at::Tensor& running_variance, const SpikeNormOptions& options) {
  SPIKINGRX_CHECK(input.is_floating_point(), "ERR_TYPE", "spikeNorm expects a floating point input, got ",
                  input.dtype());
  SPIKINGRX_CHECK(input.dim() == 4 || input.dim() == 5, "ERR_SHAPE",
                  "spikeNorm expects [B, C, H, W] or [B, T, C, H, W], got ", input.sizes());
  const int64_t channels = input.size(-3), steps = (input.dim() == 5 ? input.size(1) : 1) * options.repeats;
  for (const auto* parameter : {&gamma, &beta})
    SPIKINGRX_CHECK(parameter->dim() == 1 && parameter->size(0) == channels, "ERR_SHAPE",
                    "spikeNorm gamma and beta must have shape [", channels, "], got ", parameter->sizes());
  for (const auto* running : {&running_mean, &running_variance}) {
    const bool shared = running->dim() == 1 && running->size(0) == channels;
    const bool per_step = running->dim() == 2 && running->size(1) == channels && running->size(0) == steps;
    SPIKINGRX_CHECK(shared || per_step, "ERR_SHAPE", "spikeNorm running statistics must have shape [", channels,
                    "] or [", steps, ", ", channels, "], got ", running->sizes());
  }
  SPIKINGRX_CHECK(options.epsilon > 0, "ERR_RANGE", "spikeNorm epsilon must be positive, got ", options.epsilon);
  SPIKINGRX_CHECK(options.momentum >= 0 && options.momentum <= 1, "ERR_RANGE",
                  "spikeNorm momentum must be in [0, 1], got ", options.momentum);
}

}  // namespace

at::Tensor spike_norm(const at::Tensor& input, const at::Tensor& gamma, const at::Tensor& beta,
                      const at::Tensor& running_mean, const at::Tensor& running_variance,
                      const SpikeNormOptions& options) {
  check(input, gamma, beta, running_mean, running_variance, options);
  if (input.numel() == 0) return input.clone();
  const at::Tensor sequence = input.dim() == 5 ? input : input.unsqueeze(1);
  const int64_t batch = sequence.size(0), steps = sequence.size(1), channels = sequence.size(2);
  const int64_t height = sequence.size(3), width = sequence.size(4);

  if (!options.training && running_mean.dim() == 1) {  // one pair a channel: time is part of the batch
    const at::Tensor folded = sequence.reshape({batch * steps, channels, height, width});
    const auto result =
        at::native_batch_norm(folded, gamma, beta, running_mean, running_variance, false, 0, options.epsilon);
    return std::get<0>(result).view(input.sizes());
  }

  // A step's channel is a channel of its own: [B, T, C, H, W] seen as [B, T*C, H, W], one call for all steps.
  const at::Tensor folded = sequence.reshape({batch, steps * channels, height, width});
  const at::Tensor scale = gamma.repeat({steps}), shift = beta.repeat({steps});
  if (!options.training) {
    // A constant input under statistics by step is no longer constant; the caller repeats it before (repeats is 1
    // here).
    const auto result = at::native_batch_norm(folded, scale, shift, running_mean.reshape({-1}),
                                              running_variance.reshape({-1}), false, 0, options.epsilon);
    return std::get<0>(result).view(input.sizes());
  }

  SPIKINGRX_CHECK(batch * height * width > 1, "ERR_SHAPE",
                  "spikeNorm needs more than one value a channel and step to train, got ", input.sizes());
  // Momentum 1 leaves the batch's own mean and unbiased variance in these.
  const auto options_of_statistics = running_mean.options();
  const at::Tensor mean = at::zeros({steps * channels}, options_of_statistics);
  const at::Tensor variance = at::zeros({steps * channels}, options_of_statistics);
  const auto result = at::native_batch_norm(folded, scale, shift, mean, variance, true, 1.0, options.epsilon);
  {
    at::NoGradGuard no_grad;
    update(running_mean, running_variance, mean.view({steps, channels}), variance.view({steps, channels}), options);
  }
  return std::get<0>(result).view(input.sizes());
}

namespace {
at::Tensor spike_norm_operator(const at::Tensor& input, const at::Tensor& gamma, const at::Tensor& beta,
                               at::Tensor& running_mean, at::Tensor& running_variance, bool training, double momentum,
                               double epsilon) {
  return spike_norm(input, gamma, beta, running_mean, running_variance, {training, momentum, epsilon, 1});
}
}  // namespace

TORCH_LIBRARY_IMPL(spikingrx, CPU, library) { library.impl("spike_norm_update", &update_by_step); }
TORCH_LIBRARY_IMPL(spikingrx, CompositeImplicitAutograd, library) { library.impl("spike_norm", &spike_norm_operator); }

}  // namespace spikingrx
