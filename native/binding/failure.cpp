#include "binding/failure.h"

#include <c10/util/Exception.h>

#include <cctype>
#include <new>

namespace spikingrx::binding {
namespace {

// The first paragraph on one line, without the stack and without the list of every backend an operator lacks.
std::string one_line(std::string text) {
  for (const char* end : {"\n\n", "\nException raised from ", "\nC++ CapturedTraceback",
                          " This could be because the operator doesn't exist for this backend"}) {
    if (const size_t at = text.find(end); at != std::string::npos) text.resize(at);
  }
  std::string line;
  for (const unsigned char c : text) {
    if (std::isspace(c) == 0) {
      line.push_back(static_cast<char>(c));
    } else if (!line.empty() && line.back() != ' ') {
      line.push_back(' ');
    }
  }
  while (!line.empty() && line.back() == ' ') line.pop_back();
  return line;
}

// "ERR_SHAPE: input must ..." -> code and message; the core marks its own errors this way (native/error.h).
bool split_code(const std::string& line, Failure& failure) {
  if (line.rfind("ERR_", 0) != 0) return false;
  size_t end = 4;
  while (end < line.size() && (std::isupper(static_cast<unsigned char>(line[end])) != 0 || line[end] == '_')) end++;
  if (end == 4 || line.compare(end, 2, ": ") != 0) return false;
  failure = {line.substr(0, end), line.substr(end + 2)};
  return true;
}

const char* code_of(const c10::Error& error) {
  if (dynamic_cast<const c10::OutOfMemoryError*>(&error) != nullptr) return "ERR_TORCH_OUT_OF_MEMORY";
  if (dynamic_cast<const c10::IndexError*>(&error) != nullptr) return "ERR_TORCH_INDEX";
  if (dynamic_cast<const c10::ValueError*>(&error) != nullptr) return "ERR_TORCH_VALUE";
  if (dynamic_cast<const c10::TypeError*>(&error) != nullptr) return "ERR_TORCH_TYPE";
  if (dynamic_cast<const c10::NotImplementedError*>(&error) != nullptr) return "ERR_TORCH_NOT_IMPLEMENTED";
  if (dynamic_cast<const c10::LinAlgError*>(&error) != nullptr) return "ERR_TORCH_LINALG";
  return "ERR_TORCH";
}

}  // namespace

Napi::Error Failure::to_js(Napi::Env env) const {
  Napi::Error error = Napi::Error::New(env, message);
  error.Value().Set("code", code);
  return error;
}

Failure current_failure() {
  try {
    throw;
  } catch (const Failure& failure) {
    return failure;
  } catch (const c10::Error& error) {
    // Not what(): it looks up the names of the whole call stack.
    const std::string line = one_line(error.what_without_backtrace());
    Failure failure;
    return split_code(line, failure) ? failure : Failure{code_of(error), line};
  } catch (const std::bad_alloc&) {
    return {"ERR_TORCH_OUT_OF_MEMORY", "out of memory"};
  } catch (const Napi::Error& error) {
    return {"ERR_NATIVE", one_line(error.Message())};
  } catch (const std::exception& error) {
    const std::string line = one_line(error.what());
    Failure failure;
    return split_code(line, failure) ? failure : Failure{"ERR_TORCH", line};
  } catch (...) {
    return {"ERR_NATIVE", "unknown native error"};
  }
}

}  // namespace spikingrx::binding
