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

}  // namespace

at::Tensor from_typed_array(Napi::Value data, const std::vector<int64_t>& shape, at::ScalarType dtype) {
  const Carrier carrier = carrier_of(dtype);
  napi_typedarray_type type{};
  size_t length = 0;
  void* source = nullptr;  // the view's first element: byteOffset is in it
  if (!data.IsTypedArray() ||
      napi_get_typedarray_info(data.Env(), data, &type, &length, &source, nullptr, nullptr) != napi_ok ||
      type != carrier.type) {
    fail("ERR_TYPE", "data must be a ", carrier.name, " for dtype ", dtype_name(dtype), ", got ", describe(data));
  }
  const int64_t elements = c10::multiply_integers(shape);
  if (static_cast<int64_t>(length) != elements) {
    fail("ERR_SHAPE", "shape [", c10::Join(", ", shape), "] needs ", elements, " elements, the data has ", length);
  }
  at::Tensor tensor = at::empty(shape, carrier.stored);
  if (elements > 0) std::memcpy(tensor.mutable_data_ptr(), source, tensor.nbytes());
  return dtype == carrier.stored ? tensor : tensor.to(dtype);
}

Napi::Value to_typed_array(Napi::Env env, const at::Tensor& tensor) {
  const Carrier carrier = carrier_of(tensor.scalar_type());
  if (tensor.numel() > kMostElements) {
    fail("ERR_RANGE", "a tensor of ", tensor.numel(), " elements does not fit in a typed array: take it in parts");
  }
  const at::Tensor values = tensor.detach().to(at::kCPU, carrier.stored).contiguous();
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
