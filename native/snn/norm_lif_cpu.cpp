// SpikeNorm and LIF on the CPU, channel by channel: the planes of one channel, all steps of all samples, are gone over
// twice in a row, for the sums and for what the sums decide, so that the second time finds some of them in the cache.
//
//   forward    sums of x by step (kernels/step_norm.h); then the scan, which normalises x on its way (LifNorm)
//   backward   the scan back, which computes the current again, gives the gradient g of the current and gathers the
//              sums of g and g (x - mean) by step; then dx = a g + b x + c. A channel's g stays in a small buffer where
//              it fits, else it lies where dx will
//
// What a pass reads or writes an element, in bytes of float32: forward 12 (x twice, spikes), backward 16 (x twice, the
// gradient, dx), and 8 more where g is not kept.
#include "snn/norm_lif_cpu.h"

#include <ATen/Parallel.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/zeros.h>

#include <algorithm>
#include <array>
#include <memory>
#include <vector>

#include "snn/kernels/lif_scan.h"
#include "snn/lif_shape.h"
#include "snn/norm_rows.h"

namespace spikingrx {
namespace {

// Gradients of a channel's current up to this size are kept in a buffer of their own, in the second-level cache: planes
// of one channel lie so far apart that they would displace each other there.
constexpr int64_t kCachedBytes = 512 * 1024;

struct Sizes {
  int64_t batch, steps, channels, area;
  int64_t rows() const { return steps * channels; }
  int64_t neurons() const { return channels * area; }
  // The planes of one step and channel.
  Planes planes() const { return {batch, rows() * area, area}; }
  double count() const { return static_cast<double>(batch * area); }
  LifSizes lif() const { return {batch, steps, steps, neurons()}; }
};

Sizes sizes_of(const at::Tensor& x) { return {x.size(0), x.size(1), x.size(2), x.size(3) * x.size(4)}; }

// Decay, gain and threshold of one channel, repeated for each neuron of a tile.
class ChannelValues {
 public:
  ChannelValues(const NormLifInputs& inputs, const Sizes& s, bool decay_input)
      : decay_(by_channel(inputs.decay, s)), threshold_(by_channel(inputs.threshold, s)), decay_input_(decay_input) {}

  struct Repeated {
    float decay[kWidestTile], gain[kWidestTile], threshold[kWidestTile];
  };

  void repeat(int64_t channel, Repeated& into) const {
    const float decay = decay_.const_data_ptr<float>()[channel];
    std::fill_n(into.decay, kWidestTile, decay);
    std::fill_n(into.gain, kWidestTile, decay_input_ ? 1 - decay : 1.f);
    std::fill_n(into.threshold, kWidestTile, threshold_.const_data_ptr<float>()[channel]);
  }

 private:
  static at::Tensor by_channel(const at::Tensor& value, const Sizes& s) {
    return value.to(at::kFloat).expand({s.channels}).contiguous();
  }

