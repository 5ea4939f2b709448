#include "snn/spike_norm.h"

#include <ATen/Parallel.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/native_batch_norm.h>
#include <ATen/ops/native_batch_norm_backward.h>
#include <ATen/ops/zeros.h>
#include <torch/csrc/autograd/custom_function.h>
#include <torch/library.h>

#include <algorithm>

#include "error.h"
#include "snn/device_kernel.h"
#include "snn/kernels/step_norm.h"
#include "snn/norm_rows.h"

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

}  // namespace

// One kernel on a device whose plugin has it: 4 T small ones would cost more there than the normalisation.
void update_statistics(const NormTensors& norm, const at::Tensor& mean, const at::Tensor& variance,
                       const SpikeNormOptions& options) {
  static const auto op = device_operator<void(const at::Tensor&, const at::Tensor&, const at::Tensor&,
                                              const at::Tensor&, double, int64_t)>("spikingrx::spike_norm_update");
  const at::NoGradGuard no_grad;
  const at::Tensor &running_mean = norm.running_mean, &running_variance = norm.running_variance;
  const bool contiguous = running_mean.is_contiguous() && running_variance.is_contiguous();
  const bool alike = running_mean.scalar_type() == running_variance.scalar_type();
  if (!running_mean.is_cuda() || !contiguous || !alike || !has_kernel(op, running_mean))
    return update_by_step(running_mean, running_variance, mean, variance, options.momentum, options.repeats);
  op.call(running_mean, running_variance, mean, variance, options.momentum, options.repeats);
  // Autograd does not see the kernel: what saved the statistics before must still notice the change.
  running_mean.unsafeGetTensorImpl()->bump_version();
  running_variance.unsafeGetTensorImpl()->bump_version();
}

void check_spike_norm(const at::Tensor& input, const NormTensors& norm, const SpikeNormOptions& options) {
  SPIKINGRX_CHECK(input.is_floating_point(), "ERR_TYPE", "spikeNorm expects a floating point input, got ",
                  input.dtype());
  SPIKINGRX_CHECK(input.dim() == 4 || input.dim() == 5, "ERR_SHAPE",
                  "spikeNorm expects [B, C, H, W] or [B, T, C, H, W], got ", input.sizes());
  const int64_t channels = input.size(-3), steps = (input.dim() == 5 ? input.size(1) : 1) * options.repeats;
  for (const auto* parameter : {&norm.gamma, &norm.beta})
    SPIKINGRX_CHECK(parameter->dim() == 1 && parameter->size(0) == channels, "ERR_SHAPE",
                    "spikeNorm gamma and beta must have shape [", channels, "], got ", parameter->sizes());
  for (const auto* running : {&norm.running_mean, &norm.running_variance}) {
    const bool shared = running->dim() == 1 && running->size(0) == channels;
    const bool per_step = running->dim() == 2 && running->size(1) == channels && running->size(0) == steps;
    SPIKINGRX_CHECK(shared || per_step, "ERR_SHAPE", "spikeNorm running statistics must have shape [", channels,
                    "] or [", steps, ", ", channels, "], got ", running->sizes());
  }
  SPIKINGRX_CHECK(options.epsilon > 0, "ERR_RANGE", "spikeNorm epsilon must be positive, got ", options.epsilon);
  SPIKINGRX_CHECK(options.momentum >= 0 && options.momentum <= 1, "ERR_RANGE",
                  "spikeNorm momentum must be in [0, 1], got ", options.momentum);
  const int64_t values = input.size(0) * input.size(-2) * input.size(-1);
  SPIKINGRX_CHECK(!options.training || input.numel() == 0 || values > 1, "ERR_SHAPE",
                  "spikeNorm needs more than one value a channel and step to train, got ", input.sizes());
}

bool has_own_passes(const at::Tensor& input, const NormTensors& norm) {
  // Planes of fewer elements are short stretches far apart, which libtorch's kernels go through faster: a training
  // epoch of MNIST with planes of 49 to 196 took 41 s with those and 56 s with these; planes of 672 gain a tenth.
  constexpr int64_t kLeastArea = 512;
  const auto fits = [](const at::Tensor& tensor) { return tensor.is_cpu() && tensor.scalar_type() == at::kFloat; };
  return input.size(-2) * input.size(-1) >= kLeastArea && input.is_contiguous() && fits(input) && fits(norm.gamma) &&
         fits(norm.beta) && fits(norm.running_mean);
}

