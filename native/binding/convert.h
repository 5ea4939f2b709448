// JavaScript values to C++ and back, strictly: ERR_TYPE for a value of another type, ERR_RANGE for a number that does
// not fit. `name` says in the message which argument it was.
#pragma once
#include <ATen/core/Tensor.h>
#include <napi.h>

#include <string>
#include <vector>

#include "binding/handle_table.h"
#include "binding/place.h"

namespace spikingrx::binding {

// "a string", "an array", "the number 1.5": for messages.
std::string describe(Napi::Value value);

double to_number(Napi::Value value, const Place& place);
int64_t to_integer(Napi::Value value, const Place& place);  // safe integers
bool to_flag(Napi::Value value, const Place& place);
std::string to_text(Napi::Value value, const Place& place);
Napi::Object to_object(Napi::Value value, const Place& place);
Napi::Array to_array(Napi::Value value, const Place& place);

// A handle as a number above 0; whether it is alive is the table's concern.
Handle to_handle(Napi::Value value, const Place& place);

std::vector<double> to_numbers(Napi::Value value, const Place& place);
std::vector<std::string> to_texts(Napi::Value value, const Place& place);
// Sizes of a tensor: integers from 0 whose product fits in 63 bits.
std::vector<int64_t> to_shape(Napi::Value value, const Place& place);

at::ScalarType to_dtype(Napi::Value value, const Place& place);
at::ScalarType parse_dtype(const std::string& text, const Place& place);
const char* dtype_name(at::ScalarType dtype);

// "cpu", "cuda", "cuda:1"; ERR_DEVICE when it is not there.
at::Device to_device(Napi::Value value, const Place& place);

Napi::Value from_handle(Napi::Env env, Handle handle);
Napi::Array from_integers(Napi::Env env, at::IntArrayRef values);
Napi::Array from_numbers(Napi::Env env, const std::vector<double>& values);
Napi::Array from_texts(Napi::Env env, const std::vector<std::string>& values);

}  // namespace spikingrx::binding
