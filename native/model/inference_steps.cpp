// Neurons and what works value by value in an inference plan; its products are in inference_products.cpp.
#include "model/inference_steps.h"

#include <algorithm>
#include <cmath>

#include "model/time_mean.h"
#include "snn/kernels/lif_scan.h"

namespace spikingrx {

NeuronStep::NeuronStep(StepPlaces places, NeuronPlaces neuron, at::Tensor decay, at::Tensor gain, at::Tensor threshold,
                       Reset reset, bool reset_delay)
    : places_(places),
      neuron_(neuron),
      decay_(std::move(decay)),
      gain_(std::move(gain)),
      threshold_(std::move(threshold)),
      reset_(reset),
      reset_delay_(reset_delay) {}

void NeuronStep::run(Chunk& chunk) const {
  constexpr int64_t kParallelUpdates = 1 << 16;  // neurons times steps that a thread computes at least
  const SignalPlace& place = chunk.place(places_.output);
  const int64_t neurons = place.size(), steps = chunk.run.steps, entered = chunk.steps(places_.input);
  const bool spiking = neuron_.spiking != kNone;
  const bool with_trace = spiking && chunk.run.options.record;

  float* output = chunk.write(places_.output);
  float* recorded = with_trace ? chunk.scratch(neuron_.trace_scratch, chunk.samples * steps * neurons) : nullptr;
  float *spikes = spiking ? output : nullptr, *trace = spiking ? recorded : output;  // a readout gives its membrane
  float* membrane = chunk.scratch(neuron_.membrane_scratch, chunk.samples * neurons);
  if (chunk.run.membranes)
    to_channels_last(chunk.run.membranes[neuron_.state].const_data_ptr<float>() + chunk.first * neurons, chunk.samples,
                     place.channels, place.places, membrane);
  else
    std::fill_n(membrane, chunk.samples * neurons, 0.0f);

  const float* current = chunk.read(places_.input);
  const int64_t tiles = (neurons + kWidestTile - 1) / kWidestTile;
  const LifScan<float> scan = lif_scan<float>();
  const int64_t grain =
      std::max<int64_t>(1, kParallelUpdates / std::max<int64_t>(1, steps * std::min(neurons, kWidestTile)));
  chunk.parallel(chunk.samples * tiles, grain, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; i++) {
      const int64_t sample = i / tiles, first = (i % tiles) * kWidestTile;
      const int64_t offset = sample * steps * neurons + first;
      LifForwardTile<float> tile{};
      tile.element = Element::kReal;
      tile.current = current + sample * entered * neurons + first;
      tile.current_step = entered == steps ? neurons : 0;
      tile.spikes = spikes ? spikes + offset : nullptr;
      tile.trace = trace ? trace + offset : nullptr;
      tile.output_step = neurons;
      tile.membrane = membrane + sample * neurons + first;
      tile.decay = decay_.const_data_ptr<float>() + first;
      tile.gain = gain_.const_data_ptr<float>() + first;
      tile.threshold = threshold_.const_data_ptr<float>() + first;
      tile.steps = steps, tile.width = std::min(kWidestTile, neurons - first);
      tile.reset = reset_, tile.reset_delay = reset_delay_;
      scan.forward(tile);
    }
  });

  if (spiking && chunk.run.options.measure_rates)
    chunk.work.spikes[neuron_.spiking] += event_kernels().count(output, chunk.samples * steps * neurons);
  if (chunk.run.options.carry_state)
    from_channels_last(membrane, chunk.samples, place.channels, place.places,
                       chunk.run.final_membranes[neuron_.state].mutable_data_ptr<float>() + chunk.first * neurons);
  chunk.record(places_.record, output, places_.output);
  if (with_trace) chunk.record(neuron_.membrane_record, recorded, places_.output);
}

AffineStep::AffineStep(StepPlaces places, at::Tensor scale, at::Tensor shift)
    : places_(places), scale_(std::move(scale)), shift_(std::move(shift)) {}

