#include "binding/operator_values.h"

#include <ATen/core/List.h>
#include <ATen/core/jit_type.h>
#include <c10/core/Layout.h>
#include <c10/core/MemoryFormat.h>
#include <c10/util/SmallVector.h>

#include <cmath>
#include <optional>
#include <string>

#include "binding/convert.h"
#include "binding/failure.h"

namespace spikingrx::binding {
namespace {

constexpr double kLargestSafeInteger = 9007199254740991.0;

// The argument's type as the schema writes it; JavaScript knows nothing of symbolic integers.
std::string wanted_type(const c10::Argument& argument) {
  std::string type = argument.real_type()->str();
  if (const size_t at = type.find("SymInt"); at != std::string::npos) type.replace(at, 6, "int");
  return type;
}

// Converts one argument of one operator.
class ArgumentReader {
 public:
  ArgumentReader(TensorTable& tensors, const Operator& op, const c10::Argument& argument)
      : tensors_(tensors), op_(op), argument_(argument) {}

  c10::IValue read(Napi::Value value) const { return read(value, *argument_.real_type()); }

 private:
  Place place() const { return {op_.name, argument_.name()}; }

  [[noreturn]] void mismatch(Napi::Value value) const {
    fail("ERR_ARGUMENT", place(), " must be ", wanted_type(argument_), ", got ", describe(value));
  }

  c10::IValue read(Napi::Value value, const c10::Type& type) const {
    switch (type.kind()) {
      case c10::TypeKind::TensorType:
        return tensor(value);
      case c10::TypeKind::OptionalType:
        if (value.IsNull() || value.IsUndefined()) return {};
        return read(value, *type.castRaw<c10::OptionalType>()->getElementType());
      case c10::TypeKind::ListType:
        return list(value, *type.castRaw<c10::ListType>()->getElementType());
      case c10::TypeKind::NumberType:
        return scalar(value);
      case c10::TypeKind::IntType:
      case c10::TypeKind::SymIntType:
        return integer(value);
      case c10::TypeKind::FloatType:
        return number(value);
      case c10::TypeKind::BoolType:
        return flag(value);
      case c10::TypeKind::StringType:
        return text(value);
      case c10::TypeKind::ScalarTypeType:
        return static_cast<int64_t>(parse_dtype(text(value), place()));
      case c10::TypeKind::DeviceObjType:
        if (!value.IsString()) mismatch(value);
        return to_device(value, place());
      case c10::TypeKind::LayoutType:
        return layout(value);
      case c10::TypeKind::MemoryFormatType:
        return memory_format(value);
      default:
        // Generators and the like have no counterpart in JavaScript: only their "none" can be given.
        mismatch(value);
    }
  }

  at::Tensor tensor(Napi::Value value) const {
    if (value.Type() != napi_object || value.IsArray()) mismatch(value);
    const Napi::Value handle = value.As<Napi::Object>().Get("handle");
    if (!handle.IsNumber()) mismatch(value);
    return tensors_.get(to_handle(handle, place()), place());
  }

  int64_t integer(Napi::Value value) const {
    if (value.IsBigInt()) return big_integer(value);
    double number = 0;
    if (napi_get_value_double(value.Env(), value, &number) != napi_ok || number != std::trunc(number) ||
        !(std::abs(number) <= kLargestSafeInteger)) {
      mismatch(value);
    }
    return static_cast<int64_t>(number);
  }

  int64_t big_integer(Napi::Value value) const {
    bool lossless = false;
    const int64_t integer = value.As<Napi::BigInt>().Int64Value(&lossless);
    if (!lossless) mismatch(value);
    return integer;
  }

  double number(Napi::Value value) const {
    double number = 0;
    if (napi_get_value_double(value.Env(), value, &number) != napi_ok) mismatch(value);
    return number;
  }

  bool flag(Napi::Value value) const {
    bool flag = false;
    if (napi_get_value_bool(value.Env(), value, &flag) != napi_ok) mismatch(value);
    return flag;
  }

  std::string text(Napi::Value value) const {
    if (!value.IsString()) mismatch(value);
    return value.As<Napi::String>().Utf8Value();
  }

