// One linear layer over rows of spikes, by events and densely: kernels alone, on one thread.
//
//   event_linear [seconds]      time for each case, default 0.2
//
// Prints one line of JSON for each width, number of rows and activity: medians in seconds of interleaved repetitions,
// each of several calls in a row with other spikes each time, as a layer sees them that is asked again and again; of
// one row enough for the weights of a small layer to come into the caches first, from which the other products drove
// them. Finding the spikes is part of the event-driven time. Before anything is timed the results are compared.
#include <ATen/ATen.h>
#include <ATen/Parallel.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <stdexcept>
#include <vector>

#include "memory/allocator.h"
#include "snn/kernels/event_rows.h"

using namespace spikingrx;

namespace {

// In a row. What fits in no cache finds the same caches at every call.
int64_t calls_of(int64_t width, int64_t rows) {
  if (width > 1024) return 4;
  return rows == 1 ? 128 : 16;
}

double seconds_of(const std::function<void()>& body) {
  const auto begin = std::chrono::steady_clock::now();
  body();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

double median(std::vector<double> values) {
  std::nth_element(values.begin(), values.begin() + static_cast<int64_t>(values.size() / 2), values.end());
  return values[values.size() / 2];
}

void measure(int64_t width, int64_t rows, double activity, double budget) {
  at::manual_seed(1);
  const int64_t calls = calls_of(width, rows);
  const at::Tensor weight = at::randn({width, width}) / 32, bias = at::randn({width});
  const at::Tensor x = at::rand({calls, rows, width}).lt(activity).to(at::kFloat);
  const at::Tensor rows_of_weights = at::zeros({width, event_stride(width)});
  rows_of_weights.narrow(1, 0, width).copy_(weight.t());
  const at::Tensor narrow_x = x.to(at::kBFloat16), narrow_weight = weight.to(at::kBFloat16),
                   narrow_bias = bias.to(at::kBFloat16);
  at::Tensor y = at::empty({rows, width});

  EventList list{1, width, nullptr, nullptr, nullptr};
  std::vector<int32_t> starts(static_cast<size_t>(2 * rows)), places(static_cast<size_t>(rows * list.room()));
  list.starts = starts.data(), list.places = places.data();
  const EventWeights weights{rows_of_weights.const_data_ptr<float>(), bias.const_data_ptr<float>(), width, width};
  const std::function<void(int64_t)> cases[] = {
      [&](int64_t i) {
        event_kernels().find(x.const_data_ptr<float>() + i * rows * width, rows, list);
        event_kernels().product(weights, list, 0, rows, y.mutable_data_ptr<float>());
      },
      [&](int64_t i) { at::linear(x[i], weight, bias); },
      [&](int64_t i) { at::linear(narrow_x[i], narrow_weight, narrow_bias); }};

  cases[0](0);
  const double difference = (y - at::linear(x[0], weight, bias)).abs().max().item<double>();
  if (!(difference < 1e-3)) throw std::runtime_error("the event-driven product differs from the dense one");

  std::vector<double> times[3];
  for (double spent = 0; spent < budget || times[0].size() < 5;)
    for (int i = 0; i < 3; i++) {
      const double all = seconds_of([&] {
        for (int64_t call = 0; call < calls; call++) cases[i](call);
      });
      times[i].push_back(all / calls);
      spent += all;
    }
  std::printf(
      "{\"width\":%ld,\"rows\":%ld,\"activity\":%g,\"event\":%.4g,\"denseFloat32\":%.4g,\"denseBfloat16\":%.4g,"
      "\"repetitions\":%zu,\"largestDifference\":%.2g}\n",
      static_cast<long>(width), static_cast<long>(rows), activity, median(times[0]), median(times[1]), median(times[2]),
      times[0].size(), difference);
  std::fflush(stdout);
}

}  // namespace

int main(int count, char** values) {
  const double budget = count > 1 ? std::atof(values[1]) : 0.2;
  at::set_num_threads(1);
  install_allocator();
  const c10::InferenceMode inference;
  for (const int64_t width : {1024, 4096})
    for (const int64_t rows : {1, 16})
      for (const double activity : {0.01, 0.05, 0.1, 0.2}) measure(width, rows, activity, budget);
}
