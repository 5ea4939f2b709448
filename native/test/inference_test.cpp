// Inference by plans: every network gives by events what it gives densely, whatever the spikes, the batch or the state.
#include "model/network.h"

#include <c10/core/GradMode.h>

#include <limits>

#include "check.h"
#include "network_specs.h"
#include "support.h"

using namespace spikingrx;

namespace {

ForwardResult forward(Network& network, const at::Tensor& input, Engine engine, const NetworkState& state = {},
                      bool record = false) {
  const c10::NoGradGuard no_grad;
  ForwardOptions options;
  options.carry_state = true;
  options.measure_rates = true;
  options.record = record;
  options.engine = engine;
  return network.forward(input, options, state);
}

// Weights that spike, running statistics that are not those of a fresh network.
std::unique_ptr<Network> made(const NetworkSpec& spec, uint64_t seed = 1) {
  auto network = std::make_unique<Network>(spec, seed, at::kCPU, at::kFloat);
  const c10::NoGradGuard no_grad;
  uint64_t next = 100;
  for (const auto& [name, tensor, trainable] : network->tensors()) {
    const at::Tensor noise = support::normal(tensor.sizes(), next++, at::kFloat);
    if (name.ends_with("runningVariance"))
      tensor.copy_(noise.abs() + 0.5);
    else if (name.ends_with("runningMean") || name.ends_with("beta") || name.ends_with("bias"))
      tensor.copy_(noise * 0.2);
  }
  return network;
}

at::Tensor uniform(at::IntArrayRef shape, uint64_t seed) {
  at::Generator generator = at::make_generator<at::CPUGeneratorImpl>(seed);
  return at::empty(shape, at::kFloat).uniform_(0, 1, generator);
}

void expect_same(Network& network, const at::Tensor& input, const NetworkState& state = {}) {
  const auto dense = forward(network, input, Engine::kDense, state);
  for (const Engine engine : {Engine::kAuto, Engine::kEvent}) {
    const auto other = forward(network, input, engine, state);
    EXPECT_CLOSE(other.output, dense.output, 1e-5);
    EXPECT_EQ(other.state.size(), dense.state.size());
    for (size_t i = 0; i < dense.state.size(); i++) EXPECT_CLOSE(other.state[i], dense.state[i], 1e-5);
    EXPECT_EQ(other.rates.size(), dense.rates.size());
    for (size_t i = 0; i < dense.rates.size(); i++)
      EXPECT_CLOSE(other.rates[i].nan_to_num(-1), dense.rates[i].nan_to_num(-1), 1e-6);
  }
}

double spiking_rate(Network& network, const at::Tensor& input) {
  double sum = 0;
  for (const at::Tensor& rate : forward(network, input, Engine::kDense).rates) sum += rate.item<double>();
  return sum;
}

Spec conv(double channels, double kernel, double stride, double padding, bool bias = true) {
  Spec spec = specs::conv(channels);
  spec.options["kernel"] = std::vector<double>{kernel, kernel};
  spec.options["stride"] = std::vector<double>{stride, stride};
  spec.options["padding"] = std::vector<double>{padding, padding};
  spec.options["bias"] = bias;
  return spec;
}

}  // namespace

TEST("linear layers give the same by events, for widths around the registers' and batches of 0, 1 and 16") {
  for (const int64_t width : {1, 3, 15, 16, 17, 64, 100, 257, 300}) {
    const auto network = made({{20},
                               5,
                               {specs::linear(static_cast<double>(width)), specs::lif(0.5, 0.1),
                                specs::linear(static_cast<double>(width)), specs::lif(0.9, 0.05), specs::linear(7)}});
    for (const int64_t batch : {0, 1, 16}) expect_same(*network, uniform({batch, 20}, 3));
    EXPECT(width < 3 || spiking_rate(*network, uniform({4, 20}, 3)) > 0);
  }
}