namespace {

// Normalises each row of `folded` [B, R, H, W] by its own mean and biased variance, in float32 on the CPU: as
// native_batch_norm, which sums value by value in double and reads the input once more. A row's planes stay in the
// cache from its statistics to its normalisation.
struct NormaliseRows : torch::autograd::Function<NormaliseRows> {
  static at::Tensor forward(torch::autograd::AutogradContext* context, const at::Tensor& folded,
                            const at::Tensor& scale, const at::Tensor& shift, const at::Tensor& mean,
                            const at::Tensor& variance, double epsilon) {
    at::AutoDispatchBelowADInplaceOrView below;
    const int64_t rows = folded.size(1), area = folded.size(2) * folded.size(3);
    const Planes planes{folded.size(0), rows * area, area};
    const at::Tensor result = at::empty_like(folded), inverse = at::empty_like(mean);
    const float *x = folded.const_data_ptr<float>(), *gamma = scale.const_data_ptr<float>(),
                *beta = shift.const_data_ptr<float>();
    float *y = result.mutable_data_ptr<float>(), *m = mean.mutable_data_ptr<float>(),
          *v = variance.mutable_data_ptr<float>(), *k = inverse.mutable_data_ptr<float>();
    const auto count = static_cast<double>(planes.planes * area);
    const StepNorm kernels = step_norm();
    at::parallel_for(0, rows, std::max<int64_t>(1, 16384 / std::max<int64_t>(1, planes.planes * area)),
                     [&](int64_t begin, int64_t end) {
                       for (int64_t r = begin; r < end; r++) {
                         const Moments found = kernels.moments(x + r * area, planes);
                         const NormalisedRow row = normalised_row(found, count, epsilon, gamma[r], beta[r]);
                         kernels.normalise(x + r * area, planes, row.scale, row.shift, y + r * area);
                         m[r] = row.mean, k[r] = row.inverse, v[r] = row.variance;
                       }
                     });
    context->save_for_backward({folded, scale, mean, inverse});
    context->saved_data["epsilon"] = epsilon;
    return result;
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                 torch::autograd::variable_list gradients) {
    const auto saved = context->get_saved_variables();
    const at::Tensor &folded = saved[0], &scale = saved[1], &mean = saved[2], &inverse = saved[3];
    if (at::GradMode::is_enabled()) {  // a second derivative is wanted: libtorch's has one
      const auto [input, gamma, beta] =
          at::native_batch_norm_backward(gradients[0], folded, scale, {}, {}, mean, inverse, true,
                                         context->saved_data["epsilon"].toDouble(), {true, true, true});
      return {input, gamma, beta, {}, {}, {}};
    }
    const int64_t rows = folded.size(1), area = folded.size(2) * folded.size(3);
    const Planes planes{folded.size(0), rows * area, area};
    const at::Tensor upstream = gradients[0].contiguous(), result = at::empty_like(folded);
    const at::Tensor grad_scale = at::empty_like(scale), grad_shift = at::empty_like(scale);
    const float *x = folded.const_data_ptr<float>(), *g = upstream.const_data_ptr<float>(),
                *gamma = scale.const_data_ptr<float>(), *m = mean.const_data_ptr<float>(),
                *k = inverse.const_data_ptr<float>();
    float *dx = result.mutable_data_ptr<float>(), *dgamma = grad_scale.mutable_data_ptr<float>(),
          *dbeta = grad_shift.mutable_data_ptr<float>();
    const auto count = static_cast<double>(planes.planes * area);
    const StepNorm kernels = step_norm();
    at::parallel_for(0, rows, std::max<int64_t>(1, 16384 / std::max<int64_t>(1, planes.planes * area)),
                     [&](int64_t begin, int64_t end) {
                       for (int64_t r = begin; r < end; r++) {
                         const GradientSums sums = kernels.gradient_sums(x + r * area, g + r * area, planes, m[r]);
                         const RowGradient row = row_gradient(sums, count, gamma[r], m[r], k[r]);
                         kernels.combine(x + r * area, g + r * area, planes.step, planes, row.of_gradient, row.of_value,
                                         row.constant, dx + r * area);
                         dgamma[r] = row.gamma, dbeta[r] = row.beta;
                       }
                     });
    return {result, grad_scale, grad_shift, {}, {}, {}};
  }
};

}  // namespace

at::Tensor spike_norm(const at::Tensor& input, const NormTensors& norm, const SpikeNormOptions& options) {
  const auto& [gamma, beta, running_mean, running_variance] = norm;
  check_spike_norm(input, norm, options);
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

  // Momentum 1 leaves the batch's own mean and unbiased variance in these.
  const auto options_of_statistics = running_mean.options();
  const at::Tensor mean = at::zeros({steps * channels}, options_of_statistics);
  const at::Tensor variance = at::zeros({steps * channels}, options_of_statistics);
  const at::Tensor result =
      has_own_passes(folded, norm)
          ? NormaliseRows::apply(folded, scale, shift, mean, variance, options.epsilon)
          : std::get<0>(at::native_batch_norm(folded, scale, shift, mean, variance, true, 1.0, options.epsilon));
  update_statistics(norm, mean.view({steps, channels}), variance.view({steps, channels}), options);
  return result.view(input.sizes());
}

namespace {
at::Tensor spike_norm_operator(const at::Tensor& input, const at::Tensor& gamma, const at::Tensor& beta,
                               at::Tensor& running_mean, at::Tensor& running_variance, bool training, double momentum,
                               double epsilon) {
  return spike_norm(input, {gamma, beta, running_mean, running_variance}, {training, momentum, epsilon, 1});
}
}  // namespace

TORCH_LIBRARY_IMPL(spikingrx, CPU, library) { library.impl("spike_norm_update", &update_by_step); }
TORCH_LIBRARY_IMPL(spikingrx, CompositeImplicitAutograd, library) { library.impl("spike_norm", &spike_norm_operator); }

}  // namespace spikingrx
