// SpikeNorm and the LIF neuron after it, in training:
//
//   I[:,t,c] = gamma[c] (x[:,t,c] - mean[t,c]) / sqrt(variance[t,c] + epsilon) + beta[c]        spike_norm.h
//   S, U     = LIF of I                                                                         lif.h
//
// Large planes of float32 on the CPU are done as one operator (norm_lif_cpu.cpp), which stores no I: forward reads x
// for the statistics, and again for the scan; backward computes I again. Everything else is done one after the other.
// Both give the same spikes, bit by bit.
#pragma once
#include <ATen/core/Tensor.h>

#include "api.h"
#include "snn/lif.h"
#include "snn/spike_norm.h"

namespace spikingrx {

// Arguments as those of spike_norm and lif.
SPIKINGRX_API LifOutput norm_lif(const at::Tensor& input, const NormTensors& norm, const SpikeNormOptions& norm_options,
                                 const at::Tensor& decay, const at::Tensor& threshold, const at::Tensor& membrane,
                                 int64_t steps, const LifOptions& options);

}  // namespace spikingrx
