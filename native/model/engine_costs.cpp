#include "model/engine_costs.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/addmm.h>
#include <ATen/ops/conv2d.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/zeros.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <mutex>
#include <vector>

#include "error.h"
#include "snn/kernels/event_rows.h"

namespace spikingrx {

namespace {

std::mutex mutex;

EngineCosts& current() {
  static EngineCosts costs;
  return costs;
}

// Seconds of the quickest of some runs, after one that is not timed: what disturbs only ever adds.
template <class Body>
double seconds(int runs, Body&& body) {
  body();
  double best = INFINITY;
  for (int i = 0; i < runs; i++) {
    const auto begin = std::chrono::steady_clock::now();
    body();
    best = std::min(best, std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count());
  }
  return best;
}

double dense_linear(int64_t rows, int64_t inputs, int64_t outputs) {
  const at::Tensor x = at::ones({rows, inputs}, at::kFloat), weight = at::ones({outputs, inputs}, at::kFloat).t();
  const at::Tensor bias = at::zeros({outputs}, at::kFloat);
  at::Tensor y = at::empty({rows, outputs}, at::kFloat);
  return seconds(4, [&] { at::addmm_out(y, bias, x, weight); });
}

double dense_convolution(int64_t images, int64_t channels, int64_t size) {
  const auto layout = at::MemoryFormat::ChannelsLast;
  const at::Tensor x = at::ones({images, channels, size, size}, at::kFloat).contiguous(layout);
  const at::Tensor weight = at::ones({channels, channels, 3, 3}, at::kFloat).contiguous(layout);
  const at::Tensor bias = at::zeros({channels}, at::kFloat);
  return seconds(4, [&] { at::conv2d(x, weight, bias, {1, 1}, {1, 1}); });
}

// One image of which one value in `every` is a spike (0: none).
double event_convolution(int64_t channels, int64_t size, int64_t every) {
  const EventWindow window{size, size, channels, {3, 3}, {1, 1}, {1, 1}, {size, size}};
  const int64_t places = size * size;
  const at::Tensor weight = at::ones({9 * channels, channels}, at::kFloat), bias = at::zeros({channels}, at::kFloat);
  at::Tensor x = at::zeros({places * channels}, at::kFloat), y = at::empty({places * channels}, at::kFloat);
  for (int64_t i = 0; every > 0 && i < x.numel(); i += every) x.mutable_data_ptr<float>()[i] = 1;
  EventList events{size, channels, nullptr, nullptr, nullptr};
  std::vector<int32_t> starts(static_cast<size_t>(size * (size + 1))), list(static_cast<size_t>(size * events.room()));
  events.starts = starts.data(), events.places = list.data();
  const EventWeights weights{weight.const_data_ptr<float>(), bias.const_data_ptr<float>(), 9 * channels, channels};
  return seconds(4, [&] {
    event_kernels().find(x.const_data_ptr<float>(), size, events);
    event_kernels().convolution(weights, window, events, 0, size, y.mutable_data_ptr<float>());
  });
}

double at_least(double value, double least) { return std::max(value, least); }

}  // namespace

EngineCosts engine_costs() {
  const std::lock_guard lock(mutex);
  return current();
}

void set_engine_costs(const EngineCosts& costs) {
  for (const double cost : {costs.linear_call, costs.linear_weight, costs.linear_mac, costs.convolution_call,
                            costs.convolution_mac, costs.event_add, costs.event_window})
    SPIKINGRX_CHECK(std::isfinite(cost) && cost > 0, "ERR_RANGE",
                    "costs of the engines must be positive and finite, got ", cost);
  const std::lock_guard lock(mutex);
  current() = costs;
}

EngineCosts measure_engine_costs() {
  const at::NoGradGuard no_grad;
  constexpr double kLeast = 1e-13;  // differences of times may come out as nothing or less
  EngineCosts costs;

  constexpr int64_t kWidth = 512, kRows = 64;
  const double weights = kWidth * kWidth;
  costs.linear_call = at_least(dense_linear(1, 16, 16), 1e-7);
  const double one = dense_linear(1, kWidth, kWidth), many = dense_linear(kRows, kWidth, kWidth);
  costs.linear_mac = at_least((many - one) / (weights * (kRows - 1)), kLeast);
  costs.linear_weight = at_least((one - costs.linear_call) / weights - costs.linear_mac, kLeast);

  constexpr int64_t kChannels = 32, kSize = 14, kImages = 16;
  const double macs = 9.0 * kChannels * kChannels * kSize * kSize;
  const double image = dense_convolution(1, kChannels, kSize), images = dense_convolution(kImages, kChannels, kSize);
  costs.convolution_mac = at_least((images - image) / (macs * (kImages - 1)), kLeast);
  costs.convolution_call = at_least(image - macs * costs.convolution_mac, 1e-7);

  constexpr int64_t kEvery = 5;
  const double windows = 9.0 * kSize * kSize;
  const double empty = event_convolution(kChannels, kSize, 0), spiking = event_convolution(kChannels, kSize, kEvery);
  costs.event_window = at_least(empty / windows, kLeast);
  costs.event_add = at_least((spiking - empty) / (macs / kEvery), kLeast);
  return costs;
}

}  // namespace spikingrx
