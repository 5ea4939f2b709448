// For operators whose backward is a kernel: gradients of gradients are refused rather than silently left out.
#pragma once
#include <ATen/core/grad_mode.h>
#include <torch/csrc/autograd/custom_function.h>
#include <torch/csrc/autograd/functions/basic_ops.h>

namespace spikingrx {

// What `compute` gives. Where a graph of the backward pass is built (create_graph), going backward through it throws.
template <class Compute>
torch::autograd::variable_list once_differentiable(const char* name, Compute&& compute) {
  torch::autograd::variable_list gradients;
  {
    at::NoGradGuard no_grad;
    gradients = compute();
  }
  if (!at::GradMode::is_enabled()) return gradients;
  for (auto& gradient : gradients)
    if (gradient.defined()) gradient = gradient.detach().requires_grad_(true);
  const auto error = std::make_shared<torch::autograd::DelayedError>(std::string(name) + " has no second derivative",
                                                                     static_cast<int64_t>(gradients.size()));
  return (*error)(std::move(gradients));
}

}  // namespace spikingrx
