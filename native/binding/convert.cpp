#include "binding/convert.h"

#include <ATen/detail/CUDAHooksInterface.h>

#include <array>
#include <cmath>
#include <utility>

#include "binding/failure.h"

namespace spikingrx::binding {
namespace {

constexpr double kLargestSafeInteger = 9007199254740991.0;

constexpr std::array<std::pair<const char*, at::ScalarType>, 10> kDtypes = {{
    {"float32", at::kFloat},
    {"float64", at::kDouble},
    {"bfloat16", at::kBFloat16},
    {"float16", at::kHalf},
    {"int64", at::kLong},
    {"int32", at::kInt},
    {"int16", at::kShort},
    {"int8", at::kChar},
    {"uint8", at::kByte},
    {"bool", at::kBool},
}};

[[noreturn]] void wrong_type(const Place& place, const char* wanted, Napi::Value value) {
  fail("ERR_TYPE", place, " must be ", wanted, ", got ", describe(value));
}

}  // namespace

std::string describe(Napi::Value value) {
  switch (value.Type()) {
    case napi_undefined:
      return "undefined";
    case napi_null:
      return "null";
    case napi_boolean:
      return value.As<Napi::Boolean>() ? "true" : "false";
    case napi_number:
      return "the number " + value.ToString().Utf8Value();
    case napi_bigint:
      return "the bigint " + value.ToString().Utf8Value();
    case napi_string: {
      const std::string text = value.As<Napi::String>().Utf8Value();
      return text.size() <= 40 ? "the string '" + text + "'" : "a string of " + std::to_string(text.size()) + " bytes";
    }
    case napi_function:
      return "a function";
    case napi_object:
      if (value.IsArray()) return "an array of " + std::to_string(value.As<Napi::Array>().Length());
      if (value.IsTypedArray()) return "a typed array";
      return "an object";
    default:
      return "something else";
  }
}

double to_number(Napi::Value value, const Place& place) {
  double number = 0;
  if (napi_get_value_double(value.Env(), value, &number) != napi_ok) wrong_type(place, "a number", value);
  return number;
}

int64_t to_integer(Napi::Value value, const Place& place) {
  const double number = to_number(value, place);
  if (!(std::abs(number) <= kLargestSafeInteger) || number != std::trunc(number)) {
    fail("ERR_RANGE", place, " must be an integer, got ", describe(value));
  }
  return static_cast<int64_t>(number);
}

bool to_flag(Napi::Value value, const Place& place) {
  bool flag = false;
  if (napi_get_value_bool(value.Env(), value, &flag) != napi_ok) wrong_type(place, "true or false", value);
  return flag;
}

std::string to_text(Napi::Value value, const Place& place) {
  if (!value.IsString()) wrong_type(place, "a string", value);
  return value.As<Napi::String>().Utf8Value();
}

Napi::Object to_object(Napi::Value value, const Place& place) {
  if (value.Type() != napi_object) wrong_type(place, "an object", value);
  return value.As<Napi::Object>();
}

Napi::Array to_array(Napi::Value value, const Place& place) {
  if (!value.IsArray()) wrong_type(place, "an array", value);
  return value.As<Napi::Array>();
}

Handle to_handle(Napi::Value value, const Place& place) {
  double number = 0;
  if (napi_get_value_double(value.Env(), value, &number) != napi_ok ||
      !(number >= 1 && number <= kLargestSafeInteger) || number != std::trunc(number)) {
    wrong_type(place, "a handle", value);
  }
  return static_cast<Handle>(number);
}

std::vector<double> to_numbers(Napi::Value value, const Place& place) {
  const Napi::Array array = to_array(value, place);
  std::vector<double> numbers;  // grows with what is read: a length alone is no reason to take memory
  for (uint32_t i = 0; i < array.Length(); i++) numbers.push_back(to_number(array[i], Place(place, i)));
  return numbers;
}

std::vector<std::string> to_texts(Napi::Value value, const Place& place) {
  const Napi::Array array = to_array(value, place);
  std::vector<std::string> texts;
  for (uint32_t i = 0; i < array.Length(); i++) texts.push_back(to_text(array[i], Place(place, i)));
  return texts;
}

std::vector<int64_t> to_shape(Napi::Value value, const Place& place) {
  const Napi::Array array = to_array(value, place);
  std::vector<int64_t> shape;
  int64_t elements = 1;
  for (uint32_t i = 0; i < array.Length(); i++) {
    const Place item(place, i);
    shape.push_back(to_integer(array[i], item));
    if (shape[i] < 0) fail("ERR_RANGE", item, " must not be negative, got ", shape[i]);
    if (__builtin_mul_overflow(elements, shape[i], &elements))
      fail("ERR_RANGE", place, " has too many elements to count");
  }
  return shape;
}

at::ScalarType parse_dtype(const std::string& text, const Place& place) {
  for (const auto& [dtype, type] : kDtypes) {
    if (text == dtype) return type;
  }
  std::string known;
  for (const auto& entry : kDtypes) known += std::string(known.empty() ? "" : ", ") + entry.first;
  fail("ERR_TYPE", place, " must be one of ", known, ", got '", text, "'");
}

at::ScalarType to_dtype(Napi::Value value, const Place& place) { return parse_dtype(to_text(value, place), place); }

const char* dtype_name(at::ScalarType dtype) {
  for (const auto& [name, type] : kDtypes) {
    if (type == dtype) return name;
  }
  fail("ERR_TYPE", "tensors of dtype ", c10::toString(dtype), " are not supported: convert to a real dtype first");
}

at::Device to_device(Napi::Value value, const Place& place) {
  const std::string text = to_text(value, place);
  const bool cuda = text.rfind("cuda", 0) == 0;
  if (text != "cpu" && !cuda) fail("ERR_DEVICE", place, " must be 'cpu', 'cuda' or 'cuda:N', got '", text, "'");
  if (!cuda) return at::kCPU;
  int64_t index = 0;
  if (text.size() > 4) {
    const std::string digits = text.size() <= 8 && text[4] == ':' ? text.substr(5) : "";
    if (digits.empty() || digits.find_first_not_of("0123456789") != std::string::npos) {
      fail("ERR_DEVICE", place, " must be 'cpu', 'cuda' or 'cuda:N', got '", text, "'");
    }
    index = std::stoll(digits);
  }
  const auto& hooks = at::detail::getCUDAHooks();
  const int64_t count = hooks.hasCUDA() ? hooks.deviceCount() : 0;
  if (index >= count) {
    fail("ERR_DEVICE", "device '", text, "' is not there: this process sees ", count, " CUDA device",
         count == 1 ? "" : "s");
  }
  return at::Device(at::kCUDA, static_cast<at::DeviceIndex>(index));
}

Napi::Value from_handle(Napi::Env env, Handle handle) { return Napi::Number::New(env, static_cast<double>(handle)); }

Napi::Array from_integers(Napi::Env env, at::IntArrayRef values) {
  Napi::Array array = Napi::Array::New(env, values.size());
  for (uint32_t i = 0; i < values.size(); i++) array[i] = Napi::Number::New(env, static_cast<double>(values[i]));
  return array;
}

Napi::Array from_numbers(Napi::Env env, const std::vector<double>& values) {
  Napi::Array array = Napi::Array::New(env, values.size());
  for (uint32_t i = 0; i < values.size(); i++) array[i] = Napi::Number::New(env, values[i]);
  return array;
}

Napi::Array from_texts(Napi::Env env, const std::vector<std::string>& values) {
  Napi::Array array = Napi::Array::New(env, values.size());
  for (uint32_t i = 0; i < values.size(); i++) array[i] = Napi::String::New(env, values[i]);
  return array;
}

}  // namespace spikingrx::binding
