#include "binding/named_tensors.h"

namespace spikingrx::binding {

Napi::Array from_named(Environment& environment, std::vector<NamedTensor> tensors) {
  const Napi::Env env = environment.env();
  Napi::Array array = Napi::Array::New(env, tensors.size());
  for (uint32_t i = 0; i < tensors.size(); i++) {
    Napi::Object entry = Napi::Object::New(env);
    entry.Set("name", tensors[i].name);
    entry.Set("handle", from_handle(env, environment.tensors.put(std::move(tensors[i].tensor))));
    entry.Set("trainable", tensors[i].trainable);
    array[i] = entry;
  }
  return array;
}

std::vector<NamedTensor> to_named(const Call& call, size_t index) {
  std::vector<std::string> names = to_texts(call[index], "names");
  std::vector<at::Tensor> tensors = call.tensors(index + 1, "tensors");
  if (names.size() != tensors.size()) {
    fail("ERR_SHAPE", "names and tensors must be of equal length, got ", names.size(), " and ", tensors.size());
  }
  std::vector<NamedTensor> named;
  named.reserve(names.size());
  for (size_t i = 0; i < names.size(); i++) named.push_back({std::move(names[i]), std::move(tensors[i]), false});
  return named;
}

}  // namespace spikingrx::binding
