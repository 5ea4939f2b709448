// Linear layers and convolutions of an inference plan, by events or densely.
#include <ATen/TensorOperators.h>
#include <ATen/ops/addmm.h>
#include <ATen/ops/conv2d.h>
#include <ATen/ops/from_blob.h>
#include <ATen/ops/isfinite.h>
#include <ATen/ops/mm.h>
#include <ATen/ops/zeros.h>

#include <algorithm>

#include "model/inference_steps.h"

namespace spikingrx {

namespace {

constexpr double kParallelAdds = 1 << 20;  // weights that a thread adds at least

// Rows for each thread, where all rows add `adds` weights.
int64_t grain(int64_t rows, double adds) {
  return std::max<int64_t>(1, static_cast<int64_t>(static_cast<double>(rows) * kParallelAdds / std::max(adds, 1.0)));
}

}  // namespace

void EventTable::fill(const at::Tensor& rows, const at::Tensor& addend) {
  const int64_t inputs = rows.size(0), outputs = rows.size(1), padded = event_padded(outputs);
  weight = at::zeros({inputs, event_stride(outputs)}, at::kFloat);
  weight.narrow(1, 0, outputs).copy_(rows);
  bias = at::zeros({padded}, at::kFloat);
  if (addend.defined()) bias.narrow(0, 0, outputs).copy_(addend);
  weights = {weight.const_data_ptr<float>(), bias.const_data_ptr<float>(), inputs, outputs};
  finite = at::isfinite(weight).all().item<bool>();
}

LinearStep::LinearStep(StepPlaces places, const SignalPlace& input, const at::Tensor& weight, const at::Tensor& bias)
    : places_(places) {
  // Input (c, s) of the layers lies at (s, c). Where that is the same, dense products read the network's own weights.
  const int64_t outputs = weight.size(0);
  weight_ = weight.detach().view({outputs, input.channels, input.places}).transpose(1, 2).reshape({outputs, -1});
  if (bias.defined()) bias_ = bias.detach();
  table_.fill(weight_.t(), bias_);
}

void LinearStep::run(Chunk& chunk) const {
  const int64_t rows = chunk.rows(places_.input), inputs = table_.weights.inputs, outputs = table_.weights.outputs;
  const EngineCosts& costs = chunk.run.costs;
  float* y = chunk.write(places_.output);
  bool by_events = false;
  if (table_.finite) {
    const EventLists& events = chunk.events(places_.input, false);
    const double adds = static_cast<double>(events.total) * static_cast<double>(table_.weights.padded());
    by_events = chunk.run.only_events || adds * costs.event_add <= costs.dense_linear(rows, inputs, outputs);
    if (by_events)
      chunk.parallel(rows, grain(rows, adds), [&](int64_t first, int64_t last) {
        event_kernels().product(table_.weights, events.list, first, last, y);
      });
  }
  if (!by_events) {
    chunk.work.one_thread = false;
    const at::Tensor x = at::from_blob(const_cast<float*>(chunk.read(places_.input)), {rows, inputs}, at::kFloat);
    at::Tensor out = at::from_blob(y, {rows, outputs}, at::kFloat);
    at::addmm_out(out, table_.bias.narrow(0, 0, outputs), x, weight_.t());
  }
  chunk.record(places_.record, y, places_.output);
}

ConvolutionStep::ConvolutionStep(StepPlaces places, const SignalPlace& input, const SignalPlace& output,
                                 const at::Tensor& weight, const at::Tensor& bias, const std::vector<int64_t>& stride,
                                 const std::vector<int64_t>& padding)
    : places_(places),
      window_{input.shape[1],
              input.shape[2],
              input.channels,
              {weight.size(2), weight.size(3)},
              {stride[0], stride[1]},
              {padding[0], padding[1]},
              {output.shape[1], output.shape[2]}},
      weight_(weight.detach().contiguous(at::MemoryFormat::ChannelsLast)),
      bias_(bias.defined() ? bias.detach().clone() : bias) {
  lay_out();
}

void ConvolutionStep::lay_out() { table_.fill(weight_.permute({2, 3, 1, 0}).reshape({-1, weight_.size(0)}), bias_); }

void ConvolutionStep::fold(const at::Tensor& scale, const at::Tensor& shift, size_t record) {
  weight_ = (weight_ * scale.view({-1, 1, 1, 1})).contiguous(at::MemoryFormat::ChannelsLast);
  bias_ = bias_.defined() ? bias_ * scale + shift : shift.clone();
  places_.record = record;
  lay_out();
}

bool ConvolutionStep::events_are_cheaper(const Chunk& chunk, const EventLists& events, int64_t images) const {
  const EngineCosts& costs = chunk.run.costs;
  const double taps = static_cast<double>(window_.kernel[0] * window_.kernel[1]);
  const double outputs = static_cast<double>(window_.output[0] * window_.output[1] * images);
  const double windows = taps / static_cast<double>(window_.step[0] * window_.step[1]);  // that a place is in
  const double adds = static_cast<double>(events.total) * windows * static_cast<double>(table_.weights.padded());
  const double macs = outputs * taps * static_cast<double>(window_.channels * table_.weights.outputs);
  return adds * costs.event_add + outputs * taps * costs.event_window <=
         costs.convolution_call + macs * costs.convolution_mac;
}

void ConvolutionStep::run(Chunk& chunk) const {
  const int64_t images = chunk.rows(places_.input);
  bool by_events = false;
  if (table_.finite) {
    const EventLists& events = chunk.events(places_.input, true);
    by_events = chunk.run.only_events || events_are_cheaper(chunk, events, images);
    if (by_events) {
      float* y = chunk.write(places_.output);
      const int64_t lines = images * window_.output[0];
      const double adds = static_cast<double>(events.total + chunk.place(places_.input).places * images) *
                          static_cast<double>(window_.kernel[0] * window_.kernel[1] * table_.weights.padded());
      chunk.parallel(lines, grain(lines, adds), [&](int64_t first, int64_t last) {
        event_kernels().convolution(table_.weights, window_, events.list, first, last, y);
      });
    }
  }
  if (!by_events) run_dense(chunk, images);
  chunk.record(places_.record, chunk.read(places_.output), places_.output);
}

void ConvolutionStep::run_dense(Chunk& chunk, int64_t images) const {
  chunk.work.one_thread = false;
  const at::Tensor x = at::from_blob(const_cast<float*>(chunk.read(places_.input)),
                                     {images, window_.height, window_.width, window_.channels}, at::kFloat)
                           .permute({0, 3, 1, 2});
  const at::Tensor y =
      at::conv2d(x, weight_, bias_, at::IntArrayRef(window_.step, 2), at::IntArrayRef(window_.padding, 2));
  chunk.take(places_.output, y.permute({0, 2, 3, 1}).contiguous());
}

}  // namespace spikingrx
