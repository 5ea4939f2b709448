// Launches surrogate_thread and norm_update_thread (elementwise.h).
#include "cuda/element_types.cuh"
#include "cuda/elementwise.h"

namespace spikingrx::cuda {
namespace {

constexpr int kBlock = 256;

template <class Value, int width>
__global__ void __launch_bounds__(kBlock) surrogate_kernel(const SurrogateArguments a) {
  const int64_t thread = static_cast<int64_t>(blockIdx.x) * kBlock + threadIdx.x;
  if (thread * width < a.count) surrogate_thread<Value, width>(a, thread);
}

template <class Value>
__global__ void __launch_bounds__(kBlock) norm_update_kernel(const NormUpdateArguments a) {
  const int64_t thread = static_cast<int64_t>(blockIdx.x) * kBlock + threadIdx.x;
  if (thread < norm_update_threads(a)) norm_update_thread<Value>(a, thread);
}

bool aligned(const SurrogateArguments& a) {
  return (reinterpret_cast<uintptr_t>(a.gradient) | reinterpret_cast<uintptr_t>(a.x) |
          reinterpret_cast<uintptr_t>(a.result)) %
             16 ==
         0;
}

}  // namespace

int launch_surrogate(const SurrogateArguments& a, const Queue& queue) {
  if (a.count == 0) return cudaSuccess;
  if (const int error = use(queue)) return error;
  with_element(a.element, [&](auto value) {
    using Value = decltype(value);
    constexpr int widest = kWidest<Value>;
    const cudaStream_t stream = stream_of(queue);
    if (aligned(a))
      surrogate_kernel<Value, widest><<<blocks_of((a.count + widest - 1) / widest, kBlock), kBlock, 0, stream>>>(a);
    else
      surrogate_kernel<Value, 1><<<blocks_of(a.count, kBlock), kBlock, 0, stream>>>(a);
  });
  return cudaGetLastError();
}

int launch_norm_update(const NormUpdateArguments& a, const Queue& queue) {
  const int64_t threads = norm_update_threads(a);
  if (threads == 0) return cudaSuccess;
  if (const int error = use(queue)) return error;
  with_element(a.element, [&](auto value) {
    norm_update_kernel<decltype(value)><<<blocks_of(threads, kBlock), kBlock, 0, stream_of(queue)>>>(a);
  });
  return cudaGetLastError();
}

}  // namespace spikingrx::cuda