TEST("layers of many inputs and long rows of weights give the same") {
  for (const double inputs : {1100.0, 4200.0}) {
    const auto network = made({{12}, 3, {specs::linear(inputs), specs::lif(0.5, 0.1), specs::linear(600)}});
    for (const int64_t batch : {1, 5}) expect_same(*network, uniform({batch, 12}, 45));
  }
}

TEST("convolutions give the same by events for kernels, strides and paddings") {
  for (const auto& [kernel, stride, padding] :
       {std::tuple{3.0, 1.0, 1.0}, {3.0, 2.0, 1.0}, {3.0, 1.0, 0.0}, {1.0, 1.0, 0.0}, {5.0, 2.0, 2.0}, {2.0, 3.0, 4.0}})
    for (const double channels : {5.0, 16.0, 33.0}) {
      const auto network = made({{2, 9, 7},
                                 4,
                                 {conv(channels, 3, 1, 1),
                                  specs::lif(0.5, 0.2),
                                  conv(channels, kernel, stride, padding, stride == 1),
                                  specs::lif(0.5, 0.1),
                                  {"flatten", {}},
                                  specs::linear(4)}});
      for (const int64_t batch : {0, 1, 3}) expect_same(*network, uniform({batch, 2, 9, 7}, 5));
      EXPECT(spiking_rate(*network, uniform({3, 2, 9, 7}, 5)) > 0.02);
    }
}

TEST("SEW blocks of every connect give the same, with values of 2 where add makes them") {
  for (const std::string connect : {"add", "and", "iand", "mean"})
    for (const double stride : {1.0, 2.0}) {
      const auto network = made({{2, 8, 8},
                                 4,
                                 {conv(6, 3, 1, 1),
                                  specs::norm("shared", 4),
                                  specs::lif(0.5, 0.1),
                                  specs::sew(6, stride, connect),
                                  specs::sew(6, 1, connect, 1),
                                  {"flatten", {}},
                                  specs::linear(10)}});
      const at::Tensor input = uniform({3, 2, 8, 8}, 7);
      expect_same(*network, input);
      if (connect != "add" || stride != 1) continue;
      double largest = 0;
      for (const auto& record : forward(*network, input, Engine::kEvent, {}, true).records)
        if (record.layer == "layers.3") largest = record.value.max().item<double>();
      EXPECT_EQ(largest, 2.0);
    }
}

TEST("a SEW block that takes the analog input itself gives the same") {
  expect_same(*made({{2, 8, 8}, 3, {specs::sew(2, 1), specs::sew(5, 2), {"flatten", {}}, specs::linear(3)}}),
              uniform({2, 2, 8, 8}, 9));
}

TEST("pooling, ReLU, normalisation, dropout, readouts and neurons by channel give the same") {
  Spec by_channel = specs::lif(0.7, 0.1);
  by_channel.options["perChannel"] = true;
  by_channel.options["learnable"] = std::vector<std::string>{"decay", "threshold"};
  const Spec readout{"leakyReadout", {{"decay", 0.8}, {"decayInput", false}, {"learnable", std::vector<double>{}}}};
  const Spec normalize{"normalize", {{"mean", std::vector<double>{0.5, 0.2}}, {"std", std::vector<double>{0.3, 2}}}};
  for (const std::string kind : {"averagePool", "maxPool"}) {
    const auto network = made({{2, 8, 8},
                               4,
                               {normalize,
                                conv(5, 3, 1, 1),
                                {"relu", {}},
                                specs::pool(kind, 2),
                                by_channel,
                                specs::pool(kind, 2),
                                {"flatten", {}},
                                by_channel,
                                specs::linear(9),
                                {"dropout", {{"probability", 0.5}}},
                                readout}});
    const c10::NoGradGuard no_grad;
    for (const auto& entry : network->tensors())
      if (entry.name.ends_with("decay")) entry.tensor.copy_(uniform(entry.tensor.sizes(), 11));
    expect_same(*network, uniform({2, 2, 8, 8}, 13));
  }
}

