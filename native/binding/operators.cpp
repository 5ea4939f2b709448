// The generic door to libtorch's operators, and the modes they run in.
#include <ATen/Context.h>
#include <c10/core/GradMode.h>

#include "binding/call.h"
#include "binding/operator_values.h"

namespace spikingrx::binding {
namespace {

// Tensors in lists that the operator changes. libtorch's fused and foreach operators leave the versions of those as
// they were; whoever computes something from a tensor and keeps it (inference plans do) goes by the version.
std::vector<at::Tensor> changed_in_lists(const Operator& op, const std::vector<c10::IValue>& stack) {
  std::vector<at::Tensor> changed;
  if (!op.schema().is_mutable()) return changed;
  const auto& arguments = op.schema().arguments();
  for (size_t i = 0; i < arguments.size() && i < stack.size(); i++)
    if (arguments[i].alias_info() && arguments[i].alias_info()->isWrite() && stack[i].isTensorList())
      for (const at::Tensor& tensor : stack[i].toTensorVector()) changed.push_back(tensor);
  return changed;
}

void call_boxed(const Operator& op, std::vector<c10::IValue>& stack) {
  const std::vector<at::Tensor> changed = changed_in_lists(op, stack);
  op.handle.callBoxed(stack);
  for (const at::Tensor& tensor : changed) tensor.unsafeGetTensorImpl()->bump_version();
}

Napi::Value call_operator(Call& call) {
  TensorTable& tensors = call.environment.tensors;
  const Operator& op = call.environment.operators.find(to_text(call[0], "name"));
  std::vector<c10::IValue> stack = to_stack(tensors, op, call[1], call[2]);
  call_boxed(op, stack);
  return from_stack(call.env(), tensors, stack);
}

Napi::Value call_operator_async(Call& call) {
  const Operator& op = call.environment.operators.find(to_text(call[0], "name"));
  auto work = [stack = to_stack(call.environment.tensors, op, call[1], call[2]), op = op,
               grad = c10::GradMode::is_enabled()]() mutable {
    const c10::AutoGradMode mode(grad);  // of the calling thread, at the call
    call_boxed(op, stack);
    return std::move(stack);
  };
  return run_job(call, std::move(work), [](Environment& environment, std::vector<c10::IValue> stack) {
    return from_stack(environment.env(), environment.tensors, stack);
  });
}

Napi::Value operator_schema(Call& call) {
  const Operator& op = call.environment.operators.find(to_text(call[0], "name"));
  return Napi::String::New(call.env(), c10::toString(op.schema()));
}

Napi::Value grad_enabled(Call& call) { return Napi::Boolean::New(call.env(), c10::GradMode::is_enabled()); }

Napi::Value set_grad_enabled(Call& call) {
  c10::GradMode::set_enabled(to_flag(call[0], "enabled"));
  return call.nothing();
}

Napi::Value manual_seed(Call& call) {
  const int64_t seed = to_integer(call[0], "seed");
  if (seed < 0) fail("ERR_RANGE", "seed must not be negative, got ", seed);
  at::manual_seed(static_cast<uint64_t>(seed));
  return call.nothing();
}

}  // namespace

void export_operators(Exports& exports) {
  exports.add("callOperator", call_operator);
  exports.add("callOperatorAsync", call_operator_async);
  exports.add("operatorSchema", operator_schema);
  exports.add("gradEnabled", grad_enabled);
  exports.add("setGradEnabled", set_grad_enabled);
  exports.add("manualSeed", manual_seed);
}

}  // namespace spikingrx::binding
