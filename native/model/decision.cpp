#include "model/decision.h"

#include <ATen/ops/argmax.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/mean.h>
#include <ATen/ops/softmax.h>

namespace spikingrx {

Decision decide(const at::Tensor& output, bool probabilities) {
  const at::Tensor mean = output.mean(1);
  Decision decision;
  decision.scores = mean.to(at::kCPU, at::kFloat);
  if (mean.dim() != 2) {
    decision.classes = at::empty({0}, at::kInt);
    return decision;
  }
  decision.classes = mean.numel() > 0 ? mean.argmax(1).to(at::kCPU, at::kInt) : at::empty({0}, at::kInt);
  if (probabilities) decision.probabilities = mean.softmax(1).to(at::kCPU, at::kFloat);
  return decision;
}

}  // namespace spikingrx
