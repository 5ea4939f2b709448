#include "model/loss.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/binary_cross_entropy_with_logits.h>
#include <ATen/ops/cross_entropy_loss.h>
#include <ATen/ops/mse_loss.h>
#include <ATen/ops/one_hot.h>
#include <ATen/ops/stack.h>

#include <cmath>

#include "error.h"

namespace spikingrx {

namespace {

at::Tensor class_indices(const at::Tensor& targets, const at::Tensor& scores) {
  SPIKINGRX_CHECK(targets.dim() == 1 && targets.size(0) == scores.size(0), "ERR_SHAPE",
                  "class targets must have shape [", scores.size(0), "], got ", targets.sizes());
  const at::Tensor classes = targets.to(at::kLong);  // looked at where they are: on a GPU each look would be a wait
  if (classes.numel() > 0) {
    const int64_t lowest = classes.min().item<int64_t>(), highest = classes.max().item<int64_t>();
    SPIKINGRX_CHECK(lowest >= 0 && highest < scores.size(1), "ERR_RANGE", "class targets must be in [0, ",
                    scores.size(1), "), got ", lowest < 0 ? lowest : highest);
  }
  return classes.to(scores.device());
}

// Float targets [B, K] as they are; classes become `correct` at their place and `incorrect` elsewhere.
at::Tensor level_targets(const at::Tensor& targets, const at::Tensor& scores, const Spec& spec) {
  if (!is_class_target(targets)) {
    SPIKINGRX_CHECK(targets.sizes() == scores.sizes(), "ERR_SHAPE", spec.kind, " targets must have shape ",
                    scores.sizes(), ", got ", targets.sizes());
    return targets.to(scores.device(), scores.scalar_type());
  }
  SPIKINGRX_CHECK(spec.kind != "mse", "ERR_TYPE", "mse needs floating point targets [B, K], got classes");
  const double correct = spec.number("correct"), incorrect = spec.number("incorrect");
  const at::Tensor hot = at::one_hot(class_indices(targets, scores), scores.size(1)).to(scores.scalar_type());
  return hot * (correct - incorrect) + incorrect;
}

// Of no counted element the loss is 0, and so is its gradient.
at::Tensor binary_decision_loss(const at::Tensor& logits, const at::Tensor& targets) {
  SPIKINGRX_CHECK(!is_class_target(targets), "ERR_TYPE", "binaryCrossEntropy needs floating point targets, got ",
                  targets.dtype());
  SPIKINGRX_CHECK(targets.sizes() == logits.sizes(), "ERR_SHAPE", "binaryCrossEntropy targets must have shape ",
                  logits.sizes(), ", got ", targets.sizes());
  const at::Tensor wanted = targets.to(logits.device(), logits.scalar_type());
  const at::Tensor counted = wanted.ge(0).to(logits.scalar_type());
  return at::binary_cross_entropy_with_logits(logits, wanted.clamp_min(0), counted, {}, at::Reduction::Sum) /
         counted.sum().clamp_min(1);
}

}  // namespace

bool is_class_target(const at::Tensor& targets) { return at::isIntegralType(targets.scalar_type(), false); }

void check_loss(const Spec& spec) {
  if (spec.kind == "crossEntropy") {
    const std::string& reduce = spec.text("reduce");
    SPIKINGRX_CHECK(reduce == "mean" || reduce == "sum", "ERR_RANGE", "crossEntropy reduce must be mean or sum, got '",
                    reduce, "'");
    const double smoothing = spec.number("labelSmoothing");
    SPIKINGRX_CHECK(smoothing >= 0 && smoothing < 1, "ERR_RANGE", "crossEntropy labelSmoothing must be in [0, 1), got ",
                    smoothing);
  } else if (spec.kind == "rateMse" || spec.kind == "spikeCount") {
    SPIKINGRX_CHECK(std::isfinite(spec.number("correct")) && std::isfinite(spec.number("incorrect")), "ERR_RANGE",
                    spec.kind, " correct and incorrect must be finite");
  } else {
    SPIKINGRX_CHECK(spec.kind == "mse" || spec.kind == "binaryCrossEntropy", "ERR_RANGE",
                    "loss must be crossEntropy, rateMse, spikeCount, mse or binaryCrossEntropy, got '", spec.kind, "'");
  }
}

LossResult compute_loss(const at::Tensor& output, const at::Tensor& targets, const Spec& spec) {
  check_loss(spec);
  if (spec.kind == "binaryCrossEntropy") {
    SPIKINGRX_CHECK(output.dim() >= 3, "ERR_SHAPE", "the loss expects a network output [B, T, ...], got ",
                    output.sizes());
    const at::Tensor logits = output.mean(1);
    return {binary_decision_loss(logits, targets), logits};
  }
  SPIKINGRX_CHECK(output.dim() == 3, "ERR_SHAPE", "the loss expects a network output [B, T, K], got ", output.sizes());
  const bool sum = spec.kind == "spikeCount" || (spec.kind == "crossEntropy" && spec.text("reduce") == "sum");
  const at::Tensor scores = sum ? output.sum(1) : output.mean(1);
  if (spec.kind == "crossEntropy") {
    SPIKINGRX_CHECK(is_class_target(targets), "ERR_TYPE", "crossEntropy needs integer class targets [B], got ",
                    targets.dtype());
    return {at::cross_entropy_loss(scores, class_indices(targets, scores), {}, at::Reduction::Mean, -100,
                                   spec.number("labelSmoothing")),
            scores};
  }
  return {at::mse_loss(scores, level_targets(targets, scores, spec)), scores};
}

void check_rate_penalty(const Spec& spec) {
  if (spec.kind == "none") return;
  SPIKINGRX_CHECK(spec.kind == "firingRate", "ERR_RANGE", "the rate regulariser must be none or firingRate, got '",
                  spec.kind, "'");
  const std::string &norm = spec.text("norm"), &mode = spec.text("mode");
  SPIKINGRX_CHECK(norm == "l1" || norm == "l2", "ERR_RANGE", "firingRate norm must be l1 or l2, got '", norm, "'");
  SPIKINGRX_CHECK(mode == "two-sided" || mode == "upper", "ERR_RANGE",
                  "firingRate mode must be two-sided or upper, got '", mode, "'");
  SPIKINGRX_CHECK(std::isfinite(spec.number("weight")) && std::isfinite(spec.number("target")), "ERR_RANGE",
                  "firingRate weight and target must be finite");
}

at::Tensor rate_penalty(const std::vector<at::Tensor>& rates, const Spec& spec) {
  check_rate_penalty(spec);
  if (spec.kind == "none" || rates.empty()) return {};
  at::Tensor excess = at::stack(rates) - spec.number("target");
  if (spec.text("mode") == "upper") excess = excess.clamp_min(0);
  return (spec.text("norm") == "l1" ? excess.abs() : excess.square()).mean() * spec.number("weight");
}

}  // namespace spikingrx