TEST("a mean over time and blocks of ReLU give the same") {
  Spec block = specs::sew(6, 2);
  block.options["activation"] = std::string("relu");
  const auto network =
      made({{2, 8, 8}, 4, {conv(6, 3, 1, 1), specs::lif(0.5, 0.2), block, {"timeMean", {}}, conv(3, 1, 1, 0)}});
  expect_same(*network, uniform({3, 2, 8, 8}, 41));
  expect_same(*network, uniform({3, 5, 2, 8, 8}, 41));
  const auto late = made(
      {{12}, 4, {specs::linear(8), specs::lif(0.5, 0.1), {"timeMean", {}}, specs::linear(6), specs::lif(0.5, 0.1)}});
  expect_same(*late, uniform({3, 12}, 43));
}

TEST("every reset gives the same, at once and delayed") {
  for (const std::string reset : {"subtract", "zero", "none"})
    for (const bool delay : {false, true}) {
      Spec neuron = specs::lif(0.8, 0.2);
      neuron.options["reset"] = reset;
      neuron.options["resetDelay"] = delay;
      expect_same(*made({{12}, 6, {specs::linear(20), neuron, specs::linear(5)}}), uniform({3, 12}, 15));
    }
}

TEST("sequences, and one cut in two with the state carried on, give the same as the whole") {
  for (const auto& spec : {specs::sew_network(), specs::per_step_network(6)}) {
    const auto network = made(spec);
    const at::Tensor input = uniform({2, 5, 2, 8, 8}, 17);
    expect_same(*network, input);
    const auto whole = forward(*network, input, Engine::kEvent);
    const auto first = forward(*network, input.narrow(1, 0, 2), Engine::kEvent);
    const auto second = forward(*network, input.narrow(1, 2, 3), Engine::kEvent, first.state);
    EXPECT(at::equal(at::cat({first.output, second.output}, 1), whole.output));
    for (size_t i = 0; i < whole.state.size(); i++) EXPECT(at::equal(second.state[i], whole.state[i]));
    expect_same(*network, input.narrow(1, 2, 3), first.state);
  }
}

TEST("statistics by step give the same, also for more steps than they have") {
  const auto network = made(specs::per_step_network());
  expect_same(*network, uniform({2, 2, 8, 8}, 19));
  expect_same(*network, uniform({2, 7, 2, 8, 8}, 19));
}

TEST("a recording has the entries and shapes of the dense one") {
  const auto network = made(specs::sew_network());
  for (const at::Tensor& input : {uniform({2, 2, 8, 8}, 21), uniform({2, 3, 2, 8, 8}, 21)}) {
    const auto dense = forward(*network, input, Engine::kDense, {}, true);
    const auto other = forward(*network, input, Engine::kEvent, {}, true);
    EXPECT_EQ(other.records.size(), dense.records.size());
    for (size_t i = 0; i < dense.records.size(); i++) {
      EXPECT_EQ(other.records[i].layer, dense.records[i].layer);
      EXPECT_EQ(other.records[i].quantity, dense.records[i].quantity);
      EXPECT_CLOSE(other.records[i].value, dense.records[i].value, 1e-5);
    }
  }
}

TEST("no spikes and nothing but spikes give the same") {
  for (const double threshold : {1e-3, 1e6}) {
    const auto network = made({{2, 6, 6},
                               3,
                               {conv(4, 3, 1, 1),
                                {"relu", {}},
                                specs::lif(0, threshold),
                                conv(4, 3, 2, 1),
                                specs::lif(),
                                {"flatten", {}},
                                specs::linear(3)}});
    const c10::NoGradGuard no_grad;
    for (const auto& entry : network->tensors())
      if (entry.name == "layers.0.bias") entry.tensor.fill_(10);
    const at::Tensor input = uniform({2, 2, 6, 6}, 23);
    EXPECT_EQ(forward(*network, input, Engine::kDense).rates[0].item<double>(), threshold < 1 ? 1.0 : 0.0);
    expect_same(*network, input);
  }
}

