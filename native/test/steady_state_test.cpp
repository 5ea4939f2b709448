// A training step in steady state finds its memory where the step before left it: page faults are counted.
#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <sys/resource.h>

#include "check.h"
#include "memory/allocator.h"
#include "model/trainer.h"
#include "network_specs.h"

using namespace spikingrx;
using namespace specs;

namespace {

constexpr int64_t kWarm = 8, kCounted = 10;

int64_t faults() {
  rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  return usage.ru_minflt;
}

struct Faults {
  double kept;      // a step, in steady state
  double released;  // a step that begins with nothing kept: what the pool saves
};

Faults faults_a_step(const NetworkSpec& network, const at::Tensor& images) {
  TrainerSpec spec;
  spec.loss = {"crossEntropy", {{"reduce", std::string("mean")}, {"labelSmoothing", 0.0}}};
  spec.optimizer = {
      "adam", {{"learningRate", 1e-3}, {"beta1", 0.9}, {"beta2", 0.999}, {"epsilon", 1e-8}, {"weightDecay", 0.0}}};
  spec.schedule = {"constant", {{"warmupSteps", 0.0}, {"warmupFactor", 0.0}}};
  spec.rate_regularizer = {"none", {}};
  spec.total_steps = 100;
  Trainer trainer(std::make_shared<Network>(network, 7, at::kCPU, at::kFloat), spec);
  const at::Tensor labels = at::arange(images.size(0), at::kLong).remainder(10);
  for (int64_t i = 0; i < kWarm; i++) trainer.step(images, labels);
  int64_t before = faults();
  for (int64_t i = 0; i < kCounted; i++) trainer.step(images, labels);
  const double kept = static_cast<double>(faults() - before) / kCounted;
  before = faults();
  for (int64_t i = 0; i < kCounted; i++) {
    release_kept_memory();
    trainer.step(images, labels);
  }
  return {kept, static_cast<double>(faults() - before) / kCounted};
}

}  // namespace

TEST("the MNIST perceptron takes no new pages") {
  const NetworkSpec network{{1, 28, 28}, 25, {{"flatten", {}}, linear(1000), lif(0.95, 1), linear(10)}};
  const Faults found = faults_a_step(network, at::randint(256, {128, 1, 28, 28}).to(at::kByte));
  if (found.kept > 16) check::fail(__FILE__, __LINE__, found.kept, " page faults a step");
  EXPECT(found.released > 10 * found.kept + 100);
}

TEST("a SEW network takes no new pages") {
  const NetworkSpec network{
      {1, 28, 28},
      4,
      {conv(16), norm("shared", 4), lif(), sew(32, 2), pool("averagePool", 2), {"flatten", {}}, linear(10)}};
  const Faults found = faults_a_step(network, at::randint(256, {16, 1, 28, 28}).to(at::kByte));
  if (found.kept > 16) check::fail(__FILE__, __LINE__, found.kept, " page faults a step");
  EXPECT(found.released > 10 * found.kept + 100);
}

int main(int, char** argv) {
  at::set_num_threads(1);
  install_allocator();
  return check::run(argv[0]);
}
