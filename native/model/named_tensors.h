// Copying values into named tensors: all is checked before the first copy, so that a failure changes nothing.
#pragma once
#include <string>
#include <vector>

#include "model/network.h"

namespace spikingrx {

// Throws c10::ValueError unless values hold exactly the names of `into`, with their shapes and dtypes; `owner` names it
// in the error.
void check_named(const std::vector<NamedTensor>& into, const std::vector<NamedTensor>& values, const char* owner);

// Checks, then copies.
void copy_named(const std::vector<NamedTensor>& into, const std::vector<NamedTensor>& values, const char* owner);

}  // namespace spikingrx
