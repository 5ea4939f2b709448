// One training step in steady state: the MNIST perceptron, and a SEW block beside its two convolutions alone.
//
//   training_step [repetitions] [threads]
//
// Prints a line of JSON a case: milliseconds (medians of interleaved repetitions) and minor page faults a step.
#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <sys/resource.h>
#include <torch/csrc/autograd/autograd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <string>
#include <vector>

#include "../test/network_specs.h"
#include "memory/allocator.h"
#include "model/trainer.h"

using namespace spikingrx;

namespace {

int64_t faults() {
  rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  return usage.ru_minflt;
}

double milliseconds() {
  const auto now = std::chrono::steady_clock::now().time_since_epoch();
  return std::chrono::duration<double, std::milli>(now).count();
}

struct Case {
  const char* name;
  std::function<void()> step;
  std::vector<double> times;
  int64_t faults = 0;
};

void measure(std::vector<Case> cases, int repetitions) {
  for (int i = -3; i < repetitions; i++)
    for (Case& one : cases) {
      const int64_t before = faults();
      const double began = milliseconds();
      one.step();
      const double time = milliseconds() - began;
      if (i >= 0) one.times.push_back(time), one.faults += faults() - before;
    }
  for (Case& one : cases) {
    std::sort(one.times.begin(), one.times.end());
    std::printf("{\"case\": \"%s\", \"milliseconds\": %.2f, \"faults\": %.1f}\n", one.name,
                one.times[one.times.size() / 2], static_cast<double>(one.faults) / repetitions);
  }
}

TrainerSpec adam() {
  TrainerSpec training;
  training.loss = {"crossEntropy", {{"reduce", std::string("mean")}, {"labelSmoothing", 0.0}}};
  training.optimizer = {
      "adam", {{"learningRate", 1e-3}, {"beta1", 0.9}, {"beta2", 0.999}, {"epsilon", 1e-8}, {"weightDecay", 0.0}}};
  training.schedule = {"constant", {{"warmupSteps", 0.0}, {"warmupFactor", 0.0}}};
  training.rate_regularizer = {"none", {}};
  training.total_steps = 1000;
  return training;
}

}  // namespace

int main(int argc, char** argv) {
  const int repetitions = argc > 1 ? std::atoi(argv[1]) : 15;
  at::set_num_threads(argc > 2 ? std::atoi(argv[2]) : 1);
  install_allocator();

  const Spec readout = {"leakyReadout", {{"decay", 0.95}, {"decayInput", true}, {"learnable", std::vector<double>{}}}};
  auto perceptron = std::make_shared<Network>(
      NetworkSpec{{1, 28, 28}, 25, {{"flatten", {}}, specs::linear(1000), specs::lif(), specs::linear(10), readout}}, 7,
      at::kCPU, at::kFloat);
  Trainer trainer(perceptron, adam());
  const at::Tensor images = at::randint(256, {128, 1, 28, 28}).to(at::kByte), labels = at::randint(10, {128});
  measure({{"perceptron", [&] { trainer.step(images, labels); }, {}}}, repetitions);

  const int64_t batch = 8, steps = 8, channels = 32, size = 32;
  Network block({{channels, size, size}, steps, {specs::sew(channels, 1)}}, 7, at::kCPU, at::kFloat);
  const at::Tensor input = at::rand({batch, steps, channels, size, size}).lt(0.2).to(at::kFloat).requires_grad_(true);
  const at::Tensor folded = input.detach().flatten(0, 1).requires_grad_(true);
  const at::Tensor gradient = at::randn_like(input);
  std::vector<at::Tensor> wanted = block.parameters(), weights;
  wanted.push_back(input);
  for (int i = 0; i < 2; i++) weights.push_back(at::randn({channels, channels, 3, 3}).mul_(0.1).requires_grad_(true));
  measure({{"block",
            [&] {
              ForwardOptions options;
              options.training = true;
              const at::Tensor output = block.forward(input, options).output;
              torch::autograd::grad({output}, wanted, {gradient});
            },
            {}},
           {"convolutions",
            [&] {
              const at::Tensor output = at::conv2d(at::conv2d(folded, weights[0], {}, 1, 1), weights[1], {}, 1, 1);
              torch::autograd::grad({output}, {folded, weights[0], weights[1]}, {gradient.flatten(0, 1)});
            },
            {}}},
          repetitions);
}
