// libtorch's operators by name, looked up once.
#pragma once
#include <ATen/core/dispatch/Dispatcher.h>

#include <string>
#include <unordered_map>

namespace spikingrx::binding {

struct Operator {
  std::string name;  // "aten::add.Tensor"
  c10::OperatorHandle handle;
  size_t positional;  // arguments before the keyword-only ones

  const c10::FunctionSchema& schema() const { return handle.schema(); }
};

class OperatorTable {
 public:
  // ERR_OPERATOR, with the nearest name there is, when the name is unknown. The reference stays valid.
  const Operator& find(const std::string& name);

 private:
  std::unordered_map<std::string, Operator> operators_;
};

}  // namespace spikingrx::binding
