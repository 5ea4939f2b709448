#include "model/decision.h"

#include <ATen/ops/argmax.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/mean.h>
#include <ATen/ops/softmax.h>

#include <cmath>

#include "model/time_mean.h"

namespace spikingrx {
namespace {

// As argmax: the first of equals, and the first that is not a number before all.
at::Tensor places_of_largest(const at::Tensor& scores) {
  const int64_t batch = scores.size(0), width = scores.size(1);
  at::Tensor classes = at::empty({batch}, at::kInt);
  const float* s = scores.const_data_ptr<float>();
  for (int64_t b = 0; b < batch; b++, s += width) {
    int64_t best = 0;
    for (int64_t k = 1; k < width && !std::isnan(s[best]); k++)
      if (s[k] > s[best] || std::isnan(s[k])) best = k;
    classes.mutable_data_ptr<int32_t>()[b] = static_cast<int32_t>(best);
  }
  return classes;
}

}  // namespace

Decision decide(const at::Tensor& output, bool probabilities) {
  Decision decision;
  at::Tensor mean;
  if (output.dim() != 3 || output.numel() == 0) {
    mean = output.mean(1);
    decision.scores = mean.to(at::kCPU, at::kFloat);
    decision.classes = at::empty({0}, at::kInt);
    if (output.dim() != 3) return decision;
  } else if (output.device().is_cpu() && output.scalar_type() == at::kFloat && output.is_contiguous()) {
    // Of one sample libtorch's operators would take longer than the network.
    decision.scores = mean = at::empty({output.size(0), output.size(2)}, at::kFloat);
    mean_over_time(output.const_data_ptr<float>(), output.size(0), output.size(1), output.size(2),
                   mean.mutable_data_ptr<float>());
    decision.classes = places_of_largest(decision.scores);
  } else {
    mean = output.mean(1);
    decision.scores = mean.to(at::kCPU, at::kFloat);
    decision.classes = mean.argmax(1).to(at::kCPU, at::kInt);
  }
  if (probabilities) decision.probabilities = mean.softmax(1).to(at::kCPU, at::kFloat);
  return decision;
}

}  // namespace spikingrx
