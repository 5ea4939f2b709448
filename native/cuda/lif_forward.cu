// Launches lif_forward_thread (lif_neuron.h) over [B, N / width].
#include "cuda/element_types.cuh"
#include "cuda/lif_neuron.h"

namespace spikingrx::cuda {
namespace {

constexpr int kBlock = 128;

template <class Value, int width>
__global__ void __launch_bounds__(kBlock) lif_forward_kernel(const LifForwardArguments a) {
  const int64_t thread = static_cast<int64_t>(blockIdx.x) * kBlock + threadIdx.x;
  if (thread >= a.batch * (a.neurons / width)) return;
  lif_forward_thread<Value, width>(a, thread);
}

template <class Value, int width>
void launch(const LifForwardArguments& a, cudaStream_t stream) {
  const unsigned blocks = blocks_of(a.batch * (a.neurons / width), kBlock);
  lif_forward_kernel<Value, width><<<blocks, kBlock, 0, stream>>>(a);
}

}  // namespace

int launch_lif_forward(const LifForwardArguments& a, const Queue& queue) {
  if (a.batch * a.neurons == 0) return cudaSuccess;
  if (const int error = use(queue)) return error;
  with_element(a.element, [&](auto value) {
    using Value = decltype(value);
    constexpr int widest = kWidest<Value>;
    if (fits_widest<Value>(a) && enough_threads(a.batch * a.neurons / widest, queue.device))
      launch<Value, widest>(a, stream_of(queue));
    else
      launch<Value, 1>(a, stream_of(queue));
  });
  return cudaGetLastError();
}

const char* error_text(int error) { return cudaGetErrorString(static_cast<cudaError_t>(error)); }

}  // namespace spikingrx::cuda
