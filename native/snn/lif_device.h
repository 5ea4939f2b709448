// LIF where the kernels come from a plugin: makes the outputs and calls lif_forward_out and lif_backward_out. Outputs
// are made here, not in the plugin, so that running out of memory is the typed error it is elsewhere.
#pragma once
#include <ATen/core/Tensor.h>

#include <optional>
#include <tuple>

#include "api.h"

namespace spikingrx {

// As the operators lif_forward and lif_backward (operators.cpp); registered for CUDA.
SPIKINGRX_API std::tuple<at::Tensor, at::Tensor, at::Tensor, at::Tensor> lif_forward_device(
    const at::Tensor& current, const at::Tensor& decay, const at::Tensor& threshold,
    const std::optional<at::Tensor>& membrane, int64_t steps, bool decay_input, int64_t reset, bool reset_delay,
    bool with_trace, int64_t keep);

SPIKINGRX_API std::tuple<at::Tensor, at::Tensor, at::Tensor, at::Tensor> lif_backward_device(
    const std::optional<at::Tensor>& grad_spikes, const std::optional<at::Tensor>& grad_membrane,
    const std::optional<at::Tensor>& grad_trace, const at::Tensor& current, const at::Tensor& decay,
    const at::Tensor& threshold, const std::optional<at::Tensor>& membrane, int64_t steps, bool decay_input,
    int64_t reset, bool reset_delay, bool detach_reset, int64_t surrogate, double surrogate_parameter,
    bool parameter_gradients, const std::optional<at::Tensor>& states);

}  // namespace spikingrx
