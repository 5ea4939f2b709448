#include "model/optimizer.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/_foreach_mul.h>
#include <ATen/ops/_foreach_norm.h>
#include <ATen/ops/_fused_adam.h>
#include <ATen/ops/_fused_adamw.h>
#include <ATen/ops/_fused_sgd.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/zeros.h>
#include <ATen/ops/zeros_like.h>

#include <cmath>

#include "error.h"
#include "model/named_tensors.h"

namespace spikingrx {

namespace {

// libtorch's fused kernels leave the versions of what they change as they were; inference plans go by them.
void note_change(const std::vector<at::Tensor>& parameters) {
  for (const auto& parameter : parameters) parameter.unsafeGetTensorImpl()->bump_version();
}

double non_negative(const Spec& spec, const char* name) {
  const double value = spec.number(name);
  SPIKINGRX_CHECK(value >= 0 && std::isfinite(value), "ERR_RANGE", spec.kind, " ", name,
                  " must be finite and not negative, got ", value);
  return value;
}

double share(const Spec& spec, const char* name) {
  const double value = spec.number(name);
  SPIKINGRX_CHECK(value >= 0 && value < 1, "ERR_RANGE", spec.kind, " ", name, " must be in [0, 1), got ", value);
  return value;
}

std::string slot(size_t index, const char* name) { return std::to_string(index) + "." + name; }

// v := momentum v + (1 - dampening) g (v := g at the first step); p := p - lr v, or g + momentum v with nesterov.
// g includes weightDecay * p.
class Sgd final : public Optimizer {
 public:
  Sgd(const Spec& spec, std::vector<at::Tensor> parameters)
      : momentum_(share(spec, "momentum")),
        dampening_(spec.number("dampening")),
        weight_decay_(non_negative(spec, "weightDecay")),
        nesterov_(spec.flag("nesterov")) {
    SPIKINGRX_CHECK(std::isfinite(dampening_), "ERR_RANGE", "sgd dampening must be finite, got ", dampening_);
    SPIKINGRX_CHECK(!nesterov_ || (momentum_ > 0 && dampening_ == 0), "ERR_RANGE",
                    "sgd nesterov needs a momentum above 0 and no dampening");
    parameters_ = std::move(parameters);
    for (const auto& parameter : parameters_) {
      velocity_.push_back(momentum_ > 0 ? at::zeros_like(parameter.detach()) : at::Tensor());
      started_.push_back(at::zeros({}, at::kByte));
    }
  }

  void step(double learning_rate) override {
    at::NoGradGuard no_grad;
    std::vector<size_t> fresh, moving;  // the kernel takes one answer to "is this the first step" for all it gets
    for (size_t i = 0; i < parameters_.size(); i++)
      if (parameters_[i].grad().defined()) (started_[i].item<uint8_t>() ? moving : fresh).push_back(i);
    update(fresh, learning_rate, true);
    update(moving, learning_rate, false);
    for (const size_t i : fresh) started_[i].fill_(1);
  }

  std::vector<NamedTensor> state() override {
    std::vector<NamedTensor> list;
    for (size_t i = 0; momentum_ > 0 && i < parameters_.size(); i++) {
      list.push_back({slot(i, "velocity"), velocity_[i], false});
      list.push_back({slot(i, "started"), started_[i], false});
    }
    return list;
  }

 private:
  void update(const std::vector<size_t>& indices, double learning_rate, bool first) {
    if (indices.empty()) return;
    std::vector<at::Tensor> parameters, gradients, velocity;
    for (const size_t i : indices) {
      parameters.push_back(parameters_[i]);
      gradients.push_back(parameters_[i].grad());
      if (momentum_ > 0) velocity.push_back(velocity_[i]);
    }
    at::_fused_sgd_(parameters, gradients, velocity, weight_decay_, momentum_, learning_rate, dampening_, nesterov_,
                    /*maximize=*/false, /*is_first_step=*/first);
    note_change(parameters);
  }

  double momentum_, dampening_, weight_decay_;
  bool nesterov_;
  std::vector<at::Tensor> velocity_, started_;
};

// Adam (Kingma & Ba 2015); AdamW decouples the weight decay (Loshchilov & Hutter 2019).
class Adam final : public Optimizer {
 public:
  Adam(const Spec& spec, std::vector<at::Tensor> parameters)
      : decoupled_(spec.kind == "adamW"),
        beta1_(share(spec, "beta1")),
        beta2_(share(spec, "beta2")),
        epsilon_(non_negative(spec, "epsilon")),
        weight_decay_(non_negative(spec, "weightDecay")) {
    parameters_ = std::move(parameters);
    for (const auto& parameter : parameters_) {
      first_moment_.push_back(at::zeros_like(parameter.detach()));
      second_moment_.push_back(at::zeros_like(parameter.detach()));
      steps_.push_back(at::zeros({}, parameter.options().dtype(at::kFloat)));
    }
  }

