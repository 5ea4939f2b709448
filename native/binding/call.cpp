#include "binding/call.h"

namespace spikingrx::binding {
namespace {

template <class Value>
Value& find(HandleTable<Value>& table, Napi::Value argument, const char* name) {
  Value* found = table.find(to_handle(argument, name));
  if (found == nullptr) fail("ERR_DISPOSED", "the ", name, " was disposed: use it before dispose()");
  return *found;
}

napi_value enter(napi_env raw_env, napi_callback_info raw_info) noexcept {
  const Napi::Env env(raw_env);
  try {
    const Napi::CallbackInfo info(env, raw_info);
    const auto& entry = *static_cast<Entry*>(info.Data());
    Call call(entry.environment, info);
    try {
      const Napi::Value result = entry.function(call);
      entry.environment.tensors.settle(env);
      return result;
    } catch (const Napi::Error&) {
      throw;
    } catch (...) {
      throw current_failure().to_js(env);
    }
  } catch (const Napi::Error& error) {
    error.ThrowAsJavaScriptException();
    return nullptr;
  }
}

}  // namespace

at::Tensor Call::optional_tensor(size_t index, const char* name) const {
  if (to_number(info_[index], name) == 0) return {};
  return tensor(index, name);
}

std::vector<at::Tensor> Call::tensors(size_t index, const char* name) const {
  const Napi::Array handles = to_array(info_[index], name);
  std::vector<at::Tensor> list;
  for (uint32_t i = 0; i < handles.Length(); i++) {
    const Place place(name, i);
    list.push_back(environment.tensors.get(to_handle(handles[i], place), place));
  }
  return list;
}

std::shared_ptr<NetworkEntry> Call::network(size_t index) const {
  return find(environment.networks, info_[index], "network");
}

std::shared_ptr<TrainerEntry> Call::trainer(size_t index) const {
  return find(environment.trainers, info_[index], "trainer");
}

Optimizer& Call::optimizer(size_t index) const { return *find(environment.optimizers, info_[index], "optimizer"); }

void Exports::add(const char* name, Function function) {
  Entry& entry = environment_.entries.emplace_back(environment_, function);
  napi_value value = nullptr;
  const napi_status status = napi_create_function(object_.Env(), name, NAPI_AUTO_LENGTH, enter, &entry, &value);
  if (status != napi_ok) throw Napi::Error::New(object_.Env());
  object_.Set(name, value);
}

}  // namespace spikingrx::binding
