#include "binding/tensor_table.h"

#include <algorithm>
#include <cstdlib>
#include <vector>

#include "memory/allocator.h"

namespace spikingrx::binding {
namespace {

constexpr int64_t kSweepBytes = int64_t{64} << 20;
constexpr size_t kSweepHandles = 4096;
constexpr int64_t kReportBytes = int64_t{1} << 20;  // telling V8 costs more than a small operator

// A handle fits in the pointer that a finalizer carries.
static_assert(sizeof(void*) >= sizeof(Handle));

}  // namespace

Handle TensorTable::put(at::Tensor tensor) {
  if (!tensor.defined()) return 0;
  return tensors_.put({std::move(tensor), nullptr});
}

const at::Tensor& TensorTable::get(Handle handle, const Place& place) {
  const Entry* entry = tensors_.find(handle);
  if (entry == nullptr) fail("ERR_DISPOSED", place, " is a tensor that was disposed: use it before dispose()");
  return entry->tensor;
}

void TensorTable::free(Napi::Env env, Handle handle) {
  const auto entry = tensors_.remove(handle);
  if (entry && entry->owner != nullptr) {
    napi_delete_reference(env, entry->owner);
    adopted_--;
  }
}

void TensorTable::adopt(Napi::Env env, Napi::Object owner, Handle handle) {
  Entry* entry = tensors_.find(handle);
  if (entry == nullptr) fail("ERR_DISPOSED", "tensor is a tensor that was disposed: it can't get an owner");
  if (entry->owner != nullptr) fail("ERR_ARGUMENT", "tensor already has an owner");
  const auto collected = [](napi_env env, void* handle, void* table) {
    static_cast<TensorTable*>(table)->free(env, reinterpret_cast<Handle>(handle));
  };
  // The weak reference and the finalizer in one: whichever the sweep or the event loop sees first frees the tensor.
  if (napi_add_finalizer(env, owner, reinterpret_cast<void*>(handle), collected, this, &entry->owner) != napi_ok) {
    fail("ERR_TYPE", "owner must be an object");
  }
  adopted_++;
}

void TensorTable::settle(Napi::Env env) {
  const int64_t live = live_bytes();
  swept_live_ = std::min(swept_live_, live);
  if (live - swept_live_ > kSweepBytes || adopted_ > 2 * swept_adopted_ + kSweepHandles) sweep(env);
  if (std::abs(live_bytes() - reported_) >= kReportBytes) report(env, live_bytes());
}

void TensorTable::sweep(Napi::Env env) {
  std::vector<Handle> collected;
  tensors_.for_each([&](Handle handle, const Entry& entry) {
    if (entry.owner == nullptr) return;
    Napi::HandleScope scope(env);
    napi_value owner = nullptr;
    if (napi_get_reference_value(env, entry.owner, &owner) == napi_ok && owner == nullptr) collected.push_back(handle);
  });
  for (const Handle handle : collected) free(env, handle);
  swept_live_ = live_bytes();
  swept_adopted_ = adopted_;
}

void TensorTable::report(Napi::Env env, int64_t live) {
  int64_t total = 0;
  napi_adjust_external_memory(env, live - reported_, &total);
  reported_ = live;
}

void TensorTable::clear(Napi::Env env) {
  std::vector<Handle> handles;
  tensors_.for_each([&](Handle handle, const Entry&) { handles.push_back(handle); });
  for (const Handle handle : handles) free(env, handle);
}

}  // namespace spikingrx::binding
