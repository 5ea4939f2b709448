// The time scan of the LIF neuron over one tile: `width` neighbouring neurons of one sample, all T steps.
//
// A tile's membranes stay in the first-level cache while the currents stream past; the same code is compiled for
// several instruction sets (lif_scan_*.cpp) and chosen at run time. No torch call is made here and nothing is
// allocated.
#pragma once
#include <c10/util/BFloat16.h>
#include <c10/util/Half.h>

#include <cstdint>

#include "snn/lif.h"

namespace spikingrx {

template <class Value>
struct ComputeType {
  using type = Value;
};
template <>
struct ComputeType<c10::BFloat16> {
  using type = float;
};
template <>
struct ComputeType<c10::Half> {
  using type = float;
};

template <class Value>
struct LifForwardTile {
  using Real = typename ComputeType<Value>::type;
  const Value* current;
  int64_t current_step;  // elements from one time step to the next; 0: a constant current
  Value* spikes;
  Value* trace;                          // may be null
  int64_t output_step;                   // elements from one time step to the next, of spikes and trace
  Real* membrane;                        // in: before the first step; out: after the last
  const Real *decay, *gain, *threshold;  // one value a neuron
  int64_t steps, width;
  Reset reset;
  bool reset_delay;
};

template <class Value>
struct LifBackwardTile {
  using Real = typename ComputeType<Value>::type;
  const Value* current;
  int64_t current_step;
  const Value *grad_spikes, *grad_trace;  // with their own steps, so that an absent gradient is a row of zeros
  int64_t grad_spikes_step, grad_trace_step;
  Value* grad_current;
  int64_t grad_current_step;  // 0: the sum over the steps
  const Real *decay, *gain, *threshold;
  const Real* initial;                // membrane before the first step
  Real* carry;                        // in: gradient of the final membrane; out: of the initial one
  Real* membranes;                    // scratch [steps][width]: membrane before reset
  Real *after, *carry_spike, *sum;    // scratch [width] each
  Real *grad_decay, *grad_threshold;  // sums over the steps, added to; both may be null
  int64_t steps, width;
  bool decay_input;
  Reset reset;
  bool reset_delay, detach_reset;
  Surrogate surrogate;
};

template <class Value>
struct LifScan {
  void (*forward)(const LifForwardTile<Value>&);
  void (*backward)(const LifBackwardTile<Value>&);
};

// One table for each element type and instruction set.
#define SPIKINGRX_DECLARE_SCAN(isa) \
  namespace isa {                   \
  template <class Value>            \
  LifScan<Value> lif_scan();        \
  }
SPIKINGRX_DECLARE_SCAN(portable)
SPIKINGRX_DECLARE_SCAN(v3)
SPIKINGRX_DECLARE_SCAN(v4)
#undef SPIKINGRX_DECLARE_SCAN

}  // namespace spikingrx
