// LIF as one thread computes it: `width` neighbouring neurons of one sample, over all T steps, membranes in registers.
//
// Bytes an element (float32, T steps). Forward reads I and writes S: 8, and one state in 16 steps for backward: 0.25.
// Backward needs the membranes in reverse. To save them all costs 8 more (written, read); to recompute all of them
// first costs 4 (I again) and 8 for a scratch in memory. Here it goes chunk by chunk, last chunk first: from the saved
// state it recomputes 16 membranes into shared memory (each thread its own slots: no barrier), then goes back over
// them: I, gS, gI and the state: 12.25. With T <= 16 no state is saved. Forward and backward together: 20.5 of the 20
// that must be.
//
// Neighbouring threads have neighbouring neurons, so a warp reads whole lines. Loads of several steps are issued before
// the first is used: the recurrence hides no memory latency. The step itself is the CPU's (snn/kernels/lif_step.h),
// compiled without contraction: the same spikes bit for bit.
#pragma once
#include "cuda/arguments.h"
#include "cuda/pack.h"
#include "snn/kernels/lif_chunk.h"
#include "snn/kernels/lif_step.h"
#include "snn/kernels/surrogate_gradient.h"

namespace spikingrx::cuda {

template <int width>
inline constexpr int kAhead = width == 1 ? 8 : 4;  // steps whose loads are under way at once
static_assert(kLifChunk % kAhead<1> == 0 && kLifChunk % kAhead<4> == 0);

// Whether threads can take kWidest neurons each: rows of whole packs, from addresses that are multiples of 16.
template <class Value, class... Pointers>
bool fits_widest(int64_t neurons, Pointers... pointers) {
  const bool aligned = ((reinterpret_cast<uintptr_t>(pointers) % 16 == 0) && ...);
  return kWidest<Value> > 1 && neurons % kWidest<Value> == 0 && aligned;
}

template <class Value>
bool fits_widest(const LifForwardArguments& a) {
  return fits_widest<Value>(a.neurons, a.current, a.initial, a.spikes, a.membrane, a.trace, a.states);
}

template <class Value>
bool fits_widest(const LifBackwardArguments& a) {
  return fits_widest<Value>(a.neurons, a.grad_spikes, a.grad_membrane, a.grad_trace, a.current, a.initial, a.states,
                            a.grad_current, a.grad_initial, a.grad_decay, a.grad_threshold);
}

struct Place {
  int64_t sample, first;  // first neuron
};

// Threads are numbered over [B, N / width]. A 64-bit division takes about as long as several steps.
template <int width, class Arguments>
SPIKINGRX_INLINE Place place_of(const Arguments& a, int64_t thread) {
  const int64_t row = a.neurons / width;
  if (a.batch * row <= UINT32_MAX) {
    const uint32_t sample = static_cast<uint32_t>(thread) / static_cast<uint32_t>(row);
    return {sample, (thread - static_cast<int64_t>(sample) * row) * width};
  }
  return {thread / row, thread % row * width};
}

template <class Real>
SPIKINGRX_INLINE Real parameter_at(const NeuronParameter& parameter, int64_t channel) {
  if (parameter.data == nullptr) return static_cast<Real>(parameter.value);
  return static_cast<const Real*>(parameter.data)[parameter.per_channel ? channel : 0];
}

// decay, gain and threshold of a thread's neurons.
template <class Real, int width>
struct Neurons {
  Real decay[width], gain[width], threshold[width];

