// Tensors: creation from and to typed arrays, properties, gradients.
#include <ATen/core/Tensor.h>

#include "binding/call.h"
#include "binding/typed_array.h"

namespace spikingrx::binding {
namespace {

Napi::Value tensor_from(Call& call) {
  return call.give(from_typed_array(call[0], to_shape(call[1], "shape"), to_dtype(call[2], "dtype")));
}

Napi::Value tensor_from_rows(Call& call) {
  return call.give(rows_from_typed_array(call[0], call[1], to_shape(call[2], "shape"), to_dtype(call[3], "dtype")));
}

Napi::Value tensor_data(Call& call) { return to_typed_array(call.env(), call.tensor(0, "tensor")); }

Napi::Value tensor_info(Call& call) {
  const at::Tensor tensor = call.tensor(0, "tensor");
  Napi::Object info = Napi::Object::New(call.env());
  info.Set("shape", from_integers(call.env(), tensor.sizes()));
  info.Set("strides", from_integers(call.env(), tensor.strides()));
  info.Set("dtype", dtype_name(tensor.scalar_type()));
  info.Set("device", tensor.device().str());
  info.Set("requiresGrad", tensor.requires_grad());
  info.Set("isLeaf", tensor.is_leaf());
  return info;
}

Napi::Value tensor_free(Call& call) {
  call.environment.tensors.free(call.env(), to_handle(call[0], "tensor"));
  return call.nothing();
}

Napi::Value tensor_set_requires_grad(Call& call) {
  call.tensor(0, "tensor").requires_grad_(to_flag(call[1], "requiresGrad"));
  return call.nothing();
}

Napi::Value tensor_grad(Call& call) {
  // Not Tensor::grad(): it prints a warning for tensors that are not leaves.
  return call.give(call.tensor(0, "tensor").unsafeGetTensorImpl()->grad());
}

Napi::Value tensor_backward(Call& call) {
  const at::Tensor tensor = call.tensor(0, "tensor");
  tensor.backward(call.optional_tensor(1, "gradient"), to_flag(call[2], "retainGraph"));
  return call.nothing();
}

Napi::Value tensor_backward_async(Call& call) {
  const auto work = [tensor = call.tensor(0, "tensor"), gradient = call.optional_tensor(1, "gradient"),
                     retain_graph = to_flag(call[2], "retainGraph")] {
    tensor.backward(gradient, retain_graph);
    return Nothing{};
  };
  return run_job(call, work, deliver_nothing);
}

Napi::Value tensor_adopt(Call& call) {
  call.environment.tensors.adopt(call.env(), to_object(call[0], "owner"), to_handle(call[1], "tensor"));
  return call.nothing();
}

}  // namespace

void export_tensors(Exports& exports) {
  exports.add("tensorFrom", tensor_from);
  exports.add("tensorFromRows", tensor_from_rows);
  exports.add("tensorData", tensor_data);
  exports.add("tensorInfo", tensor_info);
  exports.add("tensorFree", tensor_free);
  exports.add("tensorSetRequiresGrad", tensor_set_requires_grad);
  exports.add("tensorGrad", tensor_grad);
  exports.add("tensorBackward", tensor_backward);
  exports.add("tensorBackwardAsync", tensor_backward_async);
  exports.add("tensorAdopt", tensor_adopt);
}

}  // namespace spikingrx::binding
