// Launches lif_backward_thread (lif_neuron.h) over [B, N / width]; the membranes of a chunk lie in shared memory.
#include "cuda/element_types.cuh"
#include "cuda/lif_neuron.h"

namespace spikingrx::cuda {
namespace {

// Threads of a block: 32 KiB of shared memory at most, less than what needs asking for.
template <class Value, int width>
inline constexpr int kBlock = width * sizeof(typename Computing<Value>::Real) > 16 ? 64 : 128;

template <class Value, int width, bool learn>
__global__ void __launch_bounds__(kBlock<Value, width>) lif_backward_kernel(const LifBackwardArguments a) {
  extern __shared__ __align__(16) unsigned char shared[];
  constexpr int block = kBlock<Value, width>;
  using Size = SlotSize<Value, width>;
  const int64_t thread = static_cast<int64_t>(blockIdx.x) * block + threadIdx.x;
  if (thread >= a.batch * (a.neurons / width)) return;  // no barrier follows
  const Slots slots{shared + threadIdx.x * Size::bytes, block * Size::bytes};
  lif_backward_thread<Value, width, learn>(a, thread, slots);
}

template <class Value, int width>
void launch(const LifBackwardArguments& a, cudaStream_t stream) {
  constexpr int block = kBlock<Value, width>;
  using Size = SlotSize<Value, width>;
  const unsigned blocks = blocks_of(a.batch * (a.neurons / width), block);
  const size_t shared = (a.steps < kLifChunk ? a.steps : kLifChunk) * Size::count * Size::bytes * block;
  static_assert(kLifChunk * Size::count * Size::bytes * block <= 48 * 1024);
  // Single neurons are rows that do not fit packs, or small problems: always with the parameters' sums, which are then
  // not stored, and half the code.
  if (width == 1 || a.grad_decay != nullptr)
    lif_backward_kernel<Value, width, true><<<blocks, block, shared, stream>>>(a);
  else
    lif_backward_kernel<Value, width, width == 1><<<blocks, block, shared, stream>>>(a);
}

}  // namespace

int launch_lif_backward(const LifBackwardArguments& a, const Queue& queue) {
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

}  // namespace spikingrx::cuda
