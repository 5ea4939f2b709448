// The MNIST perceptron of `train mnist --model mlp`, trained by the core alone: what the Node side is compared with.
//
//   mnist_mlp DIRECTORY [steps] [threads]      DIRECTORY holds train-images-idx3-ubyte and train-labels-idx1-ubyte
//
// Prints one line of JSON: wall seconds, processor seconds (of all, and of the thread within its training steps, which
// leaves out gathering the batches), mean loss and accuracy over the steps.
#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <sys/resource.h>
#include <time.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <stdexcept>
#include <string>

#include "memory/allocator.h"
#include "model/trainer.h"

using namespace spikingrx;

namespace {

constexpr int64_t kBatch = 128;

at::Tensor read_idx(const std::string& path, int64_t header, std::vector<int64_t> shape) {
  std::ifstream file(path, std::ios::binary);
  if (!file) throw std::runtime_error("cannot read " + path);
  at::Tensor data = at::empty(shape, at::kByte);
  file.seekg(header);
  file.read(reinterpret_cast<char*>(data.mutable_data_ptr()), data.numel());
  if (file.gcount() != data.numel()) throw std::runtime_error(path + " is too short");
  return data;
}

double processor_seconds() {
  rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + 1e-6 * static_cast<double>(t.tv_usec);
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

double thread_seconds() {
  timespec used;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
  return static_cast<double>(used.tv_sec) + 1e-9 * static_cast<double>(used.tv_nsec);
}

Spec lif() {
  return {"lif",
          {{"decay", 0.95},
           {"threshold", 1.0},
           {"decayInput", false},
           {"reset", std::string("subtract")},
           {"resetDelay", false},
           {"detachReset", false},
           {"surrogate", std::string("triangular")},
           {"surrogateParameter", 1.0},
           {"learnable", std::vector<std::string>{}},
           {"perChannel", false}}};
}

Spec leaky_readout() {
  return {"leakyReadout", {{"decay", 0.95}, {"decayInput", false}, {"learnable", std::vector<std::string>{}}}};
}

Spec linear(double features) { return {"linear", {{"features", features}, {"bias", true}}}; }

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) return std::fprintf(stderr, "usage: mnist_mlp DIRECTORY [steps] [threads]\n"), 2;
  const std::string directory = argv[1];
  const int64_t steps = argc > 2 ? std::atoll(argv[2]) : 469;
  at::set_num_threads(argc > 3 ? std::atoi(argv[3]) : 1);
  install_allocator();

  const at::Tensor images = read_idx(directory + "/train-images-idx3-ubyte", 16, {60000, 1, 28, 28});
  const at::Tensor labels = read_idx(directory + "/train-labels-idx1-ubyte", 8, {60000});
  NetworkSpec spec{{1, 28, 28}, 25, {{"flatten", {}}, linear(1000), lif(), linear(10), leaky_readout()}};
  auto network = std::make_shared<Network>(spec, 7, at::kCPU, at::kFloat);
  TrainerSpec training;
  training.loss = {"crossEntropy", {{"reduce", std::string("mean")}, {"labelSmoothing", 0.0}}};
  training.optimizer = {
      "adam", {{"learningRate", 1e-3}, {"beta1", 0.9}, {"beta2", 0.999}, {"epsilon", 1e-8}, {"weightDecay", 0.0}}};
  training.schedule = {"constant", {{"warmupSteps", 0.0}, {"warmupFactor", 0.0}}};
  training.rate_regularizer = {"none", {}};
  training.total_steps = steps;
  Trainer trainer(network, training);

  const at::Tensor order = at::randperm(60000, at::kLong);
  const auto start = std::chrono::steady_clock::now();
  const double processor = processor_seconds();
  double loss = 0, in_steps = 0;
  int64_t correct = 0, samples = 0;
  for (int64_t step = 0; step < steps; step++) {
    const int64_t first = (step * kBatch) % 60000;
    const at::Tensor rows = order.narrow(0, first, std::min<int64_t>(kBatch, 60000 - first));
    const at::Tensor inputs = images.index_select(0, rows), targets = labels.index_select(0, rows).to(at::kLong);
    const double before = thread_seconds();
    const StepReport report = trainer.step(inputs, targets);
    in_steps += thread_seconds() - before;
    loss += report.loss * static_cast<double>(report.samples);
    correct += report.correct;
    samples += report.samples;
  }
  const double wall = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  std::printf("{\"wall\": %.3f, \"processor\": %.3f, \"inSteps\": %.3f, \"loss\": %.4f, \"accuracy\": %.4f}\n", wall,
              processor_seconds() - processor, in_steps, loss / static_cast<double>(samples),
              static_cast<double>(correct) / static_cast<double>(samples));
}
