// Entry of the addon: lib/native.ts declares what it exports.
#include <napi.h>

#include "binding/call.h"
#include "binding/environment.h"
#include "memory/allocator.h"

NAPI_MODULE_INIT() {
  using namespace spikingrx::binding;
  return Napi::RegisterModule(env, exports, [](Napi::Env env, Napi::Object object) {
    spikingrx::install_allocator();
    auto* environment = new Environment(env);
    // Before the environment ends: waits for the running job and frees every tensor.
    napi_add_env_cleanup_hook(env, [](void* data) { delete static_cast<Environment*>(data); }, environment);
    Exports functions(*environment, object);
    export_tensors(functions);
    export_operators(functions);
    export_networks(functions);
    export_trainers(functions);
    export_optimizers(functions);
    export_process(functions);
    return object;
  });
}