  void step(double learning_rate) override {
    at::NoGradGuard no_grad;
    std::vector<at::Tensor> parameters, gradients, first, second, steps;
    for (size_t i = 0; i < parameters_.size(); i++) {
      if (!parameters_[i].grad().defined()) continue;
      parameters.push_back(parameters_[i]);
      gradients.push_back(parameters_[i].grad());
      first.push_back(first_moment_[i]);
      second.push_back(second_moment_[i]);
      steps.push_back(steps_[i].add_(1));
    }
    if (parameters.empty()) return;
    if (decoupled_)
      at::_fused_adamw_(parameters, gradients, first, second, {}, steps, learning_rate, beta1_, beta2_, weight_decay_,
                        epsilon_, /*amsgrad=*/false, /*maximize=*/false);
    else
      at::_fused_adam_(parameters, gradients, first, second, {}, steps, learning_rate, beta1_, beta2_, weight_decay_,
                       epsilon_, /*amsgrad=*/false, /*maximize=*/false);
    note_change(parameters);
  }

  std::vector<NamedTensor> state() override {
    std::vector<NamedTensor> list;
    for (size_t i = 0; i < parameters_.size(); i++) {
      list.push_back({slot(i, "firstMoment"), first_moment_[i], false});
      list.push_back({slot(i, "secondMoment"), second_moment_[i], false});
      list.push_back({slot(i, "steps"), steps_[i], false});
    }
    return list;
  }

 private:
  bool decoupled_;
  double beta1_, beta2_, epsilon_, weight_decay_;
  std::vector<at::Tensor> first_moment_, second_moment_, steps_;
};

}  // namespace

std::unique_ptr<Optimizer> Optimizer::make(const Spec& spec, std::vector<at::Tensor> parameters) {
  const double learning_rate = non_negative(spec, "learningRate");
  for (const auto& parameter : parameters) {
    SPIKINGRX_CHECK(parameter.is_leaf() && parameter.is_floating_point(), "ERR_TYPE",
                    "an optimizer's parameters must be floating point leaf tensors, got ", parameter.dtype());
    // libtorch's fused kernels walk the memory from the first element on, whatever the strides.
    SPIKINGRX_CHECK(parameter.unsafeGetTensorImpl()->is_non_overlapping_and_dense(), "ERR_SHAPE",
                    "an optimizer's parameters must fill their memory without gaps, got strides ", parameter.strides(),
                    " for shape ", parameter.sizes(), "; make a contiguous copy of the view first");
  }
  std::unique_ptr<Optimizer> optimizer;
  if (spec.kind == "sgd")
    optimizer = std::make_unique<Sgd>(spec, std::move(parameters));
  else if (spec.kind == "adam" || spec.kind == "adamW")
    optimizer = std::make_unique<Adam>(spec, std::move(parameters));
  SPIKINGRX_CHECK(optimizer != nullptr, "ERR_RANGE", "optimizer must be sgd, adam or adamW, got '", spec.kind, "'");
  optimizer->learning_rate_ = learning_rate;
  return optimizer;
}

void Optimizer::zero_grad() {
  for (auto& parameter : parameters_) parameter.mutable_grad() = at::Tensor();
}

void Optimizer::load(const std::vector<NamedTensor>& values) { copy_named(state(), values, "the optimizer"); }

double clip_gradient_norm(const std::vector<at::Tensor>& parameters, double largest) {
  SPIKINGRX_CHECK(largest >= 0, "ERR_RANGE", "the largest gradient norm must not be negative, got ", largest);
  at::NoGradGuard no_grad;
  std::vector<at::Tensor> gradients;
  for (const auto& parameter : parameters)
    if (parameter.grad().defined()) gradients.push_back(parameter.grad());
  if (gradients.empty()) return 0;
  const double norm = at::stack(at::_foreach_norm(gradients)).to(at::kDouble).norm().item<double>();
  if (largest > 0 && norm > largest) at::_foreach_mul_(gradients, largest / (norm + 1e-6));
  return norm;
}

}  // namespace spikingrx
