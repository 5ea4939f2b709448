// The tensors JavaScript holds, by handle, and what ties them to the garbage collector.
//
// A tensor ends when it is freed by its handle, or when the JavaScript object that adopted it has been collected. The
// collector's finalizers only run when the event loop turns, so a synchronous loop would pile tensors up: when memory
// has grown, a sweep looks through the weak references by itself. V8 is told the allocator's live bytes, which count
// storage shared by views once and see what the graph of a backward pass keeps.
#pragma once
#include <ATen/core/Tensor.h>
#include <napi.h>

#include "binding/handle_table.h"
#include "binding/place.h"

namespace spikingrx::binding {

class TensorTable {
 public:
  // Undefined tensors get no handle: 0.
  Handle put(at::Tensor tensor);

  // ERR_DISPOSED for a freed handle. Valid until the next put.
  const at::Tensor& get(Handle handle, const Place& place);

  // Freed or unknown handles are ignored.
  void free(Napi::Env env, Handle handle);

  // From now on the tensor ends with `owner` (or when freed before).
  void adopt(Napi::Env env, Napi::Object owner, Handle handle);

  // After each call: sweeps and reports to V8 if enough has changed.
  void settle(Napi::Env env);

  // Frees every tensor; before the environment ends.
  void clear(Napi::Env env);

  size_t size() const { return tensors_.size(); }

 private:
  struct Entry {
    at::Tensor tensor;
    napi_ref owner = nullptr;  // weak
  };

  void sweep(Napi::Env env);
  void report(Napi::Env env, int64_t live);

  HandleTable<Entry> tensors_;
  size_t adopted_ = 0;
  // At the last sweep.
  int64_t swept_live_ = 0;
  size_t swept_adopted_ = 0;
  int64_t reported_ = 0;
};

}  // namespace spikingrx::binding
