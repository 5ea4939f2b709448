// The kernels as registration calls them: on `stream` of `device`, without waiting. Each gives a cudaError_t as int.
#pragma once
#include "cuda/arguments.h"

namespace spikingrx::cuda {

struct Queue {
  int device;
  void* stream;  // cudaStream_t
};

int launch_lif_forward(const LifForwardArguments& arguments, const Queue& queue);
int launch_lif_backward(const LifBackwardArguments& arguments, const Queue& queue);
int launch_surrogate(const SurrogateArguments& arguments, const Queue& queue);
int launch_norm_update(const NormUpdateArguments& arguments, const Queue& queue);

// What the runtime says of an error.
const char* error_text(int error);

}  // namespace spikingrx::cuda