TEST("a weight that is not finite spoils the same outputs, even where no spike meets it") {
  for (const double bad : {std::numeric_limits<double>::quiet_NaN(), std::numeric_limits<double>::infinity()}) {
    const auto network = made({{8}, 4, {specs::linear(6), specs::lif(0.5, 1e6), specs::linear(3)}});
    const c10::NoGradGuard no_grad;
    for (const auto& entry : network->tensors())
      if (entry.name == "layers.2.weight") entry.tensor[1][2] = bad;
    const at::Tensor output = forward(*network, uniform({2, 8}, 25), Engine::kEvent).output;
    EXPECT(output.select(2, 1).isnan().all().item<bool>());
    EXPECT(!output.select(2, 0).isnan().any().item<bool>());
    EXPECT(at::equal(output.isnan(), forward(*network, uniform({2, 8}, 25), Engine::kDense).output.isnan()));
  }
}

TEST("an input that is not a number spoils the same outputs") {
  const auto network = made(specs::sew_network());
  at::Tensor input = uniform({3, 2, 8, 8}, 27);
  input[1][0][2][3] = std::numeric_limits<float>::quiet_NaN();
  const at::Tensor dense = forward(*network, input, Engine::kDense).output;
  const at::Tensor event = forward(*network, input, Engine::kEvent).output;
  EXPECT(at::equal(event.isnan(), dense.isnan()));
  EXPECT_CLOSE(event.nan_to_num(), dense.nan_to_num(), 1e-5);
}

TEST("a plan follows its weights") {
  const auto network = made(specs::sew_network());
  const at::Tensor input = uniform({2, 2, 8, 8}, 29);
  const at::Tensor before = forward(*network, input, Engine::kEvent).output;
  const c10::NoGradGuard no_grad;
  for (const auto& entry : network->tensors())
    if (entry.name == "layers.3.shortcut.norm.runningMean") entry.tensor.sub_(0.5);
  EXPECT(!at::equal(forward(*network, input, Engine::kEvent).output, before));
  expect_same(*network, input);
}

TEST("layers that no plan expresses are computed as they are, with the same random numbers") {
  for (const std::string kind : {"rateEncoder", "latencyEncoder"}) {
    NetworkSpec spec{
        {2, 8, 8},
        6,
        {{kind, {{"threshold", 0.1}}}, conv(4, 3, 1, 1), specs::lif(0.5, 0.1), {"flatten", {}}, specs::linear(3)}};
    const auto one = made(spec), other = made(spec);
    const at::Tensor input = uniform({3, 2, 8, 8}, 31);
    EXPECT_CLOSE(forward(*other, input, Engine::kEvent).output, forward(*one, input, Engine::kDense).output, 1e-5);
  }
}

TEST("images of bytes, inputs with gaps, and double networks give the same") {
  const auto network = made(specs::sew_network());
  expect_same(*network, (uniform({2, 2, 8, 8}, 33) * 255).to(at::kByte));
  expect_same(*network, uniform({2, 8, 8, 2}, 35).permute({0, 3, 1, 2}));
  Network real(specs::sew_network(), 1, at::kCPU, at::kDouble);
  const at::Tensor input = uniform({2, 2, 8, 8}, 37);
  EXPECT(at::equal(forward(real, input, Engine::kEvent).output, forward(real, input, Engine::kDense).output));
}

TEST("many samples go through in parts and give what each gives alone") {
  const auto network = made({{2, 28, 28},
                             8,
                             {conv(16, 3, 2, 1),
                              specs::norm("shared", 8),
                              specs::lif(0.5, 0.2),
                              specs::sew(24, 2),
                              {"flatten", {}},
                              specs::linear(10)}});
  const at::Tensor input = uniform({40, 2, 28, 28}, 39);
  const auto all = forward(*network, input, Engine::kEvent);
  for (const int64_t i : {0, 17, 39}) {
    const auto alone = forward(*network, input.narrow(0, i, 1), Engine::kEvent);
    EXPECT(at::equal(alone.output, all.output.narrow(0, i, 1)));
    for (size_t s = 0; s + 1 < all.state.size(); s++) EXPECT(at::equal(alone.state[s], all.state[s].narrow(0, i, 1)));
  }
  expect_same(*network, input);
}

CHECK_MAIN()
