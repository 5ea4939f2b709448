// Parameters, buffers and moments by name, to and from handles.
#pragma once
#include <vector>

#include "binding/call.h"
#include "model/network.h"

namespace spikingrx::binding {

Napi::Array from_named(Environment& environment, std::vector<NamedTensor> tensors);
// Two lists of equal length in the call: names at `index`, handles after them.
std::vector<NamedTensor> to_named(const Call& call, size_t index);

}  // namespace spikingrx::binding
