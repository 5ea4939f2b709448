// Networks: creation, parameters, forward passes, evaluation.
#include "model/network.h"

#include <ATen/Parallel.h>
#include <c10/core/GradMode.h>

#include <chrono>

#include "binding/call.h"
#include "binding/named_tensors.h"
#include "binding/specs.h"
#include "binding/typed_array.h"
#include "model/decision.h"
#include "model/engine_costs.h"
#include "model/trainer.h"

namespace spikingrx::binding {
namespace {

Napi::Value give_network(Environment& environment, std::shared_ptr<Network> network) {
  return from_handle(environment.env(), environment.networks.put(std::make_shared<NetworkEntry>(std::move(network))));
}

// The arguments of networkCreate, as a function that makes the network on whichever thread.
auto network_maker(Call& call) {
  const int64_t seed = to_integer(call[1], "seed");
  if (seed < 0) fail("ERR_RANGE", "seed must not be negative, got ", seed);
  return [spec = to_network_spec(call[0]), seed, device = to_device(call[2], "device"),
          dtype = to_dtype(call[3], "dtype")]() mutable {
    return std::make_shared<Network>(std::move(spec), static_cast<uint64_t>(seed), device, dtype);
  };
}

Napi::Value network_create(Call& call) { return give_network(call.environment, network_maker(call)()); }

Napi::Value network_create_async(Call& call) { return run_job(call, network_maker(call), give_network); }

Napi::Value network_tensors(Call& call) {
  const auto entry = call.network(0);
  const auto lock = entry->own();
  return from_named(call.environment, entry->network->tensors());
}

Napi::Value network_load(Call& call) {
  const auto entry = call.network(0);
  const std::vector<NamedTensor> values = to_named(call, 1);
  const auto lock = entry->own();
  entry->network->load(values);
  return call.nothing();
}

Napi::Value network_spiking_layers(Call& call) {
  return from_texts(call.env(), call.network(0)->network->spiking_layers());
}

struct Forward {
  std::shared_ptr<NetworkEntry> entry;
  at::Tensor input;
  ForwardOptions options;
  NetworkState state;
};

Engine to_engine(const Napi::Object& options) {
  const Napi::Value value = options.Get("engine");
  if (value.IsUndefined()) return Engine::kDense;
  const std::string name = to_text(value, "options.engine");
  if (name == "dense") return Engine::kDense;
  if (name == "auto") return Engine::kAuto;
  if (name == "event") return Engine::kEvent;
  fail("ERR_RANGE", "options.engine must be auto, dense or event, got '", name, "'");
}

// A flag that may be left out.
bool option(const Napi::Object& options, const char* name) {
  const Napi::Value value = options.Get(name);
  if (value.IsUndefined()) return false;
  return value.IsBoolean() ? value.As<Napi::Boolean>().Value() : to_flag(value, c10::str("options.", name));
}

ForwardOptions to_forward_options(Napi::Value value) {
  const Napi::Object object = to_object(value, "options");
  ForwardOptions options;
  options.training = option(object, "training");
  options.carry_state = option(object, "carryState");
  options.record = option(object, "record");
  options.measure_rates = option(object, "measureRates");
  options.engine = to_engine(object);
  return options;
}

Forward to_forward(const Call& call) {
  return {call.network(0), call.tensor(1, "input"), to_forward_options(call[2]), call.tensors(3, "state")};
}

Napi::Array give_all(Environment& environment, std::vector<at::Tensor> tensors) {
  Napi::Array handles = Napi::Array::New(environment.env(), tensors.size());
  for (uint32_t i = 0; i < tensors.size(); i++) {
    handles[i] = from_handle(environment.env(), environment.tensors.put(std::move(tensors[i])));
  }
  return handles;
}

Napi::Array give_records(Environment& environment, std::vector<Record> list) {
  const Napi::Env env = environment.env();
  Napi::Array records = Napi::Array::New(env, list.size());
  for (uint32_t i = 0; i < list.size(); i++) {
    Record& record = list[i];
    Napi::Object object = Napi::Object::New(env);
    object.Set("layer", record.layer);
    object.Set("quantity", record.quantity);
    object.Set("handle", from_handle(env, environment.tensors.put(std::move(record.value))));
    records[i] = object;
  }
  return records;
}

Napi::Value give_forward(Environment& environment, ForwardResult forward) {
  const Napi::Env env = environment.env();
  Napi::Object result = Napi::Object::New(env);
  result.Set("output", from_handle(env, environment.tensors.put(std::move(forward.output))));
  result.Set("state", give_all(environment, std::move(forward.state)));
  result.Set("records", give_records(environment, std::move(forward.records)));
  result.Set("rates", give_all(environment, std::move(forward.rates)));
  return result;
}

// Follows the gradient mode of the calling thread.
Napi::Value network_forward(Call& call) {
  const Forward forward = to_forward(call);
  const auto lock = forward.entry->own();
  return give_forward(call.environment, forward.entry->network->forward(forward.input, forward.options, forward.state));
}

Napi::Value network_forward_async(Call& call) {
  const auto work = [forward = to_forward(call)] {
    const c10::NoGradGuard no_grad;
    const auto lock = forward.entry->wait();
    return forward.entry->network->forward(forward.input, forward.options, forward.state);
  };
  return run_job(call, work, give_forward);
}

struct Inference {
  ForwardResult forward;
  Decision decision;
  std::vector<double> rates;
};

Napi::Value give_inference(Environment& environment, Inference inference) {
  const Napi::Env env = environment.env();
  const auto& [scores, classes, probabilities] = inference.decision;
  Napi::Object result = Napi::Object::New(env);
  result.Set("scores", to_typed_array(env, scores));
  result.Set("shape", from_integers(env, scores.sizes()));
  result.Set("classes", to_typed_array(env, classes));
  if (probabilities.defined()) result.Set("probabilities", to_typed_array(env, probabilities));
  at::Tensor& output = inference.forward.output;
  if (output.defined()) result.Set("output", from_handle(env, environment.tensors.put(std::move(output))));
  result.Set("state", give_all(environment, std::move(inference.forward.state)));
  result.Set("records", give_records(environment, std::move(inference.forward.records)));
  result.Set("rates", from_numbers(env, inference.rates));
  return result;
}

// Samples times time steps; 0 for an input that no network takes.
int64_t presentations_of(const Network& network, const at::Tensor& input) {
  const NetworkSpec& spec = network.spec();
  const int64_t rank = input.dim() - static_cast<int64_t>(spec.input.size());
  return rank == 1 ? input.size(0) * spec.steps : rank == 2 ? input.size(0) * input.size(1) : 0;
}

bool runs_here(NetworkEntry& entry, const at::Tensor& input, bool alone) {
  if (!entry.calls.next(alone) || !entry.network->device().is_cpu()) return false;
  const std::unique_lock lock(entry.mutex, std::try_to_lock);
  if (!lock.owns_lock()) return false;
  return entry.inference.expected(presentations_of(*entry.network, input));
}

// From values to decisions in one call.
Napi::Value network_infer_async(Call& call) {
  const Napi::Object options = to_object(call[4], "options");
  at::Tensor input = call[1].IsNumber()
                         ? call.tensor(1, "input")
                         : from_typed_array(call[1], to_shape(call[2], "shape"), to_dtype(call[3], "dtype"));
  const auto entry = call.network(0);
  const bool here = !option(options, "offThread") && runs_here(*entry, input, call.environment.executor.idle());
  const auto work = [entry, input = std::move(input), forward_options = to_forward_options(options),
                     state = call.tensors(5, "state"), keep_output = option(options, "output"),
                     probabilities = option(options, "probabilities")] {
    const c10::NoGradGuard no_grad;
    Inference inference;
    {
      const auto lock = entry->wait();
      const auto began = std::chrono::steady_clock::now();
      inference.forward = entry->network->forward(input, forward_options, state);
      const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - began;
      const bool one_thread = at::get_num_threads() == 1 || inference.forward.one_thread;
      entry->inference.note(presentations_of(*entry->network, input), taken.count(), one_thread);
    }
    inference.decision = decide(inference.forward.output, probabilities);
    if (!keep_output) inference.forward.output = at::Tensor();
    for (const at::Tensor& rate : inference.forward.rates) inference.rates.push_back(rate.item<double>());
    return inference;
  };
  return run_job(call, work, give_inference, here);
}

Napi::Value give_costs(Environment& environment, EngineCosts costs) {
  return from_numbers(environment.env(),
                      {costs.linear_call, costs.linear_weight, costs.linear_mac, costs.convolution_call,
                       costs.convolution_mac, costs.event_add, costs.event_window});
}

Napi::Value measure_costs_async(Call& call) {
  return run_job(call, [] { return measure_engine_costs(); }, give_costs);
}

Napi::Value set_costs(Call& call) {
  const std::vector<double> values = to_numbers(call[0], "costs");
  if (values.size() != 7) fail("ERR_SHAPE", "costs of the engines are 7 numbers, got ", values.size());
  set_engine_costs({values[0], values[1], values[2], values[3], values[4], values[5], values[6]});
  return call.nothing();
}

Napi::Value network_folded_async(Call& call) {
  const auto work = [entry = call.network(0)]() -> std::shared_ptr<Network> {
    const c10::NoGradGuard no_grad;
    const auto lock = entry->wait();
    return entry->network->folded();
  };
  return run_job(call, work, give_network);
}

Napi::Value network_random_state(Call& call) {
  const auto entry = call.network(0);
  const auto lock = entry->own();
  return call.give(entry->network->random_state());
}

Napi::Value network_set_random_state(Call& call) {
  const auto entry = call.network(0);
  const auto lock = entry->own();
  entry->network->set_random_state(call.tensor(1, "state"));
  return call.nothing();
}

// Trainers and jobs that still use the network keep it alive.
Napi::Value network_free(Call& call) {
  call.environment.networks.remove(to_handle(call[0], "network"));
  return call.nothing();
}

Napi::Value give_evaluation(Environment& environment, EvaluationReport report) {
  const Napi::Env env = environment.env();
  Napi::Object object = Napi::Object::New(env);
  object.Set("loss", report.loss);
  object.Set("correct", static_cast<double>(report.correct));
  object.Set("samples", static_cast<double>(report.samples));
  object.Set("predictions", from_handle(env, environment.tensors.put(std::move(report.predictions))));
  object.Set("firingRates", from_numbers(env, report.firing_rates));
  return object;
}

Napi::Value network_evaluate_async(Call& call) {
  const auto work = [entry = call.network(0), inputs = call.tensor(1, "inputs"), targets = call.tensor(2, "targets"),
                     loss = to_spec(call[3], "loss"), measure_rates = to_flag(call[4], "measureRates")] {
    const c10::NoGradGuard no_grad;
    const auto lock = entry->wait();
    return evaluate(*entry->network, inputs, targets, loss, measure_rates);
  };
  return run_job(call, work, give_evaluation);
}

}  // namespace

void export_networks(Exports& exports) {
  exports.add("networkCreate", network_create);
  exports.add("networkCreateAsync", network_create_async);
  exports.add("networkTensors", network_tensors);
  exports.add("networkLoad", network_load);
  exports.add("networkSpikingLayers", network_spiking_layers);
  exports.add("networkForward", network_forward);
  exports.add("networkForwardAsync", network_forward_async);
  exports.add("networkInferAsync", network_infer_async);
  exports.add("measureEngineCostsAsync", measure_costs_async);
  exports.add("setEngineCosts", set_costs);
  exports.add("networkFoldedAsync", network_folded_async);
  exports.add("networkRandomState", network_random_state);
  exports.add("networkSetRandomState", network_set_random_state);
  exports.add("networkFree", network_free);
  exports.add("networkEvaluateAsync", network_evaluate_async);
}

}  // namespace spikingrx::binding
