// What a network decides: scores, the mean of its outputs over time, and the class of the largest.
#pragma once
#include <ATen/core/Tensor.h>

#include "api.h"

namespace spikingrx {

struct Decision {
  at::Tensor scores;         // float32 [B, ...]
  at::Tensor classes;        // int32 [B], the first of equal scores; [0] where scores are not [B, K]
  at::Tensor probabilities;  // softmax of the scores, where asked for and these are [B, K]; else undefined
};

// output [B, T, ...] on any device; all results are on the CPU. No gradients.
SPIKINGRX_API Decision decide(const at::Tensor& output, bool probabilities);

}  // namespace spikingrx
