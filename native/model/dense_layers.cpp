#include "model/dense_layers.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/avg_pool2d.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/max_pool2d.h>
#include <ATen/ops/tensor.h>

#include <cmath>

#include "error.h"
#include "model/plan_builder.h"
#include "snn/conv_block.h"

namespace spikingrx {

LinearLayer::LinearLayer(const Spec& spec, std::string name, Build& build) : Layer(std::move(name)) {
  SPIKINGRX_CHECK(build.shape.size() == 1, "ERR_SHAPE", name_, ": linear expects an input [D], got ",
                  at::IntArrayRef(build.shape), "; add a flatten layer before it");
  const int64_t features = spec.integer("features"), inputs = build.shape[0];
  SPIKINGRX_CHECK(features > 0, "ERR_RANGE", name_, ": linear features must be positive, got ", features);
  const double bound = 1 / std::sqrt(static_cast<double>(std::max<int64_t>(1, inputs)));
  weight_ = build.parameter(at::empty({features, inputs}, build.options).uniform_(-bound, bound, build.generator));
  if (spec.flag("bias"))
    bias_ = build.parameter(at::empty({features}, build.options).uniform_(-bound, bound, build.generator));
  build.shape = {features};
}

Signal LinearLayer::forward(const Signal& input, Pass& pass) {
  Signal output{at::linear(input.value, weight_, bias_), input.steps};
  pass.record(name_, "output", output.value);
  return output;
}

bool LinearLayer::plan(PlanBuilder& plan) const {
  plan.linear(name_, weight_, bias_);
  return true;
}

void LinearLayer::visit(const ParameterSink& sink) {
  sink(name_ + ".weight", weight_, true);
  if (bias_.defined()) sink(name_ + ".bias", bias_, true);
}

PoolLayer::PoolLayer(const Spec& spec, std::string name, Build& build)
    : Layer(std::move(name)),
      average_(spec.kind == "averagePool"),
      kernel_(spec.integers("kernel")),
      stride_(spec.integers("stride")),
      padding_(spec.integers("padding")) {
  SPIKINGRX_CHECK(build.shape.size() == 3, "ERR_SHAPE", name_, ": ", spec.kind, " expects an input [C, H, W], got ",
                  at::IntArrayRef(build.shape));
  SPIKINGRX_CHECK(kernel_.size() == 2 && stride_.size() == 2 && padding_.size() == 2, "ERR_SHAPE", name_, ": ",
                  spec.kind, " kernel, stride and padding must be [height, width]");
  for (int d = 0; d < 2; d++) {
    SPIKINGRX_CHECK(kernel_[d] > 0 && stride_[d] > 0 && padding_[d] >= 0 && 2 * padding_[d] <= kernel_[d], "ERR_RANGE",
                    name_, ": ", spec.kind, " kernel and stride must be positive, padding at most half the kernel");
    const int64_t room = build.shape[d + 1] + 2 * padding_[d] - kernel_[d];
    SPIKINGRX_CHECK(room >= 0, "ERR_SHAPE", name_, ": ", spec.kind, " kernel ", at::IntArrayRef(kernel_),
                    " is larger than the input ", at::IntArrayRef(build.shape));
    build.shape[d + 1] = room / stride_[d] + 1;
  }
}

Signal PoolLayer::forward(const Signal& input, Pass& pass) {
  const auto pool = [&](const at::Tensor& x) {
    return average_ ? at::avg_pool2d(x, kernel_, stride_, padding_) : at::max_pool2d(x, kernel_, stride_, padding_);
  };
  Signal output{fold_time(input.value, pool), input.steps};
  pass.record(name_, "output", output.value);
  return output;
}

bool PoolLayer::plan(PlanBuilder& plan) const {
  plan.pool(name_, average_, kernel_, stride_, padding_);
  return true;
}

FlattenLayer::FlattenLayer(std::string name, Build& build) : Layer(std::move(name)) {
  int64_t size = 1;
  for (const int64_t length : build.shape)
    SPIKINGRX_CHECK(!__builtin_mul_overflow(size, length, &size), "ERR_SHAPE", name_, ": an input of ",
                    at::IntArrayRef(build.shape), " has too many elements to flatten");
  build.shape = {size};
}

Signal FlattenLayer::forward(const Signal& input, Pass&) { return {input.value.flatten(2), input.steps}; }

bool FlattenLayer::plan(PlanBuilder& plan) const {
  plan.flatten();
  return true;
}

Signal ReluLayer::forward(const Signal& input, Pass& pass) {
  Signal output{input.value.relu(), input.steps};
  pass.record(name_, "output", output.value);
  return output;
}

bool ReluLayer::plan(PlanBuilder& plan) const {
  plan.relu(name_);
  return true;
}

Signal TimeMeanLayer::forward(const Signal& input, Pass& pass) {
  Signal output{input.value.size(1) == 1 ? input.value : input.value.mean(1, /*keepdim=*/true), input.steps};
  pass.record(name_, "output", output.value);
  return output;
}

bool TimeMeanLayer::plan(PlanBuilder& plan) const {
  plan.time_mean(name_);
  return true;
}

DropoutLayer::DropoutLayer(const Spec& spec, std::string name)
    : Layer(std::move(name)), probability_(spec.number("probability")) {
  SPIKINGRX_CHECK(probability_ >= 0 && probability_ < 1, "ERR_RANGE", name_,
                  ": dropout probability must be in [0, 1), got ", probability_);
}

Signal DropoutLayer::forward(const Signal& input, Pass& pass) {
  if (!pass.options.training || probability_ == 0) return input;
  auto shape = input.value.sizes().vec();
  shape[1] = 1;
  // Drawn on the CPU, where the network's generator lives: the same mask on every device.
  const at::Tensor drawn =
      at::empty(shape, at::TensorOptions().dtype(at::kFloat)).bernoulli_(1 - probability_, pass.generator);
  const at::Tensor mask = drawn.to(input.value.options());
  return {input.value * (mask / (1 - probability_)), input.steps};
}

NormalizeLayer::NormalizeLayer(const Spec& spec, std::string name, Build& build) : Layer(std::move(name)) {
  const auto mean = spec.numbers("mean"), deviation = spec.numbers("std");
  const auto channels = static_cast<size_t>(build.shape[0]);
  SPIKINGRX_CHECK(mean.size() == channels && deviation.size() == channels, "ERR_SHAPE", name_,
                  ": normalize needs one mean and one std for each of the ", channels, " channels");
  for (const double value : deviation)
    SPIKINGRX_CHECK(value > 0 && std::isfinite(value), "ERR_RANGE", name_, ": normalize std must be positive, got ",
                    value);
  std::vector<int64_t> shape(build.shape.size(), 1);
  shape[0] = build.shape[0];
  mean_ = build.buffer(at::tensor(mean, at::kDouble).to(build.options).view(shape));
  deviation_ = build.buffer(at::tensor(deviation, at::kDouble).to(build.options).view(shape));
}

Signal NormalizeLayer::forward(const Signal& input, Pass&) { return {(input.value - mean_) / deviation_, input.steps}; }

bool NormalizeLayer::plan(PlanBuilder& plan) const {
  const at::Tensor scale = 1 / deviation_.reshape({-1});
  plan.affine("", scale, -mean_.reshape({-1}) * scale);
  return true;
}

}  // namespace spikingrx
