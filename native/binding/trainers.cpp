// Trainers: a network with loss, optimizer and schedule, advanced one step at a time on the executor.
#include "model/trainer.h"

#include <c10/core/GradMode.h>

#include <algorithm>

#include "binding/call.h"
#include "binding/named_tensors.h"
#include "binding/specs.h"
#include "model/schedule.h"

namespace spikingrx::binding {
namespace {

Napi::Value trainer_create(Call& call) {
  const auto network = call.network(0);
  TrainerSpec spec = to_trainer_spec(call[1]);
  const auto lock = network->own();
  auto trainer = std::make_unique<Trainer>(network->network, std::move(spec));
  return from_handle(call.env(),
                     call.environment.trainers.put(std::make_shared<TrainerEntry>(network, std::move(trainer))));
}

// One array instead of an object of named numbers: setting names costs 50 us a step when the caches are cold.
Napi::Value give_step(Environment& environment, const StepReport& report) {
  const std::vector<double>& rates = report.firing_rates;
  auto numbers = Napi::Float64Array::New(environment.env(), 5 + rates.size());
  numbers[0] = report.loss;
  numbers[1] = report.gradient_norm;
  numbers[2] = report.learning_rate;
  numbers[3] = static_cast<double>(report.correct);
  numbers[4] = static_cast<double>(report.samples);
  std::copy(rates.begin(), rates.end(), numbers.Data() + 5);
  return numbers;
}

Napi::Value trainer_step_async(Call& call) {
  const auto work = [entry = call.trainer(0), inputs = call.tensor(1, "inputs"), targets = call.tensor(2, "targets")] {
    const c10::AutoGradMode grad(true);
    const auto lock = entry->network->wait();
    return entry->trainer->step(inputs, targets);
  };
  return run_job(call, work, give_step);
}

Napi::Value trainer_state(Call& call) {
  const auto entry = call.trainer(0);
  const auto lock = entry->network->own();
  return from_named(call.environment, entry->trainer->state());
}

Napi::Value trainer_load(Call& call) {
  const auto entry = call.trainer(0);
  const std::vector<NamedTensor> values = to_named(call, 1);
  const auto lock = entry->network->own();
  entry->trainer->load(values);
  return call.nothing();
}

Napi::Value trainer_free(Call& call) {
  call.environment.trainers.remove(to_handle(call[0], "trainer"));
  return call.nothing();
}

Napi::Value learning_rate_at(Call& call) {
  return Napi::Number::New(call.env(), learning_rate(to_spec(call[0], "schedule"), to_number(call[1], "base"),
                                                     to_integer(call[2], "step"), to_integer(call[3], "totalSteps")));
}

}  // namespace

void export_trainers(Exports& exports) {
  exports.add("trainerCreate", trainer_create);
  exports.add("trainerStepAsync", trainer_step_async);
  exports.add("trainerState", trainer_state);
  exports.add("trainerLoad", trainer_load);
  exports.add("trainerFree", trainer_free);
  exports.add("learningRate", learning_rate_at);
}

}  // namespace spikingrx::binding