  at::Tensor decay_, threshold_;
  bool decay_input_;
};

// Neighbouring neurons of one sample's plane; `next`: from here to the tile after it, in [B, T, C, H, W].
struct Place {
  int64_t sample, first, width, next;
};

// Calls body(place) for the tiles of one channel, sample by sample; those of a plane are as equal as multiples of a
// vector are.
template <class Body>
void for_tiles(const Sizes& s, Body&& body) {
  const int64_t least = (s.area + kWidestTile - 1) / kWidestTile;
  const int64_t width = std::min(kWidestTile, ((s.area + least - 1) / least + 15) / 16 * 16);
  const int64_t tiles = (s.area + width - 1) / width;
  const auto offset = [&](int64_t i) { return i / tiles * s.steps * s.neurons() + i % tiles * width; };
  for (int64_t i = 0; i < s.batch * tiles; i++) {
    const int64_t first = i % tiles * width, next = i + 1 < s.batch * tiles ? offset(i + 1) - offset(i) : 0;
    body(Place{i / tiles, first, std::min(width, s.area - first), next});
  }
}

// Sets what forward and backward tiles share: neurons from `first` of the channel's plane on.
template <class Tile>
void begin(Tile& tile, const Sizes& s, const ChannelValues::Repeated& values, const float* rows, int64_t channel,
           const Place& place, const LifOptions& options) {
  tile.element = Element::kReal;
  tile.decay = values.decay, tile.gain = values.gain, tile.threshold = values.threshold;
  tile.steps = s.steps, tile.width = place.width;
  tile.reset = options.reset, tile.reset_delay = options.reset_delay;
  tile.current_step = s.neurons(), tile.next_tile = place.next, tile.states_step = s.batch * s.neurons();
  tile.streaming = false;
  tile.norm.mean = rows + channel;
  tile.norm.scale = rows + 2 * s.rows() + channel, tile.norm.shift = rows + 3 * s.rows() + channel;
  tile.norm.step = s.channels;
}

float* data_or_null(const at::Tensor& tensor) {
  return tensor.defined() && tensor.numel() > 0 ? tensor.mutable_data_ptr<float>() : nullptr;
}

}  // namespace

NormLifForward norm_lif_forward(const NormLifInputs& inputs, double epsilon, const LifOptions& options,
                                bool keep_states) {
  const Sizes s = sizes_of(inputs.input);
  NormLifForward result;
  result.spikes = at::empty_like(inputs.input);
  const bool from_rest = !inputs.membrane.defined();
  result.membrane = from_rest ? at::empty(without_steps(inputs.input), inputs.input.options())
                              : start_membrane(inputs.membrane, inputs.input, at::kFloat).clone();
  result.states =
      at::empty(kept_shape(s.lif(), keep_states ? LifKeep::kStates : LifKeep::kNothing), inputs.input.options());
  result.rows = at::empty({4, s.rows()}, inputs.input.options());
  result.variance = at::empty({s.steps, s.channels}, inputs.input.options());
  const ChannelValues channel_values(inputs, s, options.decay_input);
  const at::Tensor scales = inputs.gamma.contiguous(), shifts = inputs.beta.contiguous();
  const float *x = inputs.input.const_data_ptr<float>(), *gamma = scales.const_data_ptr<float>(),
              *beta = shifts.const_data_ptr<float>();
  float *rows = result.rows.mutable_data_ptr<float>(), *variance = result.variance.mutable_data_ptr<float>(),
        *spikes = result.spikes.mutable_data_ptr<float>(), *membrane = result.membrane.mutable_data_ptr<float>(),
        *states = data_or_null(result.states);
  const StepNorm norm = step_norm();
  const LifScan<float> scan = lif_scan<float>();
  at::parallel_for(0, s.channels, 1, [&](int64_t from, int64_t to) {
    const auto values = std::make_unique<ChannelValues::Repeated>();
    for (int64_t c = from; c < to; c++) {
      for (int64_t r = c; r < s.rows(); r += s.channels) {
        const NormalisedRow row =
            normalised_row(norm.moments(x + r * s.area, s.planes()), s.count(), epsilon, gamma[c], beta[c]);
        rows[r] = row.mean, rows[s.rows() + r] = row.inverse;
        rows[2 * s.rows() + r] = row.scale, rows[3 * s.rows() + r] = row.shift;
        variance[r] = row.variance;
      }
      channel_values.repeat(c, *values);
      for_tiles(s, [&](const Place& place) {
        const int64_t of_state = place.sample * s.neurons() + c * s.area + place.first,
                      of_steps = place.sample * s.steps * s.neurons() + c * s.area + place.first;
        LifForwardTile<float> tile{};
        begin(tile, s, *values, rows, c, place, options);
        tile.current = x + of_steps, tile.spikes = spikes + of_steps, tile.output_step = s.neurons();
        tile.states = states ? states + of_state : nullptr, tile.membrane = membrane + of_state;
        if (from_rest) std::fill_n(tile.membrane, place.width, 0.f);
        scan.forward(tile);
      });
    }
  });
  result.mean = result.rows.select(0, 0).view({s.steps, s.channels});
  return result;
}

NormLifGradients norm_lif_backward(const at::Tensor& grad_spikes, const at::Tensor& grad_membrane,
                                   const NormLifInputs& inputs, const at::Tensor& states, const at::Tensor& kept_rows,
                                   const LifOptions& options, bool parameter_gradients) {
  const Sizes s = sizes_of(inputs.input);
  const auto like = inputs.input.options();
  // Without a membrane before the first step, nobody wants its gradient either: rows in the cache stand for both.
  const bool from_rest = !inputs.membrane.defined();
  const at::Tensor initial = from_rest ? at::Tensor() : start_membrane(inputs.membrane, inputs.input, at::kFloat);
  const at::Tensor from_spikes = upstream_gradient(grad_spikes, inputs.input, s.steps);
  const at::Tensor no_gradient = at::zeros({kWidestTile}, like);
  NormLifGradients result;
  result.input = at::empty_like(inputs.input);
  if (!from_rest || grad_membrane.defined())
    result.membrane = start_membrane(grad_membrane, inputs.input, at::kFloat).clone();
  const auto parameter_shape =
      parameter_gradients ? std::vector<int64_t>{s.batch, s.neurons()} : std::vector<int64_t>{0};
  const at::Tensor grad_decay = at::zeros(parameter_shape, like), grad_threshold = at::zeros(parameter_shape, like);
  const at::Tensor grad_gamma = at::empty({s.steps, s.channels}, like), grad_beta = at::empty_like(grad_gamma);

  const ChannelValues channel_values(inputs, s, options.decay_input);
  const at::Tensor scales = inputs.gamma.contiguous();
  const float *x = inputs.input.const_data_ptr<float>(), *gamma = scales.const_data_ptr<float>(),
              *rows = kept_rows.const_data_ptr<float>(), *u0 = data_or_null(initial), *saved = data_or_null(states),
              *gs = data_or_null(from_spikes), *none = data_or_null(no_gradient);
  float *dx = result.input.mutable_data_ptr<float>(), *gu = data_or_null(result.membrane),
        *gd = data_or_null(grad_decay), *gh = data_or_null(grad_threshold),
        *dgamma = grad_gamma.mutable_data_ptr<float>(), *dbeta = grad_beta.mutable_data_ptr<float>();
  const StepNorm norm = step_norm();
  const LifScan<float> scan = lif_scan<float>();
  const bool in_cache = s.steps * s.batch * s.area * static_cast<int64_t>(sizeof(float)) <= kCachedBytes;
  const int64_t scratch_steps = in_cache ? s.steps : 0;
  at::parallel_for(0, s.channels, 1, [&](int64_t from, int64_t to) {
    const auto values = std::make_unique<ChannelValues::Repeated>();
    std::vector<float> scratch(static_cast<size_t>(kBackwardRows * kWidestTile)), carry(kWidestTile);
    std::vector<GradientSums> sums(static_cast<size_t>(s.steps));
    const at::Tensor cached = at::empty({scratch_steps, s.batch, s.area}, like);
    float* g = data_or_null(cached);
    for (int64_t c = from; c < to; c++) {
      channel_values.repeat(c, *values);
      std::fill(sums.begin(), sums.end(), GradientSums{0, 0});
      for_tiles(s, [&](const Place& place) {
        const int64_t of_state = place.sample * s.neurons() + c * s.area + place.first,
                      of_steps = place.sample * s.steps * s.neurons() + c * s.area + place.first;
        LifBackwardTile<float> tile{};
        begin(tile, s, *values, rows, c, place, options);
        tile.norm.sums = sums.data();
        tile.current = x + of_steps;
        tile.grad_spikes = gs ? gs + of_steps : none, tile.grad_spikes_step = gs ? s.neurons() : 0;
        tile.grad_trace = none;
        tile.grad_current = g ? g + place.sample * s.area + place.first : dx + of_steps;
        tile.grad_current_step = g ? s.batch * s.area : s.neurons();
        if (!gu) std::fill_n(carry.data(), place.width, 0.f);
        tile.initial = u0 ? u0 + of_state : none, tile.carry = gu ? gu + of_state : carry.data();
        tile.states = saved ? saved + of_state : nullptr;
        tile.scratch = scratch.data();
        tile.grad_decay = gd ? gd + of_state : nullptr, tile.grad_threshold = gh ? gh + of_state : nullptr;
        tile.decay_input = options.decay_input, tile.detach_reset = options.detach_reset;
        tile.surrogate = options.surrogate;
        scan.backward(tile);
      });
      for (int64_t t = 0, r = c; t < s.steps; t++, r += s.channels) {
        const RowGradient row =
            row_gradient(sums[static_cast<size_t>(t)], s.count(), gamma[c], rows[r], rows[s.rows() + r]);
        const float* gradient = g ? g + t * s.batch * s.area : dx + r * s.area;
        norm.combine(x + r * s.area, gradient, g ? s.area : s.planes().step, s.planes(), row.of_gradient, row.of_value,
                     row.constant, dx + r * s.area);
        dgamma[r] = row.gamma, dbeta[r] = row.beta;
      }
    }
  });
  result.gamma = grad_gamma.sum(0), result.beta = grad_beta.sum(0);
  if (parameter_gradients) {
    result.decay = parameter_gradient(grad_decay, inputs.decay, s.lif());
    result.threshold = parameter_gradient(grad_threshold, inputs.threshold, s.lif());
  }
  return result;
}

}  // namespace spikingrx
