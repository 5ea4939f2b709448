// Learning rate as a function of the step: constant, step, cosine, one-cycle, each with an optional linear warm-up.
#pragma once
#include <cstdint>

#include "api.h"
#include "model/spec.h"

namespace spikingrx {

// step counts from 0; total_steps is the length of the run (cosine and oneCycle need it).
// kinds and options (all take warmupSteps, rising linearly from base * warmupFactor):
//   "constant" {}
//   "step"     {everySteps, factor}                 base * factor^floor(step / everySteps)
//   "cosine"   {minimum}                            minimum + (base - minimum)(1 + cos(pi s / total)) / 2
//   "oneCycle" {warmFraction, divide, finalDivide}  cosine up from base / divide to base, then down to
//                                                   base / divide / finalDivide
// Throws c10::ValueError for a bad option, and where the rate would not be finite or would be negative.
SPIKINGRX_API double learning_rate(const Spec& schedule, double base, int64_t step, int64_t total_steps);

}  // namespace spikingrx
