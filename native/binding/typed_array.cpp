#include "binding/typed_array.h"

#include <ATen/ops/empty.h>
#include <c10/util/StringUtil.h>

#include <cstring>

#include "binding/convert.h"
#include "binding/failure.h"

namespace spikingrx::binding {
namespace {

// Of a typed array; asked for more, V8 ends the process.
constexpr int64_t kMostElements = int64_t{1} << 32;

struct Carrier {
  napi_typedarray_type type;
  const char* name;
  at::ScalarType stored;  // dtype of the array's elements
};

Carrier carrier_of(at::ScalarType dtype) {
  switch (dtype) {
    case at::kFloat:
    case at::kBFloat16:
    case at::kHalf:
      return {napi_float32_array, "Float32Array", at::kFloat};
    case at::kDouble:
      return {napi_float64_array, "Float64Array", at::kDouble};
    case at::kLong:
      return {napi_bigint64_array, "BigInt64Array", at::kLong};
    case at::kInt:
      return {napi_int32_array, "Int32Array", at::kInt};
    case at::kShort:
      return {napi_int16_array, "Int16Array", at::kShort};
    case at::kChar:
      return {napi_int8_array, "Int8Array", at::kChar};
    case at::kByte:
    case at::kBool:
      return {napi_uint8_array, "Uint8Array", at::kByte};
    default:
      dtype_name(dtype);  // throws
      fail("ERR_TYPE", "tensors of dtype ", c10::toString(dtype), " are not supported");
  }
}

struct View {
  const char* first = nullptr;  // byteOffset is in it
  int64_t length = 0;           // elements
};

// The elements of a typed array of the wanted kind; false for anything else.
bool view_of(Napi::Value data, napi_typedarray_type wanted, View& view) {
  napi_typedarray_type type{};
  size_t length = 0;
  void* first = nullptr;
  if (!data.IsTypedArray() ||
      napi_get_typedarray_info(data.Env(), data, &type, &length, &first, nullptr, nullptr) != napi_ok || type != wanted)
    return false;
  view = {static_cast<const char*>(first), static_cast<int64_t>(length)};
  return true;
}

View values_of(Napi::Value data, const Carrier& carrier, at::ScalarType dtype) {
  View view;
  if (!view_of(data, carrier.type, view))
    fail("ERR_TYPE", "data must be a ", carrier.name, " for dtype ", dtype_name(dtype), ", got ", describe(data));
  return view;
}

}  // namespace

at::Tensor from_typed_array(Napi::Value data, const std::vector<int64_t>& shape, at::ScalarType dtype) {
  const Carrier carrier = carrier_of(dtype);
  const View values = values_of(data, carrier, dtype);
  const int64_t elements = c10::multiply_integers(shape);
  if (values.length != elements) {
    fail("ERR_SHAPE", "shape [", c10::Join(", ", shape), "] needs ", elements, " elements, the data has ",
         values.length);
  }
  at::Tensor tensor = at::empty(shape, carrier.stored);
  if (elements > 0) std::memcpy(tensor.mutable_data_ptr(), values.first, tensor.nbytes());
  return dtype == carrier.stored ? tensor : tensor.to(dtype);
}

at::Tensor rows_from_typed_array(Napi::Value data, Napi::Value rows, const std::vector<int64_t>& shape,
                                 at::ScalarType dtype) {
  const Carrier carrier = carrier_of(dtype);
  const View values = values_of(data, carrier, dtype);
  View chosen;
  if (!view_of(rows, napi_uint32_array, chosen)) fail("ERR_TYPE", "rows must be a Uint32Array, got ", describe(rows));
  if (shape.empty() || shape[0] != chosen.length) {
    fail("ERR_SHAPE", "shape [", c10::Join(", ", shape), "] must begin with the number of rows, ", chosen.length);
  }
  at::Tensor tensor = at::empty(shape, carrier.stored);
  if (tensor.numel() == 0) return dtype == carrier.stored ? tensor : tensor.to(dtype);
  const int64_t row_elements = tensor.numel() / chosen.length, source_rows = values.length / row_elements;
  const size_t row_bytes = tensor.nbytes() / static_cast<size_t>(chosen.length);
  const auto* row = reinterpret_cast<const uint32_t*>(chosen.first);
  auto* target = static_cast<char*>(tensor.mutable_data_ptr());
  for (int64_t i = 0; i < chosen.length; i++, target += row_bytes) {
    if (row[i] >= source_rows) fail("ERR_RANGE", "row ", row[i], " is outside the data, which has ", source_rows);
    std::memcpy(target, values.first + row[i] * row_bytes, row_bytes);
  }
  return dtype == carrier.stored ? tensor : tensor.to(dtype);
}

Napi::Value to_typed_array(Napi::Env env, const at::Tensor& tensor) {
  const Carrier carrier = carrier_of(tensor.scalar_type());
  if (tensor.numel() > kMostElements) {
    fail("ERR_RANGE", "a tensor of ", tensor.numel(), " elements does not fit in a typed array: take it in parts");
  }
  const bool as_it_is = tensor.device().is_cpu() && tensor.scalar_type() == carrier.stored && tensor.is_contiguous();
  const at::Tensor values = as_it_is ? tensor : tensor.detach().to(at::kCPU, carrier.stored).contiguous();
  const size_t bytes = values.nbytes();
  void* target = nullptr;
  napi_value buffer = nullptr;
  if (napi_create_arraybuffer(env, bytes, &target, &buffer) != napi_ok) throw Napi::Error::New(env);
  if (bytes > 0) std::memcpy(target, values.const_data_ptr(), bytes);
  napi_value array = nullptr;
  if (napi_create_typedarray(env, carrier.type, static_cast<size_t>(values.numel()), buffer, 0, &array) != napi_ok) {
    throw Napi::Error::New(env);
  }
  return Napi::Value(env, array);
}

}  // namespace spikingrx::binding
