// Element type, width and device of a launch.
#pragma once
#include <cuda_bf16.h>
#include <cuda_fp16.h>
#include <cuda_runtime.h>

#include <type_traits>

#include "cuda/launch.h"
#include "cuda/pack.h"

namespace spikingrx::cuda {

// Calls body(value) with an element of the type.
template <class Body>
void with_element(Element element, Body&& body) {
  switch (element) {
    case Element::kFloat:
      return body(float{});
    case Element::kDouble:
      return body(double{});
    case Element::kHalf:
      return body(__half{});
    case Element::kBFloat16:
      return body(__nv_bfloat16{});
  }
}

// Packs only where enough threads are left to keep every multiprocessor's memory queue full.
inline bool enough_threads(int64_t threads, int device) {
  constexpr int64_t kThreadsEach = 512;
  int processors = 0;
  if (cudaDeviceGetAttribute(&processors, cudaDevAttrMultiProcessorCount, device) != cudaSuccess) return false;
  return threads >= kThreadsEach * processors;
}

inline unsigned blocks_of(int64_t threads, int block) { return static_cast<unsigned>((threads + block - 1) / block); }

// This library's own runtime (linked statically) has a current device of its own.
inline int use(const Queue& queue) { return static_cast<int>(cudaSetDevice(queue.device)); }

inline cudaStream_t stream_of(const Queue& queue) { return static_cast<cudaStream_t>(queue.stream); }

}  // namespace spikingrx::cuda
