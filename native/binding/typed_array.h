// Typed arrays to tensors and back, always by copy.
//
//   float32 Float32Array   int32 Int32Array   int64 BigInt64Array   uint8 Uint8Array
//   float64 Float64Array   int16 Int16Array   int8 Int8Array        bool  Uint8Array (0, or anything else for true)
//   bfloat16, float16: Float32Array, rounded to nearest
#pragma once
#include <ATen/core/Tensor.h>
#include <napi.h>

#include <vector>

namespace spikingrx::binding {

at::Tensor from_typed_array(Napi::Value data, const std::vector<int64_t>& shape, at::ScalarType dtype);
// The rows `rows` (a Uint32Array) of a table: shape is [rows, ...row], row-major as the table.
at::Tensor rows_from_typed_array(Napi::Value data, Napi::Value rows, const std::vector<int64_t>& shape,
                                 at::ScalarType dtype);
Napi::Value to_typed_array(Napi::Env env, const at::Tensor& tensor);

}  // namespace spikingrx::binding
