// SGD, Adam and AdamW over a list of parameters, on libtorch's fused kernels.
//
//   kinds and options: "sgd" {momentum, dampening, weightDecay, nesterov}, "adam" and "adamW" {beta1, beta2, epsilon,
//   weightDecay} plus "learningRate" in each.
#pragma once
#include <memory>
#include <vector>

#include "api.h"
#include "model/network.h"
#include "model/spec.h"

namespace spikingrx {

class SPIKINGRX_API Optimizer {
 public:
  virtual ~Optimizer() = default;
  // Throws c10::ValueError for an unknown kind or an option out of range.
  static std::unique_ptr<Optimizer> make(const Spec& spec, std::vector<at::Tensor> parameters);

  // Updates every parameter that has a gradient.
  virtual void step(double learning_rate) = 0;
  void zero_grad();

  // Moments by parameter index ("0.firstMoment") and step counts; shares storage.
  virtual std::vector<NamedTensor> state() = 0;
  // Checks names, shapes and dtypes before the first copy.
  void load(const std::vector<NamedTensor>& values);

  double learning_rate() const { return learning_rate_; }
  const std::vector<at::Tensor>& parameters() const { return parameters_; }

 protected:
  std::vector<at::Tensor> parameters_;
  double learning_rate_ = 0;
};

// Scales all gradients together so that their L2 norm is at most `largest` (0: only measures); returns the norm before.
SPIKINGRX_API double clip_gradient_norm(const std::vector<at::Tensor>& parameters, double largest);

}  // namespace spikingrx
