// The kernels without a time scan, as one thread computes them: the surrogate's product, and SpikeNorm's running
// statistics.
#pragma once
#include <cmath>

#include "cuda/arguments.h"
#include "cuda/pack.h"
#include "snn/kernels/surrogate_gradient.h"

namespace spikingrx::cuda {

// result = gradient g(x): a thread has `width` neighbours, the last thread what is left.
template <class Value, int width>
SPIKINGRX_INLINE void surrogate_thread(const SurrogateArguments& a, int64_t thread) {
  using Real = typename Computing<Value>::Real;
  const int64_t first = thread * width;
  const Real parameter = static_cast<Real>(a.parameter);
  with_surrogate_kind(static_cast<SurrogateKind>(a.kind), [&](auto constant) {
    const auto product = [&](Value gradient, Value x) {
      return static_cast<Value>(static_cast<Real>(gradient) *
                                surrogate_gradient<decltype(constant)::value>(static_cast<Real>(x), parameter));
    };
    if (first + width <= a.count) {
      const auto gradient = load<Value, width>(a.gradient, first), x = load<Value, width>(a.x, first);
      Pack<Value, width> result;
      SPIKINGRX_UNROLL
      for (int n = 0; n < width; n++) result.at[n] = product(gradient.at[n], x.at[n]);
      store(a.result, first, result);
    } else {
      for (int64_t n = first; n < a.count; n++)
        static_cast<Value*>(a.result)[n] =
            product(static_cast<const Value*>(a.gradient)[n], static_cast<const Value*>(a.x)[n]);
    }
  });
}

// running := (1 - momentum) running + momentum batch, each rounded as libtorch's mul_ and add_ round it.
template <class Value>
SPIKINGRX_INLINE Value running_step(Value running, Value batch, double momentum) {
  using Real = typename Computing<Value>::Real;
  const Value kept = static_cast<Value>(static_cast<Real>(running) * static_cast<Real>(1 - momentum));
  return static_cast<Value>(std::fma(static_cast<Real>(batch), static_cast<Real>(momentum), static_cast<Real>(kept)));
}

// Shared statistics: a thread has a channel and goes through the steps in order. By step: a thread has one entry.
template <class Value>
SPIKINGRX_INLINE void norm_update_thread(const NormUpdateArguments& a, int64_t thread) {
  const int64_t channel = thread % a.channels;
  const auto update = [&](void* running, const void* batch) {
    Value* target = static_cast<Value*>(running) + thread;
    const Value* values = static_cast<const Value*>(batch) + channel;
    if (a.by_step) {
      const int64_t step = thread / a.channels / a.repeats;
      *target = running_step(*target, values[step * a.channels], a.momentum);
      return;
    }
    Value value = *target;
    for (int64_t t = 0; t < a.steps; t++)
      for (int64_t r = 0; r < a.repeats; r++) value = running_step(value, values[t * a.channels], a.momentum);
    *target = value;
  };
  update(a.running_mean, a.mean);
  update(a.running_variance, a.variance);
}

SPIKINGRX_INLINE int64_t norm_update_threads(const NormUpdateArguments& a) {
  return a.by_step ? a.steps * a.repeats * a.channels : a.channels;
}

}  // namespace spikingrx::cuda
