// The operators whose CUDA kernels a plugin brings: found once by schema, and refused by name where the plugin is not
// loaded.
#pragma once
#include <ATen/core/dispatch/Dispatcher.h>

#include "error.h"

namespace spikingrx {

template <class Signature>
c10::TypedOperatorHandle<Signature> device_operator(const char* name) {
  return c10::Dispatcher::singleton().findSchemaOrThrow(name, "").typed<Signature>();
}

inline bool has_kernel(const c10::OperatorHandle& op, const at::Tensor& tensor) {
  return op.hasKernelForDispatchKey(tensor.is_cuda() ? c10::DispatchKey::CUDA : c10::DispatchKey::CPU);
}

inline void check_kernel(const c10::OperatorHandle& op, const at::Tensor& tensor) {
  SPIKINGRX_CHECK(has_kernel(op, tensor), "ERR_DEVICE", "the kernels of ", op.schema().name(), " for ", tensor.device(),
                  " are not loaded; load spikingrx_cuda.so (`npm run build:cuda` makes it)");
}

}  // namespace spikingrx
