// The passes over memory of SpikeNorm in training: statistics of one step's channel, its normalisation, and backward.
//
// The values of a step's channel are planes: `planes` pieces of `area` values, `step` apart. All sums of a channel are
// taken while its planes are in the cache: one pass reads, one writes.
#pragma once
#include <cstdint>

#include "api.h"

namespace spikingrx {

struct Planes {
  int64_t planes, step, area;
};

struct Moments {
  double mean, squares;  // of the values; sum of (x - mean)^2
};

struct GradientSums {
  double gradient, product;  // sum of g; sum of g (x - mean)
};

struct StepNorm {
  Moments (*moments)(const float* x, const Planes& planes);
  // y = scale x + shift
  void (*normalise)(const float* x, const Planes& planes, float scale, float shift, float* y);
  GradientSums (*gradient_sums)(const float* x, const float* gradient, const Planes& planes, double mean);
  // result = of_gradient g + of_value x + constant; planes of g lie `gradient_step` apart.
  void (*combine)(const float* x, const float* gradient, int64_t gradient_step, const Planes& planes, float of_gradient,
                  float of_value, float constant, float* result);
};

// For this processor; every instruction set sums in the same order.
SPIKINGRX_API StepNorm step_norm();

}  // namespace spikingrx
