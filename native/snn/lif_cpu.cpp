// LIF on the CPU: splits [B, T, N] into tiles of neighbouring neurons and scans each over time (kernels/lif_scan.h).
//
// Traffic an element: forward reads the current and writes the spike (8 bytes in float32); backward reads the current
// and the gradient and writes the gradient (12). The membranes that backward recomputes live in a tile of steps x width
// that fits the second-level cache, so they cost no memory traffic.
#include <ATen/Dispatch.h>
#include <ATen/OpMathType.h>
#include <ATen/Parallel.h>
#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/ones_like.h>
#include <ATen/ops/zeros.h>
#include <torch/library.h>

#include <algorithm>
#include <memory>

#include "error.h"
#include "snn/kernels/lif_scan.h"
#include "snn/lif_shape.h"

namespace spikingrx {
namespace {

constexpr int64_t kBackwardBytes = 512 * 1024;  // recomputed membranes of a backward tile: a share of the second level
constexpr int64_t kVector = 16;                 // widths are multiples of this where they can

template <class Value>
constexpr Element element_of() {
  if constexpr (std::is_same_v<Value, c10::BFloat16>) return Element::kBFloat16;
  if constexpr (std::is_same_v<Value, c10::Half>) return Element::kHalf;
  return Element::kReal;
}

// decay or threshold as one value a neuron, in the computing type.
template <class Real>
at::Tensor per_neuron(const at::Tensor& value, const at::Tensor& current, int64_t neurons) {
  const at::Tensor real = value.to(at::kCPU, c10::CppTypeToScalarType<Real>::value);
  if (real.dim() == 0) return real.expand({neurons}).contiguous();
  return real.unsqueeze(1).expand({real.size(0), neurons / std::max<int64_t>(current.size(2), 1)}).reshape({neurons});
}

struct NeuronValues {
  at::Tensor decay, gain, threshold;  // [neurons]
};

template <class Real>
NeuronValues neuron_values(const at::Tensor& decay, const at::Tensor& threshold, const at::Tensor& current,
                           int64_t neurons, bool decay_input) {
  const at::Tensor beta = per_neuron<Real>(decay, current, neurons);
  return {beta, decay_input ? 1 - beta : at::ones_like(beta), per_neuron<Real>(threshold, current, neurons)};
}

// Calls body(sample, first neuron, width) for every tile, in parallel.
template <class Body>
void for_tiles(const LifSizes& s, int64_t width, Body&& body) {
  const int64_t tiles = (s.neurons + width - 1) / width;
  const int64_t grain = std::max<int64_t>(1, 16384 / std::max<int64_t>(1, s.steps * std::min(width, s.neurons)));
  at::parallel_for(0, s.batch * tiles, grain, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; i++) {
      const int64_t first = (i % tiles) * width;
      body(i / tiles, first, std::min(width, s.neurons - first));
    }
  });
}

// Backward recomputes all from the current here, so that no states are given.
std::tuple<at::Tensor, at::Tensor, at::Tensor, at::Tensor> lif_forward_cpu(
    const at::Tensor& current, const at::Tensor& decay, const at::Tensor& threshold,
    const std::optional<at::Tensor>& membrane, int64_t steps, bool decay_input, int64_t reset, bool reset_delay,
    bool with_trace, bool with_states) {
  const at::Tensor input = current.contiguous();
  const LifSizes s = sizes_of(input, steps);
  at::Tensor spikes = at::empty(with_steps(input, s.steps), input.options());
  at::Tensor trace = at::empty(with_trace ? with_steps(input, s.steps) : std::vector<int64_t>{0}, input.options());
  at::Tensor state;
  AT_DISPATCH_FLOATING_TYPES_AND2(at::kBFloat16, at::kHalf, input.scalar_type(), "lif_forward", [&] {
    using Real = at::opmath_type<scalar_t>;
    state = start_membrane(membrane, input, c10::CppTypeToScalarType<Real>::value).clone();
    const auto [beta, gain, theta] = neuron_values<Real>(decay, threshold, input, s.neurons, decay_input);
    const LifScan<Real> scan = lif_scan<Real>();
    const scalar_t* in = input.const_data_ptr<scalar_t>();
    scalar_t *out = spikes.mutable_data_ptr<scalar_t>(),
             *before = with_trace ? trace.mutable_data_ptr<scalar_t>() : nullptr;
    Real* u = state.mutable_data_ptr<Real>();
    const Real *b = beta.const_data_ptr<Real>(), *k = gain.const_data_ptr<Real>(), *h = theta.const_data_ptr<Real>();
    for_tiles(s, kWidestTile, [&](int64_t sample, int64_t first, int64_t width) {
      LifForwardTile<Real> tile;
      tile.element = element_of<scalar_t>();
      const int64_t offset = sample * s.steps * s.neurons + first;
      tile.current = in + sample * s.current_steps * s.neurons + first;
      tile.current_step = s.current_steps == s.steps ? s.neurons : 0;
      tile.spikes = out + offset;
      tile.trace = before ? before + offset : nullptr;
      tile.output_step = s.neurons;
      tile.membrane = u + sample * s.neurons + first;
      tile.decay = b + first, tile.gain = k + first, tile.threshold = h + first;
      tile.steps = s.steps, tile.width = width;
      tile.reset = static_cast<Reset>(reset), tile.reset_delay = reset_delay;
      scan.forward(tile);
    });
  });
  return {spikes, state, trace, at::empty({0}, state.options())};
}

