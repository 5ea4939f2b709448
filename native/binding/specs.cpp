#include "binding/specs.h"

#include "binding/convert.h"
#include "binding/failure.h"

namespace spikingrx::binding {
namespace {

OptionValue to_option(Napi::Value value, const std::string& name) {
  switch (value.Type()) {
    case napi_boolean:
      return to_flag(value, name);
    case napi_number:
      return to_number(value, name);
    case napi_string:
      return to_text(value, name);
    default:
      break;
  }
  if (!value.IsArray()) {
    fail("ERR_TYPE", name, " must be a boolean, a number, a string or a list of numbers or strings, got ",
         describe(value));
  }
  const Napi::Array list = value.As<Napi::Array>();
  if (list.Length() > 0 && list.Get(0u).IsString()) return to_texts(value, name);
  return to_numbers(value, name);
}

}  // namespace

Spec to_spec(Napi::Value value, const std::string& name) {
  const Napi::Object object = to_object(value, name);
  Spec spec;
  spec.kind = to_text(object.Get("kind"), name + ".kind");
  const Napi::Array keys = object.GetPropertyNames();
  for (uint32_t i = 0; i < keys.Length(); i++) {
    const std::string key = keys.Get(i).ToString().Utf8Value();
    const Napi::Value option = object.Get(key);
    if (key != "kind" && !option.IsUndefined()) spec.options.emplace(key, to_option(option, name + "." + key));
  }
  return spec;
}

NetworkSpec to_network_spec(Napi::Value value) {
  const Napi::Object object = to_object(value, "spec");
  NetworkSpec spec;
  spec.input = to_shape(object.Get("input"), "spec.input");
  spec.steps = to_integer(object.Get("steps"), "spec.steps");
  const Napi::Array layers = to_array(object.Get("layers"), "spec.layers");
  for (uint32_t i = 0; i < layers.Length(); i++) {
    spec.layers.push_back(to_spec(layers.Get(i), "spec.layers[" + std::to_string(i) + "]"));
  }
  return spec;
}

TrainerSpec to_trainer_spec(Napi::Value value) {
  const Napi::Object object = to_object(value, "spec");
  TrainerSpec spec;
  spec.loss = to_spec(object.Get("loss"), "spec.loss");
  spec.optimizer = to_spec(object.Get("optimizer"), "spec.optimizer");
  spec.schedule = to_spec(object.Get("schedule"), "spec.schedule");
  spec.rate_regularizer = to_spec(object.Get("rateRegularizer"), "spec.rateRegularizer");
  spec.clip_norm = to_number(object.Get("clipNorm"), "spec.clipNorm");
  spec.total_steps = to_integer(object.Get("totalSteps"), "spec.totalSteps");
  spec.measure_rates = to_flag(object.Get("measureRates"), "spec.measureRates");
  return spec;
}

}  // namespace spikingrx::binding
