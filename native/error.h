// Errors with a stable code: the message begins with "ERR_...: ", which the binding takes off and gives as `code`.
#pragma once
#include <c10/util/Exception.h>

#define SPIKINGRX_CHECK(condition, code, ...) TORCH_CHECK_VALUE(condition, code ": ", __VA_ARGS__)
