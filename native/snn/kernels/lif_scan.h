// The time scan of the LIF neuron over one tile: `width` neighbouring neurons of one sample, all T steps.
//
// Groups of neurons keep their membranes in registers for a chunk of steps while the currents stream past; the same
// code is compiled for several instruction sets (lif_scan_*.cpp) and chosen at run time. Nothing is allocated here.
#pragma once
#include <cstdint>

#include "api.h"
#include "snn/kernels/lif_chunk.h"
#include "snn/kernels/lif_step.h"
#include "snn/kernels/step_norm.h"
#include "snn/kernels/surrogate_gradient.h"

namespace spikingrx {

// Element type of the tensors of a tile: what it computes in, or a type of half the size that is converted row by row,
// in the first-level cache, to and from float. So the scan itself is compiled for float and double only.
enum class Element : int8_t { kReal, kBFloat16, kHalf };

inline constexpr int64_t kWidestTile = 1024;  // what a row of neurons carries stays in the first-level cache

// A current that is normalised on its way into the scan: I[t] = scale[t] x[t] + shift[t], where `current` holds x.
// Backward gives the gradient of I and adds up what the normalisation's own backward needs. float32 only.
struct LifNorm {
  const float *scale = nullptr, *shift = nullptr;  // one a step, for all of the tile; null: `current` is the current
  const float* mean = nullptr;                     // for backward
  GradientSums* sums = nullptr;                    // [steps], added to by backward
  int64_t step = 0;                                // from one time step to the next, of scale, shift and mean
};

template <class Real>
struct LifForwardTile {
  Element element;
  const void* current;                   // first element of the first row, as all of these
  int64_t current_step;                  // elements from one time step to the next; 0: a constant current
  int64_t next_tile;                     // from here to the tile that is done next, of current; 0: none
  void* spikes;                          // may be null
  void* trace;                           // membranes before reset in the tensors' type; may be null
  int64_t output_step;                   // elements from one time step to the next, of spikes, trace and membranes
  Real* states;                          // membrane that entered each chunk (lif_chunk.h) but the first; may be null
  int64_t states_step;                   // from one chunk to the next
  Real* membranes;                       // membranes before reset of all steps; may be null
  Real* membrane;                        // in: before the first step; out: after the last
  const Real *decay, *gain, *threshold;  // one value a neuron
  int64_t steps, width;
  Reset reset;
  bool reset_delay;
  bool streaming;  // write past the caches
  LifNorm norm = {};
};

template <class Real>
struct LifBackwardTile {
  Element element;
  const void* current;
  int64_t current_step;
  int64_t next_tile;                     // from here to the tile that is done next, of current and grad_spikes; 0: none
  const void *grad_spikes, *grad_trace;  // with their own steps, so that an absent gradient is a row of zeros
  int64_t grad_spikes_step, grad_trace_step;
  void* grad_current;
  int64_t grad_current_step;  // 0: the sum over the steps
  const Real *decay, *gain, *threshold;
  const Real* initial;  // membrane before the first step
  Real* carry;          // in: gradient of the final membrane; out: of the initial one
  const Real* states;   // as forward kept them; null with `membranes`
  int64_t states_step;
  const Real* membranes;  // as forward kept them, or null: recomputed from the current, chunk by chunk
  int64_t membranes_step;
  Real* scratch;                      // [kBackwardRows][width]
  Real *grad_decay, *grad_threshold;  // sums over the steps, added to; both may be null
  int64_t steps, width;
  bool decay_input;
  Reset reset;
  bool reset_delay, detach_reset;
  bool streaming;
  Surrogate surrogate;
  LifNorm norm = {};
};

inline constexpr int64_t kBackwardRows = 2;

template <class Real>
struct LifScan {
  void (*forward)(const LifForwardTile<Real>&);
  void (*backward)(const LifBackwardTile<Real>&);
};

// The scans for this processor; Real is float or double.
template <class Real>
SPIKINGRX_API LifScan<Real> lif_scan();

}  // namespace spikingrx
