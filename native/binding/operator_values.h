// Arguments and results of operators: JavaScript values to and from libtorch's IValue, by the type in the schema.
//
//   Tensor { handle }             ScalarType    a dtype name: "float32"
//   Scalar number|boolean|bigint  Device        "cpu", "cuda:0"
//   int    number|bigint          Layout        "strided", or libtorch's number
//   float  number                 MemoryFormat  "channels_last", ..., or libtorch's number
//   bool   boolean                Generator?    null: the global one
//   str    string                 T?            null for none
//   T[]    array of T; where the schema says int[N], one int stands for all
//
// A number without fraction is an integer Scalar, as in Python, so that integer tensors stay integer; -0 and numbers
// beyond 2^53 are floating point.
#pragma once
#include <ATen/core/ivalue.h>
#include <napi.h>

#include <vector>

#include "binding/operator_table.h"
#include "binding/tensor_table.h"

namespace spikingrx::binding {

// The operator's arguments in the order of its schema. ERR_ARGUMENT names operator, argument and wanted type.
std::vector<c10::IValue> to_stack(TensorTable& tensors, const Operator& op, Napi::Value positional, Napi::Value named);

// No result: null; one: itself; several: an array.
Napi::Value from_stack(Napi::Env env, TensorTable& tensors, const std::vector<c10::IValue>& stack);

}  // namespace spikingrx::binding