void AffineStep::run(Chunk& chunk) const {
  const SignalPlace& place = chunk.place(places_.output);
  const int64_t steps = chunk.steps(places_.output), entered = chunk.steps(places_.input);
  const int64_t known = scale_.size(0), size = place.size(), channels = place.channels;
  const float *from = chunk.read(places_.input), *scales = scale_.const_data_ptr<float>(),
              *shifts = shift_.const_data_ptr<float>();
  float* to = chunk.write(places_.output);
  for (int64_t sample = 0; sample < chunk.samples; sample++)
    for (int64_t t = 0; t < steps; t++) {
      const float* x = from + (sample * entered + (entered == steps ? t : 0)) * size;
      float* y = to + (sample * steps + t) * size;
      const int64_t row = std::min(chunk.run.first_step + t, known - 1) * channels;
      for (int64_t s = 0; s < size; s += channels)
        for (int64_t c = 0; c < channels; c++) y[s + c] = x[s + c] * scales[row + c] + shifts[row + c];
    }
  chunk.record(places_.record, to, places_.output);
}

void ReluStep::run(Chunk& chunk) const {
  const int64_t size = chunk.rows(places_.input) * chunk.place(places_.input).size();
  const float* x = chunk.read(places_.input);
  float* y = chunk.write(places_.output);
  for (int64_t i = 0; i < size; i++) y[i] = x[i] < 0 ? 0 : x[i];  // not a number stays
  chunk.record(places_.record, y, places_.output);
}

void TimeMeanStep::run(Chunk& chunk) const {
  float* y = chunk.write(places_.output);
  mean_over_time(chunk.read(places_.input), chunk.samples, chunk.steps(places_.input),
                 chunk.place(places_.output).size(), y);
  chunk.record(places_.record, y, places_.output);
}

void PoolStep::run(Chunk& chunk) const {
  const EventWindow& w = window_;
  const int64_t images = chunk.rows(places_.input), channels = w.channels;
  const float* from = chunk.read(places_.input);
  float* y = chunk.write(places_.output);
  const float share = 1.0f / static_cast<float>(w.kernel[0] * w.kernel[1]);  // the padding counts
  for (int64_t image = 0; image < images; image++, from += w.height * w.width * channels)
    for (int64_t oy = 0; oy < w.output[0]; oy++)
      for (int64_t ox = 0; ox < w.output[1]; ox++, y += channels) {
        std::fill_n(y, channels, average_ ? 0.0f : -INFINITY);
        for (int64_t i = 0; i < w.kernel[0]; i++)
          for (int64_t j = 0; j < w.kernel[1]; j++) {
            const int64_t row = oy * w.step[0] - w.padding[0] + i, column = ox * w.step[1] - w.padding[1] + j;
            if (row < 0 || row >= w.height || column < 0 || column >= w.width) continue;
            const float* x = from + (row * w.width + column) * channels;
            if (average_)
              for (int64_t c = 0; c < channels; c++) y[c] += x[c];
            else
              for (int64_t c = 0; c < channels; c++) y[c] = x[c] > y[c] || std::isnan(x[c]) ? x[c] : y[c];
          }
        if (average_)
          for (int64_t c = 0; c < channels; c++) y[c] *= share;
      }
  chunk.record(places_.record, chunk.read(places_.output), places_.output);
}

void ConnectStep::run(Chunk& chunk) const {
  const int64_t size = chunk.place(places_.output).size(), steps = chunk.steps(places_.output);
  const int64_t main_steps = chunk.steps(places_.input), beside_steps = chunk.steps(shortcut_);
  const float *main = chunk.read(places_.input), *beside = chunk.read(shortcut_);
  float* to = chunk.write(places_.output);
  for (int64_t sample = 0; sample < chunk.samples; sample++)
    for (int64_t t = 0; t < steps; t++) {
      const float* o = main + (sample * main_steps + (main_steps == steps ? t : 0)) * size;
      const float* x = beside + (sample * beside_steps + (beside_steps == steps ? t : 0)) * size;
      float* y = to + (sample * steps + t) * size;
      switch (connect_) {
        case Connect::kAdd:
          for (int64_t i = 0; i < size; i++) y[i] = o[i] + x[i];
          break;
        case Connect::kAnd:
          for (int64_t i = 0; i < size; i++) y[i] = o[i] * x[i];
          break;
        case Connect::kIand:
          for (int64_t i = 0; i < size; i++) y[i] = x[i] * (1 - o[i]);
          break;
        case Connect::kMean:
          for (int64_t i = 0; i < size; i++) y[i] = (o[i] + x[i]) * 0.5f;
          break;
      }
    }
  chunk.record(places_.record, to, places_.output);
}

}  // namespace spikingrx
