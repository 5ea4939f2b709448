// LIF on the CPU: splits [B, T, N] into tiles of neighbouring neurons and scans each over time (kernels/lif_scan.h).
//
// Traffic an element, in bytes of float32, where outputs are written past the caches (elsewhere each write also reads):
//
//   LifKeep::kStates      forward reads the current, writes the spike and, every 16 steps, the state: 8.25; backward
//                         reads the current, the states and the gradient, writes the gradient: 12.25. The membranes it
//                         recomputes, 16 steps of some neurons, stay in the first-level cache
//   LifKeep::kMembranes   forward writes the membranes as well: 12; backward reads them in place of the current: 12
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
#include <unistd.h>

#include <algorithm>
#include <memory>

#include "error.h"
#include "snn/kernels/lif_scan.h"
#include "snn/lif_shape.h"

namespace spikingrx {
namespace {

constexpr int64_t kNarrowestTile = 64;

// Outputs of at least this many bytes are written past the caches: what reads them next would not find them there.
int64_t streamed_bytes() {
  static const int64_t bytes = [] {
    int64_t second_level = 0;
#if defined(_SC_LEVEL2_CACHE_SIZE)
    second_level = sysconf(_SC_LEVEL2_CACHE_SIZE);
#endif
    return 8 * std::max<int64_t>(second_level, 1 << 20);
  }();
  return bytes;
}

bool streams(const at::Tensor& output) { return static_cast<int64_t>(output.nbytes()) >= streamed_bytes(); }

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

// Neighbouring neurons of one sample.
struct Place {
  int64_t sample, first, width;
};

// Calls body(begin, end, place) in parallel, where place(i) is the i-th tile. Narrower tiles where threads would have
// none.
template <class Body>
void for_tiles(const LifSizes& s, Body&& body) {
  const int64_t share = s.batch * s.neurons / std::max(1, at::get_num_threads());
  const int64_t width = std::clamp(share / kNarrowestTile * kNarrowestTile, kNarrowestTile, kWidestTile);
  const int64_t tiles = (s.neurons + width - 1) / width;
  const int64_t grain = std::max<int64_t>(1, 16384 / std::max<int64_t>(1, s.steps * std::min(width, s.neurons)));
  at::parallel_for(0, s.batch * tiles, grain, [&](int64_t begin, int64_t end) {
    body(begin, end, [&](int64_t i) -> Place {
      const int64_t first = (i % tiles) * width;
      return {i / tiles, first, std::min(width, s.neurons - first)};
    });
  });
}

template <class Real>
Real* data_or_null(const at::Tensor& tensor) {
  return tensor.defined() && tensor.numel() > 0 ? tensor.mutable_data_ptr<Real>() : nullptr;
}

// The neurons of a call: sizes, a value of each parameter a neuron, and the reset.
template <class Real>
struct Neurons {
  LifSizes sizes;
  NeuronValues values;
  bool decay_input;
  Reset reset;
  bool reset_delay;

