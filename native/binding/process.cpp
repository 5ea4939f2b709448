// What belongs to the process: memory, threads, devices, versions.
#include <ATen/Parallel.h>
#include <ATen/detail/CUDAHooksInterface.h>
#include <torch/headeronly/version.h>

#include "binding/call.h"
#include "memory/allocator.h"

namespace spikingrx::binding {
namespace {

constexpr int64_t kMostThreads = 1024;

Napi::Value memory(Call& call) {
  Napi::Object object = Napi::Object::New(call.env());
  object.Set("tensors", static_cast<double>(call.environment.tensors.size()));
  object.Set("bytes", static_cast<double>(live_bytes()));
  return object;
}

Napi::Value release_memory(Call& call) {
  release_kept_memory();
  return call.env().Undefined();
}

Napi::Value threads(Call& call) { return Napi::Number::New(call.env(), at::get_num_threads()); }

// OpenMP's team belongs to the thread that calls it: the count is set on this thread and on the executor's.
Napi::Value set_threads(Call& call) {
  const int64_t threads = to_integer(call[0], "threads");
  if (threads < 1 || threads > kMostThreads) {
    fail("ERR_RANGE", "threads must be from 1 to ", kMostThreads, ", got ", threads);
  }
  at::set_num_threads(static_cast<int>(threads));
  const auto work = [threads] {
    at::set_num_threads(static_cast<int>(threads));
    return Nothing{};
  };
  return run_job(call, work, deliver_nothing);
}

Napi::Value devices(Call& call) {
  const auto& hooks = at::detail::getCUDAHooks();
  const int64_t count = hooks.hasCUDA() ? hooks.deviceCount() : 0;
  std::vector<std::string> names;
  for (int64_t i = 0; i < count; i++) names.push_back("cuda:" + std::to_string(i));
  Napi::Object object = Napi::Object::New(call.env());
  object.Set("cuda", static_cast<double>(count));
  object.Set("names", from_texts(call.env(), names));
  return object;
}

Napi::Value versions(Call& call) {
  Napi::Object object = Napi::Object::New(call.env());
  object.Set("libtorch", TORCH_VERSION);
  object.Set("core", c10::str("t", TORCH_VERSION_MAJOR, TORCH_VERSION_MINOR));
  object.Set("parallel", at::get_parallel_info());
  return object;
}

}  // namespace

void export_process(Exports& exports) {
  exports.add("memory", memory);
  exports.add("releaseMemory", release_memory);
  exports.add("threads", threads);
  exports.add("setThreads", set_threads);
  exports.add("devices", devices);
  exports.add("versions", versions);
}

}  // namespace spikingrx::binding