  at::Scalar scalar(Napi::Value value) const {
    switch (value.Type()) {
      case napi_boolean:
        return flag(value);
      case napi_bigint:
        return big_integer(value);
      case napi_number: {
        const double real = number(value);
        const bool integral =
            real == std::trunc(real) && std::abs(real) <= kLargestSafeInteger && !(real == 0 && std::signbit(real));
        return integral ? at::Scalar(static_cast<int64_t>(real)) : at::Scalar(real);
      }
      default:
        mismatch(value);
    }
  }

  c10::IValue layout(Napi::Value value) const {
    if (!value.IsString()) return integer(value);
    if (text(value) != "strided") mismatch(value);
    return static_cast<int64_t>(c10::Layout::Strided);
  }

  c10::IValue memory_format(Napi::Value value) const {
    if (!value.IsString()) return integer(value);
    const std::string name = text(value);
    if (name == "contiguous_format") return static_cast<int64_t>(c10::MemoryFormat::Contiguous);
    if (name == "preserve_format") return static_cast<int64_t>(c10::MemoryFormat::Preserve);
    if (name == "channels_last") return static_cast<int64_t>(c10::MemoryFormat::ChannelsLast);
    if (name == "channels_last_3d") return static_cast<int64_t>(c10::MemoryFormat::ChannelsLast3d);
    mismatch(value);
  }

  template <class Element, class Read>
  c10::IValue list_of(Napi::Value value, Read read_element) const {
    if (!value.IsArray()) mismatch(value);
    const Napi::Array array = value.As<Napi::Array>();
    const uint32_t length = array.Length();
    c10::List<Element> list;
    for (uint32_t i = 0; i < length; i++) list.push_back(read_element(array.Get(i)));
    return list;
  }

  c10::IValue list(Napi::Value value, const c10::Type& element) const {
    switch (element.kind()) {
      case c10::TypeKind::IntType:
      case c10::TypeKind::SymIntType: {
        const auto count = argument_.N();
        if (count && !value.IsArray()) return c10::List<int64_t>(std::vector<int64_t>(*count, integer(value)));
        return list_of<int64_t>(value, [this](Napi::Value item) { return integer(item); });
      }
      case c10::TypeKind::FloatType: {
        const auto count = argument_.N();
        if (count && !value.IsArray()) return c10::List<double>(std::vector<double>(*count, number(value)));
        return list_of<double>(value, [this](Napi::Value item) { return number(item); });
      }
      case c10::TypeKind::BoolType: {
        const auto count = argument_.N();
        if (count && !value.IsArray()) {
          c10::List<bool> repeated;
          repeated.resize(*count, flag(value));
          return repeated;
        }
        return list_of<bool>(value, [this](Napi::Value item) { return flag(item); });
      }
      case c10::TypeKind::StringType:
        return list_of<std::string>(value, [this](Napi::Value item) { return text(item); });
      case c10::TypeKind::NumberType:
        return list_of<at::Scalar>(value, [this](Napi::Value item) { return scalar(item); });
      case c10::TypeKind::TensorType:
        return list_of<at::Tensor>(value, [this](Napi::Value item) { return tensor(item); });
      case c10::TypeKind::OptionalType:
        if (element.castRaw<c10::OptionalType>()->getElementType()->kind() == c10::TypeKind::TensorType) {
          return list_of<std::optional<at::Tensor>>(value, [this](Napi::Value item) -> std::optional<at::Tensor> {
            if (item.IsNull() || item.IsUndefined()) return std::nullopt;
            return tensor(item);
          });
        }
        mismatch(value);
      default:
        mismatch(value);
    }
  }