  // Sets what forward and backward tiles share; `next` is the tile done after this one.
  template <class Tile>
  int64_t begin(Tile& tile, const Place& place, const Place& next) const {
    tile.decay = values.decay.const_data_ptr<Real>() + place.first;
    tile.gain = values.gain.const_data_ptr<Real>() + place.first;
    tile.threshold = values.threshold.const_data_ptr<Real>() + place.first;
    tile.steps = sizes.steps, tile.width = place.width;
    tile.reset = reset, tile.reset_delay = reset_delay;
    tile.current_step = sizes.current_steps == sizes.steps ? sizes.neurons : 0;
    tile.next_tile = (next.sample - place.sample) * sizes.current_steps * sizes.neurons + next.first - place.first;
    tile.states_step = sizes.batch * sizes.neurons;
    return place.sample * sizes.neurons + place.first;  // of a tensor [B, N]
  }
};

template <class Value, class Real = at::opmath_type<Value>>
Neurons<Real> neurons_of(const at::Tensor& input, const LifSizes& s, const at::Tensor& decay,
                         const at::Tensor& threshold, bool decay_input, int64_t reset, bool reset_delay) {
  return {s, neuron_values<Real>(decay, threshold, input, s.neurons, decay_input), decay_input,
          static_cast<Reset>(reset), reset_delay};
}

// start_membrane as memory of its own, which the scan then changes.
at::Tensor first_state(const std::optional<at::Tensor>& membrane, const at::Tensor& input, at::ScalarType real) {
  const at::Tensor state = start_membrane(membrane, input, real);
  return membrane && membrane->defined() ? state.clone() : state;
}

// `state` [B, N]: in: before the first step, out: after the last. Spikes, trace, states and membranes where they are.
template <class Value, class Real>
void scan_forward(const Neurons<Real>& neurons, const at::Tensor& input, const at::Tensor& state,
                  const at::Tensor& spikes, const at::Tensor& trace, const at::Tensor& states,
                  const at::Tensor& membranes) {
  const LifSizes& s = neurons.sizes;
  const LifScan<Real> scan = lif_scan<Real>();
  const Value* in = input.const_data_ptr<Value>();
  Value *out = data_or_null<Value>(spikes), *before = data_or_null<Value>(trace);
  Real *u = state.mutable_data_ptr<Real>(), *chunks = data_or_null<Real>(states), *all = data_or_null<Real>(membranes);
  const bool streaming = spikes.defined() && streams(spikes);
  for_tiles(s, [&](int64_t begin, int64_t end, auto&& place_of) {
    for (int64_t i = begin; i < end; i++) {
      const Place place = place_of(i);
      LifForwardTile<Real> tile{};
      const int64_t of_state = neurons.begin(tile, place, place_of(std::min(i + 1, end - 1)));
      const int64_t of_steps = place.sample * s.steps * s.neurons + place.first;
      tile.element = element_of<Value>();
      tile.current = in + place.sample * s.current_steps * s.neurons + place.first;
      tile.spikes = out ? out + of_steps : nullptr;
      tile.trace = before ? before + of_steps : nullptr;
      tile.membranes = all ? all + of_steps : nullptr;
      tile.output_step = s.neurons;
      tile.states = chunks ? chunks + of_state : nullptr;
      tile.membrane = u + of_state;
      tile.streaming = streaming;
      scan.forward(tile);
    }
  });
}

std::tuple<at::Tensor, at::Tensor, at::Tensor, at::Tensor> lif_forward_cpu(
    const at::Tensor& current, const at::Tensor& decay, const at::Tensor& threshold,
    const std::optional<at::Tensor>& membrane, int64_t steps, bool decay_input, int64_t reset, bool reset_delay,
    bool with_trace, int64_t keep) {
  const at::Tensor input = current.contiguous();
  const LifSizes s = sizes_of(input, steps);
  const at::Tensor spikes = at::empty(with_steps(input, s.steps), input.options());
  const at::Tensor trace =
      at::empty(with_trace ? with_steps(input, s.steps) : std::vector<int64_t>{0}, input.options());
  at::Tensor state, kept;
  AT_DISPATCH_FLOATING_TYPES_AND2(at::kBFloat16, at::kHalf, input.scalar_type(), "lif_forward", [&] {
    using Real = at::opmath_type<scalar_t>;
    state = first_state(membrane, input, c10::CppTypeToScalarType<Real>::value);
    kept = at::empty(kept_shape(s, static_cast<LifKeep>(keep)), state.options());
    const bool all = static_cast<LifKeep>(keep) == LifKeep::kMembranes;
    scan_forward<scalar_t>(neurons_of<scalar_t>(input, s, decay, threshold, decay_input, reset, reset_delay), input,
                           state, spikes, trace, all ? at::Tensor() : kept, all ? kept : at::Tensor());
  });
  return {spikes, state, trace, kept};
}

// What forward kept, or what it would have kept: `kept` as lif_forward gave it; empty where it did not know of
// backward.
template <class Value, class Real>
at::Tensor states_or_membranes(const std::optional<at::Tensor>& kept, const Neurons<Real>& neurons,
                               const at::Tensor& input, const std::optional<at::Tensor>& membrane) {
  const LifSizes& s = neurons.sizes;
  const auto real = c10::CppTypeToScalarType<Real>::value;
  if (kept && kept->defined() && kept->numel() > 0) {
    const bool fits = kept->sizes() == kept_shape(s, LifKeep::kStates) || holds_membranes(*kept, s);
    SPIKINGRX_CHECK(fits && kept->scalar_type() == real && kept->is_contiguous(), "ERR_SHAPE",
                    "lif states must be as lif_forward gave them, got ", kept->dtype(), " ", kept->sizes());
    return *kept;
  }
  const at::Tensor states = at::empty(kept_shape(s, LifKeep::kStates), input.options().dtype(real));
  if (states.numel() > 0) scan_forward<Value>(neurons, input, first_state(membrane, input, real), {}, {}, states, {});
  return states;
}

std::tuple<at::Tensor, at::Tensor, at::Tensor, at::Tensor> lif_backward_cpu(
    const std::optional<at::Tensor>& grad_spikes, const std::optional<at::Tensor>& grad_membrane,
    const std::optional<at::Tensor>& grad_trace, const at::Tensor& current, const at::Tensor& decay,
    const at::Tensor& threshold, const std::optional<at::Tensor>& membrane, int64_t steps, bool decay_input,
    int64_t reset, bool reset_delay, bool detach_reset, int64_t surrogate, double surrogate_parameter,
    bool parameter_gradients, const std::optional<at::Tensor>& kept) {
  const at::Tensor input = current.contiguous();
  const LifSizes s = sizes_of(input, steps);
  const at::Tensor grad_current = at::empty_like(input);
  at::Tensor carry, grad_decay, grad_threshold;
  AT_DISPATCH_FLOATING_TYPES_AND2(at::kBFloat16, at::kHalf, input.scalar_type(), "lif_backward", [&] {
    using Real = at::opmath_type<scalar_t>;
    const auto real = c10::CppTypeToScalarType<Real>::value;
    // From rest, one row of zeros stands for all neurons.
    const bool from_rest = !membrane || !membrane->defined();
    const at::Tensor initial = from_rest ? at::zeros({std::min(kWidestTile, s.neurons)}, input.options().dtype(real))
                                         : start_membrane(membrane, input, real);
    carry = first_state(grad_membrane, input, real);
    const auto neurons = neurons_of<scalar_t>(input, s, decay, threshold, decay_input, reset, reset_delay);
    const auto parameter_shape =
        parameter_gradients ? std::vector<int64_t>{s.batch, s.neurons} : std::vector<int64_t>{0};
    grad_decay = at::zeros(parameter_shape, initial.options());
    grad_threshold = at::zeros(parameter_shape, initial.options());
    const at::Tensor states = states_or_membranes<scalar_t>(kept, neurons, input, membrane);
    const bool all = holds_membranes(states, s);
    const at::Tensor no_gradient = at::zeros({std::min(kWidestTile, s.neurons)}, input.options());
    const at::Tensor from_spikes = upstream_gradient(grad_spikes, input, s.steps),
                     from_trace = upstream_gradient(grad_trace, input, s.steps);

    const LifScan<Real> scan = lif_scan<Real>();
    const scalar_t *in = input.const_data_ptr<scalar_t>(), *none = no_gradient.const_data_ptr<scalar_t>();
    const scalar_t *gs = data_or_null<scalar_t>(from_spikes), *gt = data_or_null<scalar_t>(from_trace);
    const Real *u0 = initial.const_data_ptr<Real>(), *saved = data_or_null<Real>(states);
    scalar_t* out = grad_current.mutable_data_ptr<scalar_t>();
    Real *gu = carry.mutable_data_ptr<Real>(), *gd = data_or_null<Real>(grad_decay),
         *gh = data_or_null<Real>(grad_threshold);
    const bool streaming = streams(grad_current);
    for_tiles(s, [&](int64_t begin, int64_t end, auto&& place_of) {
      const std::unique_ptr<Real[]> scratch(new Real[kBackwardRows * std::min(kWidestTile, s.neurons)]);
      for (int64_t i = begin; i < end; i++) {
        const Place place = place_of(i);
        LifBackwardTile<Real> tile{};
        const int64_t of_state = neurons.begin(tile, place, place_of(std::min(i + 1, end - 1)));
        const int64_t of_steps = place.sample * s.steps * s.neurons + place.first;
        const int64_t of_current = place.sample * s.current_steps * s.neurons + place.first;
        tile.element = element_of<scalar_t>();
        tile.current = in + of_current;
        tile.grad_spikes = gs ? gs + of_steps : none, tile.grad_spikes_step = gs ? s.neurons : 0;
        tile.grad_trace = gt ? gt + of_steps : none, tile.grad_trace_step = gt ? s.neurons : 0;
        tile.grad_current = out + of_current, tile.grad_current_step = tile.current_step;
        tile.initial = from_rest ? u0 : u0 + of_state, tile.carry = gu + of_state;
        tile.states = saved && !all ? saved + of_state : nullptr;
        tile.membranes = saved && all ? saved + of_steps : nullptr, tile.membranes_step = s.neurons;
        tile.scratch = scratch.get();
        tile.grad_decay = gd ? gd + of_state : nullptr, tile.grad_threshold = gh ? gh + of_state : nullptr;
        tile.decay_input = decay_input, tile.detach_reset = detach_reset;
        tile.surrogate = {static_cast<SurrogateKind>(surrogate), surrogate_parameter};
        tile.streaming = streaming;
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
