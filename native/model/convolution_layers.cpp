#include "model/convolution_layers.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/zeros.h>

#include <cmath>

#include "error.h"
#include "model/neuron_layers.h"
#include "model/plan_builder.h"
#include "snn/conv_block.h"

namespace spikingrx {

SpikeNormLayer::SpikeNormLayer(const Spec& spec, std::string name, Build& build)
    : Layer(std::move(name)), momentum_(spec.number("momentum")), epsilon_(spec.number("epsilon")) {
  SPIKINGRX_CHECK(build.shape.size() == 3, "ERR_SHAPE", name_, ": spikeNorm expects an input [C, H, W], got ",
                  at::IntArrayRef(build.shape));
  SPIKINGRX_CHECK(momentum_ >= 0 && momentum_ <= 1, "ERR_RANGE", name_, ": spikeNorm momentum must be in [0, 1], got ",
                  momentum_);
  SPIKINGRX_CHECK(epsilon_ > 0, "ERR_RANGE", name_, ": spikeNorm epsilon must be positive, got ", epsilon_);
  const std::string& statistics = spec.text("statistics");
  SPIKINGRX_CHECK(statistics == "shared" || statistics == "perStep", "ERR_RANGE", name_,
                  ": spikeNorm statistics must be shared or perStep, got '", statistics, "'");
  const int64_t channels = build.shape[0];
  const auto shape =
      statistics == "shared" ? std::vector<int64_t>{channels} : std::vector<int64_t>{spec.integer("steps"), channels};
  gamma_ = build.parameter(at::ones({channels}, build.options));
  beta_ = build.parameter(at::zeros({channels}, build.options));
  running_mean_ = build.buffer(at::zeros(shape, build.options));
  running_variance_ = build.buffer(at::ones(shape, build.options));
}

// Row t of the statistics is that of the t-th step since rest, so that a carried state goes on where it was. A sequence
// longer than the statistics is evaluated with their last row; there is nothing to train it with.
at::Tensor SpikeNormLayer::rows(const at::Tensor& running, int64_t first, int64_t steps, bool training) const {
  if (shared()) return running;
  const int64_t known = running.size(0);
  if (first + steps <= known) return running.narrow(0, first, steps);
  SPIKINGRX_CHECK(!training, "ERR_SHAPE", name_, ": spikeNorm keeps statistics of ", known,
                  " steps (perStep) and can't be trained on step ", first + steps,
                  "; make the network with more steps");
  return running.index_select(0, at::arange(first, first + steps, at::kLong).clamp_max(known - 1).to(running.device()));
}

NormTensors SpikeNormLayer::tensors(const Pass& pass, int64_t steps) const {
  const auto of = [&](const at::Tensor& running) {
    return rows(running, pass.first_step, steps, pass.options.training);
  };
  return {gamma_, beta_, of(running_mean_), of(running_variance_)};
}

Signal SpikeNormLayer::forward(const Signal& input, Pass& pass) {
  const bool training = pass.options.training;
  // A constant input has the same statistics at every step; what differs by step is the running statistics.
  Signal signal = input;
  if (input.constant() && !shared() && !training) {
    auto shape = input.value.sizes().vec();
    shape[1] = input.steps;
    signal.value = input.value.expand(shape);
  }
  SpikeNormOptions options{training, momentum_, epsilon_, signal.constant() ? signal.steps : 1};
  Signal output{spike_norm(signal.value, tensors(pass, input.steps), options), signal.steps};
  pass.record(name_, "output", output.value);
  return output;
}

std::optional<Signal> SpikeNormLayer::forward_with(Layer& next, const Signal& input, Pass& pass) {
  auto* lif = dynamic_cast<LifLayer*>(&next);
  if (!lif || !pass.options.training || pass.options.record || input.constant()) return std::nullopt;
  return lif->forward_normalised(input, tensors(pass, input.steps), {true, momentum_, epsilon_, 1}, pass);
}

bool SpikeNormLayer::plan(PlanBuilder& plan) const {
  plan.affine(name_, scale(), shift());
  return true;
}

void SpikeNormLayer::visit(const ParameterSink& sink) {
  sink(name_ + ".gamma", gamma_, true);
  sink(name_ + ".beta", beta_, true);
  sink(name_ + ".runningMean", running_mean_, false);
  sink(name_ + ".runningVariance", running_variance_, false);
}

at::Tensor SpikeNormLayer::scale() const { return gamma_.detach() / (running_variance_ + epsilon_).sqrt(); }

at::Tensor SpikeNormLayer::shift() const { return beta_.detach() - running_mean_ * scale(); }

ConvLayer::ConvLayer(const Spec& spec, std::string name, Build& build)
    : Layer(std::move(name)), stride_(spec.integers("stride")), padding_(spec.integers("padding")) {
  const auto kernel = spec.integers("kernel");
  const int64_t channels = spec.integer("channels");
  SPIKINGRX_CHECK(build.shape.size() == 3, "ERR_SHAPE", name_, ": convBlock expects an input [C, H, W], got ",
                  at::IntArrayRef(build.shape));
  SPIKINGRX_CHECK(channels > 0, "ERR_RANGE", name_, ": convBlock channels must be positive, got ", channels);
  SPIKINGRX_CHECK(kernel.size() == 2 && stride_.size() == 2 && padding_.size() == 2, "ERR_SHAPE", name_,
                  ": convBlock kernel, stride and padding must be [height, width]");
  auto shape = build.shape;
  shape[0] = channels;
  for (int d = 0; d < 2; d++) {
    SPIKINGRX_CHECK(kernel[d] > 0 && stride_[d] > 0 && padding_[d] >= 0, "ERR_RANGE", name_,
                    ": convBlock kernel and stride must be positive, padding not negative");
    const int64_t room = build.shape[d + 1] + 2 * padding_[d] - kernel[d];
    SPIKINGRX_CHECK(room >= 0, "ERR_SHAPE", name_, ": convBlock kernel ", at::IntArrayRef(kernel),
                    " is larger than the padded input ", at::IntArrayRef(build.shape));
    shape[d + 1] = room / stride_[d] + 1;
  }
  const std::string& initial = spec.text("initial");
  SPIKINGRX_CHECK(initial == "kaiming" || initial == "uniform", "ERR_RANGE", name_,
                  ": convBlock initial must be kaiming or uniform, got '", initial, "'");
  const double window = static_cast<double>(kernel[0]) * static_cast<double>(kernel[1]);
  const double deviation = std::sqrt(2.0 / static_cast<double>(channels) / window);
  const double bound = 1 / std::sqrt(static_cast<double>(build.shape[0]) * window);
  const auto drawn = [&](at::IntArrayRef sizes) {
    const at::Tensor values = at::empty(sizes, build.options);
    return initial == "kaiming" ? values.normal_(0, deviation, build.generator)
                                : values.uniform_(-bound, bound, build.generator);
  };
  weight_ = build.parameter(drawn({channels, build.shape[0], kernel[0], kernel[1]}));
  if (spec.flag("bias"))
    bias_ = build.parameter(initial == "kaiming" ? at::zeros({channels}, build.options) : drawn({channels}));
  build.shape = shape;
}

ConvLayer::ConvLayer(std::string name, at::Tensor weight, at::Tensor bias, std::vector<int64_t> stride,
                     std::vector<int64_t> padding)
    : Layer(std::move(name)),
      weight_(std::move(weight)),
      bias_(std::move(bias)),
      stride_(std::move(stride)),
      padding_(std::move(padding)) {}

Signal ConvLayer::forward(const Signal& input, Pass& pass) {
  Signal output{conv_block(input.value, weight_, bias_, stride_, padding_), input.steps};
  pass.record(name_, "output", output.value);
  return output;
}

bool ConvLayer::plan(PlanBuilder& plan) const {
  plan.convolution(name_, weight_, bias_, stride_, padding_);
  return true;
}

void ConvLayer::visit(const ParameterSink& sink) {
  sink(name_ + ".weight", weight_, true);
  if (bias_.defined()) sink(name_ + ".bias", bias_, true);
}

std::shared_ptr<Layer> ConvLayer::folded_with(const Layer& next) const {
  const auto* norm = dynamic_cast<const SpikeNormLayer*>(&next);
  if (!norm || !norm->shared()) return nullptr;
  at::NoGradGuard no_grad;
  const at::Tensor scale = norm->scale();
  const at::Tensor weight = weight_.detach() * scale.view({-1, 1, 1, 1});
  const at::Tensor bias = bias_.defined() ? bias_.detach() * scale + norm->shift() : norm->shift();
  return std::make_shared<ConvLayer>(name_, weight, bias, stride_, padding_);
}

}  // namespace spikingrx
