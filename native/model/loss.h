// Losses over the output sequence [B, T, K] (binaryCrossEntropy: [B, T, ...]): the mean over the batch, and the values
// that decide.
//
//   crossEntropy {reduce "mean" | "sum", labelSmoothing}  cross-entropy of the output averaged or summed over time
//   rateMse      {correct, incorrect}                     mean of (rate - target)^2, rate the mean over time
//   spikeCount   {correct, incorrect}                     the same of the count over time
//   mse          {}                                       mean of (mean over time - target)^2, target [B, K]
//   binaryCrossEntropy {}  mean of log(1 + e^x) - x y over the elements whose target y is not negative, x the mean over
//                          time: x is the logit log P(1) / P(0), such as the LLR of a bit; target [B, ...] as the
//                          output
#pragma once
#include <ATen/core/Tensor.h>

#include "api.h"
#include "model/spec.h"

namespace spikingrx {

// Whether targets are class indices (any integer type) and not values to be met.
SPIKINGRX_API bool is_class_target(const at::Tensor& targets);

struct LossResult {
  at::Tensor loss;    // 0-d
  at::Tensor scores;  // [B, ...] what decides: output reduced over time
};

// targets: int64 [B] classes in [0, K), or floating point [B, K] (mse, rateMse, spikeCount), [B, ...]
// (binaryCrossEntropy).
SPIKINGRX_API LossResult compute_loss(const at::Tensor& output, const at::Tensor& targets, const Spec& spec);

// Throws c10::ValueError for an unknown kind or an option out of range.
SPIKINGRX_API void check_loss(const Spec& spec);

// How far the mean firing rates are from a target: weight * mean over layers of |rate - target| or its square.
//   firingRate {weight, target, norm "l1" | "l2", mode "two-sided" | "upper"}; "none" gives an undefined tensor.
SPIKINGRX_API at::Tensor rate_penalty(const std::vector<at::Tensor>& rates, const Spec& spec);

// Throws c10::ValueError for an unknown kind or an option out of range.
SPIKINGRX_API void check_rate_penalty(const Spec& spec);

}  // namespace spikingrx
