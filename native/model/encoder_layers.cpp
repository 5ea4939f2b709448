#include "model/encoder_layers.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/bernoulli.h>

#include "error.h"

namespace spikingrx {

Signal RateEncoderLayer::forward(const Signal& input, Pass& pass) {
  auto shape = input.value.sizes().vec();
  shape[1] = input.steps;
  // Drawn on the CPU, where the network's generator lives: the same spikes on every device.
  const at::Tensor probability = input.value.detach().clamp(0, 1).nan_to_num(0).cpu().expand(shape);
  Signal output{at::bernoulli(probability, pass.generator).to(input.value.device()), input.steps};
  pass.record(name_, "output", output.value);
  return output;
}

LatencyEncoderLayer::LatencyEncoderLayer(const Spec& spec, std::string name, const Build& build)
    : Layer(std::move(name)), threshold_(spec.number("threshold")), steps_(build.steps) {
  SPIKINGRX_CHECK(threshold_ >= 0 && threshold_ <= 1, "ERR_RANGE", name_,
                  ": latencyEncoder threshold must be in [0, 1], got ", threshold_);
}

Signal LatencyEncoderLayer::forward(const Signal& input, Pass& pass) {
  SPIKINGRX_CHECK(input.value.size(1) == 1, "ERR_SHAPE", name_,
                  ": latencyEncoder expects one sample [B, ...], not a sequence; got ", input.value.sizes());
  const at::Tensor x = input.value.detach();
  const at::Tensor when = ((1 - x.clamp(0, 1)) * static_cast<double>(steps_ - 1)).round();
  std::vector<int64_t> axis(x.dim(), 1);
  axis[1] = input.steps;
  const at::Tensor step = at::arange(pass.first_step, pass.first_step + input.steps, x.options()).view(axis);
  Signal output{step.eq(when).logical_and(x.ge(threshold_)).to(x.scalar_type()), input.steps};
  pass.record(name_, "output", output.value);
  return output;
}

}  // namespace spikingrx
