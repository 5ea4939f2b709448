// What the operators that hold a LIF neuron share (lif.cpp, norm_lif.cpp): the checks of its arguments, and its
// options, as a schema gives them and kept between forward and backward.
#pragma once
#include <ATen/core/Tensor.h>
#include <torch/csrc/autograd/custom_function.h>

#include <initializer_list>

#include "snn/lif.h"

namespace spikingrx {

// Throws where `lif` does not take these arguments.
void check_lif(const at::Tensor& current, const at::Tensor& decay, const at::Tensor& threshold,
               const at::Tensor& membrane, int64_t steps, const LifOptions& options);

// The options of an operator's schema. Throws ERR_RANGE for names and values that are none.
LifOptions lif_options(bool decay_input, c10::string_view reset, bool reset_delay, bool detach_reset,
                       c10::string_view surrogate, double surrogate_parameter);

// Whether autograd records what is computed of these; undefined ones do not count.
bool needs_gradient(std::initializer_list<at::Tensor> inputs);

// All options that backward reads: without `trace` and `membranes`.
void save_options(torch::autograd::AutogradContext& context, const LifOptions& options);
LifOptions saved_options(torch::autograd::AutogradContext& context);

}  // namespace spikingrx
