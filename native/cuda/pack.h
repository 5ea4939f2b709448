// Neighbouring elements that one thread loads and stores at once, up to 16 bytes.
#pragma once
#include <cstdint>

#include "snn/kernels/host_device.h"

namespace spikingrx::cuda {

// bfloat16 and float16 compute in float32.
template <class Value, int bytes = sizeof(Value)>
struct Computing {
  using Real = Value;
};
template <class Value>
struct Computing<Value, 2> {
  using Real = float;
};

template <class Value, int count>
struct alignas(sizeof(Value) * count < 16 ? sizeof(Value) * count : 16) Pack {
  Value at[count];
};

template <class Value, int count>
SPIKINGRX_INLINE Pack<Value, count> load(const void* base, int64_t element) {
  return *reinterpret_cast<const Pack<Value, count>*>(static_cast<const Value*>(base) + element);
}

template <class Value, int count>
SPIKINGRX_INLINE void store(void* base, int64_t element, const Pack<Value, count>& pack) {
  *reinterpret_cast<Pack<Value, count>*>(static_cast<Value*>(base) + element) = pack;
}

// Elements of a thread: 16 bytes of float32, 8 of the half types (more would cost registers and so threads); float64,
// rare on a GPU, goes one by one.
template <class Value>
inline constexpr int kWidest = sizeof(Value) == 8 ? 1 : 4;

}  // namespace spikingrx::cuda