  TensorTable& tensors_;
  const Operator& op_;
  const c10::Argument& argument_;
};

std::string argument_names(const c10::FunctionSchema& schema) {
  std::string names;
  for (const auto& argument : schema.arguments()) names += (names.empty() ? "" : ", ") + argument.name();
  return names;
}

Napi::Value from_tensor(Napi::Env env, TensorTable& tensors, const at::Tensor& tensor) {
  if (!tensor.defined()) return env.Null();
  Napi::Object object = Napi::Object::New(env);
  object.Set("handle", from_handle(env, tensors.put(tensor)));
  return object;
}

Napi::Value from_integer(Napi::Env env, int64_t integer) {
  if (std::abs(static_cast<double>(integer)) <= kLargestSafeInteger) return Napi::Number::New(env, integer);
  return Napi::BigInt::New(env, integer);
}

Napi::Value from_ivalue(Napi::Env env, TensorTable& tensors, const c10::IValue& value) {
  if (value.isTensor()) return from_tensor(env, tensors, value.toTensor());
  if (value.isNone()) return env.Null();
  if (value.isBool()) return Napi::Boolean::New(env, value.toBool());
  if (value.isInt()) return from_integer(env, value.toInt());
  if (value.isDouble()) return Napi::Number::New(env, value.toDouble());
  if (value.isString()) return Napi::String::New(env, value.toStringRef());
  if (value.isDevice()) return Napi::String::New(env, value.toDevice().str());
  if (value.isList() || value.isTuple()) {
    const auto list = value.isList() ? value.toListRef().vec() : value.toTupleRef().elements().asArrayRef().vec();
    Napi::Array array = Napi::Array::New(env, list.size());
    for (uint32_t i = 0; i < list.size(); i++) array[i] = from_ivalue(env, tensors, list[i]);
    return array;
  }
  fail("ERR_TYPE", "results of type ", value.tagKind(), " are not supported");
}

}  // namespace

std::vector<c10::IValue> to_stack(TensorTable& tensors, const Operator& op, Napi::Value positional, Napi::Value named) {
  const auto& arguments = op.schema().arguments();
  std::vector<c10::IValue> stack(arguments.size());
  c10::SmallVector<bool, 32> given(arguments.size(), false);
  const auto read = [&](size_t index, Napi::Value value) {
    stack[index] = ArgumentReader(tensors, op, arguments[index]).read(value);
    given[index] = true;
  };

  const Napi::Array list = to_array(positional, "args");
  const uint32_t count = list.Length();
  if (count > op.positional) {
    fail("ERR_ARGUMENT", op.name, ": takes ", op.positional, " arguments by position, got ", count,
         ": give the others by name (", argument_names(op.schema()), ")");
  }
  for (uint32_t i = 0; i < count; i++) {
    const Napi::Value value = list.Get(i);
    if (!value.IsUndefined()) read(i, value);
  }

  if (!named.IsUndefined()) {
    const Napi::Object object = to_object(named, "named");
    napi_value keys = nullptr;
    if (napi_get_all_property_names(object.Env(), object, napi_key_own_only, napi_key_skip_symbols,
                                    napi_key_numbers_to_strings, &keys) != napi_ok) {
      throw Napi::Error::New(object.Env());
    }
    const Napi::Array names(object.Env(), keys);
    for (uint32_t i = 0; i < names.Length(); i++) {
      const std::string name = names.Get(i).ToString().Utf8Value();
      const Napi::Value value = object.Get(name);
      if (value.IsUndefined()) continue;
      const auto index = op.schema().argumentIndexWithName(name);
      if (!index) {
        fail("ERR_ARGUMENT", op.name, ": there is no argument '", name, "', only ", argument_names(op.schema()));
      }
      if (given[*index]) fail("ERR_ARGUMENT", op.name, ": argument '", name, "' is given twice");
      read(static_cast<size_t>(*index), value);
    }
  }

  for (size_t i = 0; i < arguments.size(); i++) {
    if (given[i]) continue;
    if (!arguments[i].default_value()) {
      fail("ERR_ARGUMENT", op.name, ": argument '", arguments[i].name(), "' is missing, it must be ",
           wanted_type(arguments[i]));
    }
    stack[i] = *arguments[i].default_value();
  }
  return stack;
}

Napi::Value from_stack(Napi::Env env, TensorTable& tensors, const std::vector<c10::IValue>& stack) {
  if (stack.empty()) return env.Null();
  if (stack.size() == 1) return from_ivalue(env, tensors, stack[0]);
  Napi::Array array = Napi::Array::New(env, stack.size());
  for (uint32_t i = 0; i < stack.size(); i++) array[i] = from_ivalue(env, tensors, stack[i]);
  return array;
}

}  // namespace spikingrx::binding