  template <class Arguments>
  SPIKINGRX_INLINE Neurons(const Arguments& a, int64_t first) {
    int64_t channel = 0, left = a.neurons;
    if (a.decay.per_channel || a.threshold.per_channel) {
      channel = first / a.area;
      left = a.area - (first - channel * a.area);
    }
    SPIKINGRX_UNROLL
    for (int n = 0; n < width; n++) {
      if (left == 0) channel++, left = a.area;
      left--;
      decay[n] = parameter_at<Real>(a.decay, channel);
      gain[n] = a.decay_input ? Real(1) - decay[n] : Real(1);
      threshold[n] = parameter_at<Real>(a.threshold, channel);
    }
  }
};

template <class Real, int width>
SPIKINGRX_INLINE Pack<Real, width> zeros() {
  Pack<Real, width> pack;
  SPIKINGRX_UNROLL
  for (int n = 0; n < width; n++) pack.at[n] = Real(0);
  return pack;
}

template <class Value, int width>
SPIKINGRX_INLINE void lif_forward_thread(const LifForwardArguments& a, int64_t thread) {
  using Real = typename Computing<Value>::Real;
  constexpr int ahead = kAhead<width>;
  const ResetRule rule = reset_rule(static_cast<Reset>(a.reset), a.reset_delay);
  const Place place = place_of<width>(a, thread);
  const Neurons<Real, width> neuron(a, place.first);
  const int64_t state = place.sample * a.neurons + place.first;
  const int64_t current_step = a.current_steps == a.steps ? a.neurons : 0;
  int64_t in = place.sample * a.current_steps * a.neurons + place.first;
  int64_t out = place.sample * a.steps * a.neurons + place.first;
  Pack<Real, width> u = a.initial ? load<Real, width>(a.initial, state) : zeros<Real, width>();

  SPIKINGRX_ROLLED
  for (int64_t begin = 0; begin < a.steps; begin += ahead) {
    Pack<Value, width> current[ahead];
    SPIKINGRX_UNROLL
    for (int i = 0; i < ahead; i++)
      if (begin + i < a.steps) current[i] = load<Value, width>(a.current, in + i * current_step);
    if (a.states && begin > 0 && begin % kLifChunk == 0)
      store(a.states, (begin / kLifChunk - 1) * a.batch * a.neurons + state, u);
    SPIKINGRX_UNROLL
    for (int i = 0; i < ahead; i++) {
      if (begin + i >= a.steps) continue;
      Pack<Value, width> spikes, trace;
      SPIKINGRX_UNROLL
      for (int n = 0; n < width; n++) {
        Real before;
        spikes.at[n] = static_cast<Value>(advance(rule, u.at[n], neuron.gain[n] * static_cast<Real>(current[i].at[n]),
                                                  neuron.decay[n], neuron.threshold[n], before));
        trace.at[n] = static_cast<Value>(before);
      }
      if (a.spikes) store(a.spikes, out, spikes);
      if (a.trace) store(a.trace, out, trace);
      out += a.neurons;
    }
    in += ahead * current_step;
  }
  store(a.membrane, state, u);
}

// A thread's slots for kLifChunk membranes: `base` its first, `stride` bytes from one to the next, so that the slots of
// neighbouring threads lie side by side, 16 bytes each at most.
struct Slots {
  unsigned char* base;
  int64_t stride;
};

// Bytes of one slot, and slots of one step.
template <class Value, int width>
struct SlotSize {
  using Real = typename Computing<Value>::Real;
  static constexpr int lanes = width * sizeof(Real) > 16 ? 16 / sizeof(Real) : width;
  static constexpr int bytes = lanes * sizeof(Real), count = width / lanes;
};

template <class Value, int width>
SPIKINGRX_INLINE auto read_slots(const Slots& slots, int64_t step) {
  using Size = SlotSize<Value, width>;
  using Real = typename Size::Real;
  Pack<Real, width> pack;
  SPIKINGRX_UNROLL
  for (int j = 0; j < Size::count; j++) {
    const auto part = load<Real, Size::lanes>(slots.base + (step * Size::count + j) * slots.stride, 0);
    SPIKINGRX_UNROLL
    for (int n = 0; n < Size::lanes; n++) pack.at[j * Size::lanes + n] = part.at[n];
  }
  return pack;
}

template <class Value, int width>
SPIKINGRX_INLINE void write_slots(const Slots& slots, int64_t step,
                                  const Pack<typename Computing<Value>::Real, width>& pack) {
  using Size = SlotSize<Value, width>;
  using Real = typename Size::Real;
  SPIKINGRX_UNROLL
  for (int j = 0; j < Size::count; j++) {
    Pack<Real, Size::lanes> part;
    SPIKINGRX_UNROLL
    for (int n = 0; n < Size::lanes; n++) part.at[n] = pack.at[j * Size::lanes + n];
    store(slots.base + (step * Size::count + j) * slots.stride, 0, part);
  }
}

// g(U - threshold): one branch on the kind for all of a thread's neurons.
template <class Real, int width>
SPIKINGRX_INLINE Pack<Real, width> surrogates(int64_t kind, Real parameter, const Pack<Real, width>& u,
                                              const Real (&threshold)[width]) {
  Pack<Real, width> g;
  with_surrogate_kind(static_cast<SurrogateKind>(kind), [&](auto constant) {
    SPIKINGRX_UNROLL
    for (int n = 0; n < width; n++)
      g.at[n] = surrogate_gradient<decltype(constant)::value>(u.at[n] - threshold[n], parameter);
  });
  return g;
}

template <class Values>
struct Upstream {  // what backward reads of a step
  Values spikes, trace, current;
};

template <class Value, int width, bool learn>
SPIKINGRX_INLINE void lif_backward_thread(const LifBackwardArguments& a, int64_t thread, const Slots& slots) {
  using Real = typename Computing<Value>::Real;
  using Reals = Pack<Real, width>;
  using Values = Pack<Value, width>;
  constexpr int ahead = kAhead<width>;
  const ResetRule rule = reset_rule(static_cast<Reset>(a.reset), a.reset_delay);
  const Place place = place_of<width>(a, thread);
  const Neurons<Real, width> neuron(a, place.first);
  const int64_t state = place.sample * a.neurons + place.first;
  const bool constant = a.current_steps != a.steps;
  const int64_t current_step = constant ? 0 : a.neurons;
  const int64_t in = place.sample * a.current_steps * a.neurons + place.first;
  const int64_t out = place.sample * a.steps * a.neurons + place.first;
  const Real parameter = static_cast<Real>(a.surrogate_parameter);
  const Real keep = a.detach_reset ? Real(0) : Real(1), input_share = a.decay_input ? Real(1) : Real(0);

  const Reals initial = a.initial ? load<Real, width>(a.initial, state) : zeros<Real, width>();
  const Reals final = a.grad_membrane ? load<Real, width>(a.grad_membrane, state) : zeros<Real, width>();
  Reals sum = zeros<Real, width>();
  LifCarry<Real> carry[width];
  SPIKINGRX_UNROLL
  for (int n = 0; n < width; n++) carry[n] = {final.at[n], Real(0), Real(0), Real(0)};

  for (int64_t chunk = (a.steps + kLifChunk - 1) / kLifChunk - 1; chunk >= 0; chunk--) {
    const int64_t begin = chunk * kLifChunk;
    const int count = static_cast<int>(a.steps - begin < kLifChunk ? a.steps - begin : kLifChunk);
    const Reals start = chunk > 0 ? load<Real, width>(a.states, (chunk - 1) * a.batch * a.neurons + state) : initial;

    Reals u = start;  // the membranes of the chunk again, exactly as forward computed them
    SPIKINGRX_ROLLED
    for (int k = 0; k < count; k += ahead) {
      Values current[ahead];
      SPIKINGRX_UNROLL
      for (int i = 0; i < ahead; i++)
        if (k + i < count) current[i] = load<Value, width>(a.current, in + (begin + k + i) * current_step);
      SPIKINGRX_UNROLL
      for (int i = 0; i < ahead; i++) {
        if (k + i >= count) continue;
        Reals membranes;
        SPIKINGRX_UNROLL
        for (int n = 0; n < width; n++)
          advance(rule, u.at[n], neuron.gain[n] * static_cast<Real>(current[i].at[n]), neuron.decay[n],
                  neuron.threshold[n], membranes.at[n]);
        write_slots<Value, width>(slots, k + i, membranes);
      }
    }

    // Back over them. The loads of two steps are under way; the loop stays rolled, for its body is long.
    const auto upstream = [&](int k) {
      return Upstream<Values>{
          a.grad_spikes ? load<Value, width>(a.grad_spikes, out + (begin + k) * a.neurons) : zeros<Value, width>(),
          a.grad_trace ? load<Value, width>(a.grad_trace, out + (begin + k) * a.neurons) : zeros<Value, width>(),
          learn && a.grad_decay ? load<Value, width>(a.current, in + (begin + k) * current_step)
                                : zeros<Value, width>()};
    };
    Upstream<Values> now = upstream(count - 1), next = count > 1 ? upstream(count - 2) : now;
    Reals membranes = read_slots<Value, width>(slots, count - 1);
    SPIKINGRX_ROLLED
    for (int k = count - 1; k >= 0; k--) {
      const Upstream<Values> after = k > 1 ? upstream(k - 2) : next;
      const bool entered = k == 0;  // `before` is then the state that entered the chunk
      const Reals before = entered ? start : read_slots<Value, width>(slots, k - 1);
      const Reals g = surrogates(a.surrogate, parameter, membranes, neuron.threshold);
      Values gradient;
      SPIKINGRX_UNROLL
      for (int n = 0; n < width; n++) {
        const Real grad_u = step_back<learn>(rule, carry[n], membranes.at[n], before.at[n], entered, g.at[n],
                                             static_cast<Real>(now.spikes.at[n]), static_cast<Real>(now.trace.at[n]),
                                             static_cast<Real>(now.current.at[n]), neuron.decay[n], neuron.threshold[n],
                                             keep, input_share);
        const Real grad_input = neuron.gain[n] * grad_u;
        sum.at[n] += grad_input;
        gradient.at[n] = static_cast<Value>(grad_input);
      }
      if (!constant) store(a.grad_current, out + (begin + k) * a.neurons, gradient);
      membranes = before, now = next, next = after;
    }
  }

  if (constant) {
    Values gradient;
    SPIKINGRX_UNROLL
    for (int n = 0; n < width; n++) gradient.at[n] = static_cast<Value>(sum.at[n]);
    store(a.grad_current, in, gradient);
  }
  if (rule.later()) {  // the reset at the first step depends on the initial state through its spike
    const Reals g = surrogates(a.surrogate, parameter, initial, neuron.threshold);
    SPIKINGRX_UNROLL
    for (int n = 0; n < width; n++) {
      const Real through = g.at[n] * carry[n].spike;
      carry[n].membrane += through;
      if constexpr (learn) carry[n].grad_threshold -= through;
    }
  }
  Reals grad_initial, grad_decay, grad_threshold;
  SPIKINGRX_UNROLL
  for (int n = 0; n < width; n++) {
    grad_initial.at[n] = carry[n].membrane;
    grad_decay.at[n] = carry[n].grad_decay;
    grad_threshold.at[n] = carry[n].grad_threshold;
  }
  store(a.grad_initial, state, grad_initial);
  if (learn && a.grad_decay) {
    store(a.grad_decay, state, grad_decay);
    store(a.grad_threshold, state, grad_threshold);
  }
}

}  // namespace spikingrx::cuda