std::tuple<at::Tensor, at::Tensor, at::Tensor, at::Tensor> lif_backward_cpu(
    const std::optional<at::Tensor>& grad_spikes, const std::optional<at::Tensor>& grad_membrane,
    const std::optional<at::Tensor>& grad_trace, const at::Tensor& current, const at::Tensor& decay,
    const at::Tensor& threshold, const std::optional<at::Tensor>& membrane, int64_t steps, bool decay_input,
    int64_t reset, bool reset_delay, bool detach_reset, int64_t surrogate, double surrogate_parameter,
    bool parameter_gradients, const std::optional<at::Tensor>& states) {
  const at::Tensor input = current.contiguous();
  const LifSizes s = sizes_of(input, steps);
  at::Tensor grad_current = at::empty_like(input);
  at::Tensor carry, grad_decay, grad_threshold;
  AT_DISPATCH_FLOATING_TYPES_AND2(at::kBFloat16, at::kHalf, input.scalar_type(), "lif_backward", [&] {
    using Real = at::opmath_type<scalar_t>;
    const auto real = c10::CppTypeToScalarType<Real>::value;
    const at::Tensor initial = start_membrane(membrane, input, real);
    carry = start_membrane(grad_membrane, input, real).clone();
    const auto [beta, gain, theta] = neuron_values<Real>(decay, threshold, input, s.neurons, decay_input);
    const auto parameter_shape =
        parameter_gradients ? std::vector<int64_t>{s.batch, s.neurons} : std::vector<int64_t>{0};
    grad_decay = at::zeros(parameter_shape, beta.options());
    grad_threshold = at::zeros(parameter_shape, beta.options());

    const int64_t widest =
        std::max<int64_t>(1, kBackwardBytes / static_cast<int64_t>(sizeof(Real)) / std::max<int64_t>(1, s.steps));
    const int64_t width = std::min<int64_t>(kWidestTile, std::max(kVector, widest / kVector * kVector));
    const int64_t row = std::min(width, std::max<int64_t>(1, s.neurons));
    const at::Tensor no_gradient = at::zeros({row}, input.options());
    const at::Tensor from_spikes = upstream_gradient(grad_spikes, input, s.steps),
                     from_trace = upstream_gradient(grad_trace, input, s.steps);

    const LifScan<Real> scan = lif_scan<Real>();
    const scalar_t *in = input.const_data_ptr<scalar_t>(), *none = no_gradient.const_data_ptr<scalar_t>();
    const scalar_t* gs = from_spikes.defined() ? from_spikes.const_data_ptr<scalar_t>() : nullptr;
    const scalar_t* gt = from_trace.defined() ? from_trace.const_data_ptr<scalar_t>() : nullptr;
    scalar_t* out = grad_current.mutable_data_ptr<scalar_t>();
    Real *gu = carry.mutable_data_ptr<Real>(), *gd = grad_decay.mutable_data_ptr<Real>(),
         *gh = grad_threshold.mutable_data_ptr<Real>();
    const Real *u0 = initial.const_data_ptr<Real>(), *b = beta.const_data_ptr<Real>(), *k = gain.const_data_ptr<Real>(),
               *h = theta.const_data_ptr<Real>();

    const int64_t tiles = (s.neurons + width - 1) / width;
    at::parallel_for(
        0, s.batch * tiles, std::max<int64_t>(1, 16384 / std::max<int64_t>(1, s.steps * row)),
        [&](int64_t begin, int64_t end) {
          const std::unique_ptr<Real[]> scratch(new Real[(s.steps + 3) * row]);
          for (int64_t i = begin; i < end; i++) {
            const int64_t sample = i / tiles, first = (i % tiles) * width;
            const int64_t offset = sample * s.steps * s.neurons + first, state = sample * s.neurons + first;
            LifBackwardTile<Real> tile;
            tile.element = element_of<scalar_t>();
            tile.steps = s.steps, tile.width = std::min(width, s.neurons - first);
            tile.current = in + sample * s.current_steps * s.neurons + first;
            tile.current_step = s.current_steps == s.steps ? s.neurons : 0;
            tile.grad_spikes = gs ? gs + offset : none, tile.grad_spikes_step = gs ? s.neurons : 0;
            tile.grad_trace = gt ? gt + offset : none, tile.grad_trace_step = gt ? s.neurons : 0;
            tile.grad_current = out + sample * s.current_steps * s.neurons + first;
            tile.grad_current_step = tile.current_step;
            tile.decay = b + first, tile.gain = k + first, tile.threshold = h + first;
            tile.initial = u0 + state, tile.carry = gu + state;
            tile.after = scratch.get(), tile.carry_spike = tile.after + row, tile.sum = tile.carry_spike + row;
            tile.membranes = tile.sum + row;
            tile.grad_decay = parameter_gradients ? gd + state : nullptr;
            tile.grad_threshold = parameter_gradients ? gh + state : nullptr;
            tile.decay_input = decay_input, tile.reset = static_cast<Reset>(reset);
            tile.reset_delay = reset_delay, tile.detach_reset = detach_reset;
            tile.surrogate = {static_cast<SurrogateKind>(surrogate), surrogate_parameter};
            scan.backward(tile);
          }
        });
    if (parameter_gradients) {
      grad_decay = parameter_gradient(grad_decay, decay, s);
      grad_threshold = parameter_gradient(grad_threshold, threshold, s);
    }
  });
  return {grad_current, carry, grad_decay, grad_threshold};
}

}  // namespace

TORCH_LIBRARY_IMPL(spikingrx, CPU, library) {
  library.impl("lif_forward", &lif_forward_cpu);
  library.impl("lif_backward", &lif_backward_cpu);
}

}  // namespace spikingrx
