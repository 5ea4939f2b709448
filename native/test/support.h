// What several C++ tests share: random tensors and the LIF neuron as an unrolled graph of small operators.
#pragma once
#include <ATen/ATen.h>

#include <functional>
#include <vector>

#include "snn/lif.h"

namespace support {

inline at::Tensor normal(at::IntArrayRef shape, uint64_t seed, at::ScalarType dtype = at::kDouble) {
  at::Generator generator = at::make_generator<at::CPUGeneratorImpl>(seed);
  return at::empty(shape, at::kDouble).normal_(0, 1, generator).to(dtype);
}

using Spike = std::function<at::Tensor(const at::Tensor&)>;

// SEMANTICS step by step, with any spike function; autograd differentiates it. Gives spikes, final membrane, trace.
inline spikingrx::LifOutput unrolled_lif(const at::Tensor& current, const at::Tensor& decay,
                                         const at::Tensor& threshold, const at::Tensor& initial, int64_t steps,
                                         const spikingrx::LifOptions& options, const Spike& spike) {
  using spikingrx::Reset;
  const int64_t total = steps > 0 ? steps : current.size(1);
  const auto by_neuron = [&](const at::Tensor& value) {
    if (value.dim() == 0) return value;
    std::vector<int64_t> shape(current.dim() - 1, 1);
    shape[1] = value.size(0);
    return value.view(shape);
  };
  const at::Tensor beta = by_neuron(decay), theta = by_neuron(threshold);
  at::Tensor u = initial.defined() ? initial : at::zeros_like(current.select(1, 0));
  std::vector<at::Tensor> spikes, trace;
  for (int64_t t = 0; t < total; t++) {
    const at::Tensor input = current.select(1, current.size(1) == 1 ? 0 : t);
    at::Tensor last;  // the spike whose reset is due now
    if (options.reset_delay) last = options.detach_reset ? spike(u - theta).detach() : spike(u - theta);
    if (options.reset_delay && options.reset == Reset::kZero) u = u * (1 - last);
    at::Tensor integrated = beta * u + (options.decay_input ? (1 - beta) * input : input);
    if (options.reset_delay && options.reset == Reset::kSubtract) integrated = integrated - theta * last;
    const at::Tensor s = spike(integrated - theta);
    const at::Tensor reset = options.detach_reset ? s.detach() : s;
    u = integrated;
    if (!options.reset_delay && options.reset == Reset::kSubtract) u = integrated - theta * reset;
    if (!options.reset_delay && options.reset == Reset::kZero) u = integrated * (1 - reset);
    spikes.push_back(s);
    trace.push_back(integrated);
  }
  return {at::stack(spikes, 1), u, at::stack(trace, 1)};
}

}  // namespace support
