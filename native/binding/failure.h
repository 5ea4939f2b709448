// Errors as JavaScript sees them: a stable code and one clean line.
#pragma once
#include <c10/util/StringUtil.h>
#include <napi.h>

#include <string>

namespace spikingrx::binding {

struct Failure {
  std::string code;  // "ERR_TYPE"
  std::string message;

  Napi::Error to_js(Napi::Env env) const;
};

template <class... Parts>
[[noreturn]] void fail(const char* code, const Parts&... parts) {
  throw Failure{code, c10::str(parts...)};
}

// To be called in a catch block: the exception being handled. libtorch's exceptions give a code by their type
// (ERR_TORCH, ERR_TORCH_INDEX, ...), those of the compute core the code their message begins with.
Failure current_failure();

}  // namespace spikingrx::binding
