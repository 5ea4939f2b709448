// The CUDA plugin on the CPU: its registration (cuda/operators.cpp) as it is, libtorch's device functions replaced by
// ones that take CPU tensors for a GPU's, and launches that run the kernels' threads one after another. Only the launch
// itself and nvcc's machine code are left out.
//
// Tensors with dimensions count as the GPU's. A 0-d one (decay, threshold) does where `scalars_on_device` says so.
#pragma once
#include <ATen/ATen.h>
#include <ATen/core/dispatch/Dispatcher.h>
#include <ATen/core/stack.h>
#include <torch/library.h>

#include <memory>

#define USE_CUDA
#define TORCH_TARGET_VERSION 0x020A000000000000ULL
#include "../cuda/operators.cpp"
#include "cuda/elementwise.h"
#include "cuda/lif_neuron.h"

namespace emulated {

inline bool scalars_on_device = false;
inline bool allow_packs = true;  // false: one neuron a thread, as where rows or addresses do not fit
inline int64_t pack_launches = 0;

}  // namespace emulated

extern "C" {

inline AOTITorchError aoti_torch_create_device_guard(int32_t, DeviceGuardHandle* guard) {
  *guard = nullptr;
  return TORCH_SUCCESS;
}
AOTITorchError aoti_torch_get_current_cuda_stream(int32_t, void** stream) {
  *stream = nullptr;
  return TORCH_SUCCESS;
}
AOTITorchError aoti_torch_get_device_type(AtenTensorHandle tensor, int32_t* type) {
  const bool on_device = reinterpret_cast<at::Tensor*>(tensor)->dim() > 0 || emulated::scalars_on_device;
  *type = on_device ? aoti_torch_device_type_cuda() : aoti_torch_device_type_cpu();
  return TORCH_SUCCESS;
}

}  // extern "C"

namespace spikingrx::cuda {

template <class Body>
void with_element(Element element, Body&& body) {
  switch (element) {
    case Element::kFloat:
      return body(float{});
    case Element::kDouble:
      return body(double{});
    case Element::kHalf:
      return body(c10::Half{});
    case Element::kBFloat16:
      return body(c10::BFloat16{});
  }
}

// body(value, width) with the widest that fits, where there is a neuron.
template <class Arguments, class Body>
void with_width(const Arguments& a, Body&& body) {
  if (a.batch * a.neurons == 0) return;
  with_element(a.element, [&](auto value) {
    using Value = decltype(value);
    if (emulated::allow_packs && fits_widest<Value>(a)) {
      emulated::pack_launches++;
      body(value, std::integral_constant<int, kWidest<Value>>{});
    } else {
      body(value, std::integral_constant<int, 1>{});
    }
  });
}

inline int launch_lif_forward(const LifForwardArguments& a, const Queue&) {
  with_width(a, [&](auto value, auto width) {
    for (int64_t i = 0; i < a.batch * a.neurons / width(); i++) lif_forward_thread<decltype(value), width()>(a, i);
  });
  return 0;
}

inline int launch_lif_backward(const LifBackwardArguments& a, const Queue&) {
  with_width(a, [&](auto value, auto width) {
    using Value = decltype(value);
    using Size = SlotSize<Value, width()>;
    constexpr int64_t block = 64;  // slots of neighbouring threads side by side, as in shared memory
    const int64_t most = std::min(a.steps, kLifChunk) * Size::count * Size::bytes * block;
    const at::Tensor shared = at::empty({most}, at::kByte);
    for (int64_t i = 0; i < a.batch * a.neurons / width(); i++) {
      const Slots slots{shared.data_ptr<uint8_t>() + i % block * Size::bytes, block * Size::bytes};
      if (a.grad_decay)
        lif_backward_thread<Value, width(), true>(a, i, slots);
      else
        lif_backward_thread<Value, width(), false>(a, i, slots);
    }
  });
  return 0;
}

inline int launch_surrogate(const SurrogateArguments& a, const Queue&) {
  with_element(a.element, [&](auto value) {
    constexpr int width = kWidest<decltype(value)>;
    for (int64_t i = 0; i < (a.count + width - 1) / width; i++) surrogate_thread<decltype(value), width>(a, i);
  });
  return 0;
}

inline int launch_norm_update(const NormUpdateArguments& a, const Queue&) {
  with_element(a.element, [&](auto value) {
    for (int64_t i = 0; i < norm_update_threads(a); i++) norm_update_thread<decltype(value)>(a, i);
  });
  return 0;
}

inline const char* error_text(int) { return "no error"; }

}  // namespace spikingrx::cuda

namespace emulated {

// What is called for CPU tensors goes on to what the plugin registered for CUDA.
inline void as_on_cuda(const c10::OperatorHandle& op, torch::jit::Stack* stack) {
  op.callBoxedForDispatchKey(c10::DispatchKey::CUDA, *stack);
}

TORCH_LIBRARY_IMPL(spikingrx, CPU, library) {
  for (const char* name : {"lif_forward_out", "lif_backward_out", "surrogate_backward_out"})
    library.impl(name, torch::CppFunction::makeFromBoxedFunction<&as_on_cuda>());
}

}  // namespace emulated
