#include "model/named_tensors.h"

#include <ATen/core/grad_mode.h>

#include <map>

#include "error.h"

namespace spikingrx {

namespace {

using Given = std::map<std::string, at::Tensor>;

Given checked(const std::vector<NamedTensor>& into, const std::vector<NamedTensor>& values, const char* owner) {
  Given given;
  for (const auto& value : values)
    SPIKINGRX_CHECK(given.emplace(value.name, value.tensor).second, "ERR_CHECKPOINT_MISMATCH", "tensor ", value.name,
                    " is given twice");
  for (const auto& target : into) {
    const auto found = given.find(target.name);
    SPIKINGRX_CHECK(found != given.end(), "ERR_CHECKPOINT_MISMATCH", owner, " needs the tensor ", target.name,
                    ", which is not given");
    SPIKINGRX_CHECK(found->second.sizes() == target.tensor.sizes(), "ERR_CHECKPOINT_MISMATCH", "tensor ", target.name,
                    " must have shape ", target.tensor.sizes(), ", got ", found->second.sizes());
    SPIKINGRX_CHECK(found->second.scalar_type() == target.tensor.scalar_type(), "ERR_CHECKPOINT_MISMATCH", "tensor ",
                    target.name, " must have dtype ", target.tensor.dtype(), ", got ", found->second.dtype());
  }
  SPIKINGRX_CHECK(given.size() == into.size(), "ERR_CHECKPOINT_MISMATCH", owner, " has ", into.size(), " tensors, got ",
                  given.size());
  return given;
}

}  // namespace

void check_named(const std::vector<NamedTensor>& into, const std::vector<NamedTensor>& values, const char* owner) {
  checked(into, values, owner);
}

void copy_named(const std::vector<NamedTensor>& into, const std::vector<NamedTensor>& values, const char* owner) {
  const Given given = checked(into, values, owner);
  at::NoGradGuard no_grad;
  for (const auto& target : into) at::Tensor(target.tensor).copy_(given.at(target.name));
}

}  // namespace spikingrx
