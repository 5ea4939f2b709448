// Optimizers over a list of tensors, for training loops written in TypeScript.
#include "model/optimizer.h"

#include <cmath>

#include "binding/call.h"
#include "binding/named_tensors.h"
#include "binding/specs.h"

namespace spikingrx::binding {
namespace {

Napi::Value optimizer_create(Call& call) {
  auto optimizer = Optimizer::make(to_spec(call[0], "spec"), call.tensors(1, "parameters"));
  return from_handle(call.env(), call.environment.optimizers.put(std::move(optimizer)));
}

Napi::Value optimizer_step(Call& call) {
  Optimizer& optimizer = call.optimizer(0);
  const double rate = to_number(call[1], "learningRate");
  if (!std::isfinite(rate)) fail("ERR_RANGE", "learningRate must be finite, got ", rate);
  optimizer.step(rate < 0 ? optimizer.learning_rate() : rate);
  return call.nothing();
}

Napi::Value optimizer_zero_grad(Call& call) {
  call.optimizer(0).zero_grad();
  return call.nothing();
}

Napi::Value optimizer_state(Call& call) { return from_named(call.environment, call.optimizer(0).state()); }

Napi::Value optimizer_load(Call& call) {
  const std::vector<NamedTensor> values = to_named(call, 1);
  call.optimizer(0).load(values);
  return call.nothing();
}

Napi::Value optimizer_free(Call& call) {
  call.environment.optimizers.remove(to_handle(call[0], "optimizer"));
  return call.nothing();
}

Napi::Value clip_gradients(Call& call) {
  return Napi::Number::New(call.env(),
                           clip_gradient_norm(call.tensors(0, "parameters"), to_number(call[1], "largest")));
}

}  // namespace

void export_optimizers(Exports& exports) {
  exports.add("optimizerCreate", optimizer_create);
  exports.add("optimizerStep", optimizer_step);
  exports.add("optimizerZeroGrad", optimizer_zero_grad);
  exports.add("optimizerState", optimizer_state);
  exports.add("optimizerLoad", optimizer_load);
  exports.add("optimizerFree", optimizer_free);
  exports.add("clipGradientNorm", clip_gradients);
}

}  // namespace spikingrx::binding
