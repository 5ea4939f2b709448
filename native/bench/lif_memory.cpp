// LIF forward and backward beside the time that memory alone takes:
//
//   lif_memory [repetitions] [threads]
//
//   bound = 24 bytes an element (forward reads the current and writes the spikes, backward reads the current and the
//           gradient and writes the gradient, 4 bytes and one write-allocate less each) at the best rate measured for
//           copying as many elements, by memcpy or by streaming stores
//
// Operators as autograd calls them, memory from the pool, medians of interleaved repetitions. One line of JSON a case.
#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <torch/csrc/autograd/autograd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <vector>
#if defined(__x86_64__)
#include <immintrin.h>
#endif

#include "memory/allocator.h"
#include "snn/lif.h"

using namespace spikingrx;

namespace {

double milliseconds() {
  const auto now = std::chrono::steady_clock::now().time_since_epoch();
  return std::chrono::duration<double, std::milli>(now).count();
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

// 64 bytes at a time, the target aligned so.
void copy_streaming(float* to, const float* from, int64_t count) {
#if defined(__x86_64__)
  for (int64_t i = 0; i + 4 <= count; i += 4) _mm_stream_ps(to + i, _mm_loadu_ps(from + i));
  _mm_sfence();
#else
  std::memcpy(to, from, count * sizeof(float));
#endif
}

void measure(const std::vector<int64_t>& shape, int repetitions, LifMembranes membranes) {
  const at::Tensor decay = at::scalar_tensor(0.9), threshold = at::scalar_tensor(1.0);
  at::Tensor current = at::randn(shape).add_(0.5).mul_(2).requires_grad_(true);
  const at::Tensor gradient = at::randn(shape), target = at::empty(shape);
  const int64_t count = current.numel();
  LifOptions options;
  options.membranes = membranes;
  std::vector<double> plain, streaming, forward, backward;
  for (int i = -2; i < repetitions; i++) {
    double at = milliseconds();
    const auto lap = [&](std::vector<double>& times) {
      const double now = milliseconds();
      if (i >= 0) times.push_back(now - at);
      at = milliseconds();
    };
    at::parallel_for(0, count / 16, 4096, [&](int64_t begin, int64_t end) {
      std::memcpy(target.data_ptr<float>() + 16 * begin, gradient.data_ptr<float>() + 16 * begin, 64 * (end - begin));
    });
    lap(plain);
    at::parallel_for(0, count / 16, 4096, [&](int64_t begin, int64_t end) {
      copy_streaming(target.data_ptr<float>() + 16 * begin, gradient.data_ptr<float>() + 16 * begin,
                     16 * (end - begin));
    });
    lap(streaming);
    const LifOutput output = lif(current, decay, threshold, {}, 0, options);
    lap(forward);
    const auto gradients = torch::autograd::grad({output.spikes}, {current}, {gradient});
    lap(backward);
  }
  const double copy = std::min(median(plain), median(streaming)), bound = 3 * copy;
  std::printf(
      "{\"shape\": \"%s\", \"membranes\": \"%s\", \"mebibytes\": %.1f, \"memcpy\": %.2f, \"streamingCopy\": %.2f, "
      "\"gigabytesPerSecond\": "
      "%.1f, \"bound\": %.2f, \"forward\": %.2f, \"backward\": %.2f, \"overBound\": %.3f}\n",
      c10::str(at::IntArrayRef(shape)).c_str(), membranes == LifMembranes::kSave ? "save" : "recompute",
      static_cast<double>(count) / (1 << 18), median(plain), median(streaming),
      8e-6 * static_cast<double>(count) / copy, bound, median(forward), median(backward),
      (median(forward) + median(backward)) / bound);
}

}  // namespace

int main(int argc, char** argv) {
  const int repetitions = argc > 1 ? std::atoi(argv[1]) : 15;
  at::set_num_threads(argc > 2 ? std::atoi(argv[2]) : 1);
  install_allocator();
  const std::vector<std::vector<int64_t>> shapes = {{16, 500, 1024},    {16, 100, 4096},   {16, 500, 256},
                                                    {8, 8, 32, 32, 32}, {8, 8, 8, 16, 16}, {64, 500, 1024}};
  for (const auto& shape : shapes)
    for (const LifMembranes membranes : {LifMembranes::kRecompute, LifMembranes::kSave})
      measure(shape, repetitions, membranes);
}
