// Networks from specs: initial values, shapes, constant inputs, carried state, folding, loading.
#include "model/network.h"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include "check.h"
#include "network_specs.h"
#include "support.h"

using namespace spikingrx;
using namespace specs;

namespace {

ForwardOptions evaluation() { return {}; }

// One training pass gives SpikeNorm statistics that are not those of a new network.
std::unique_ptr<Network> warmed(const NetworkSpec& spec, at::ScalarType dtype = at::kFloat) {
  auto network = std::make_unique<Network>(spec, 7, at::kCPU, dtype);
  at::NoGradGuard no_grad;
  ForwardOptions training;
  training.training = true;
  std::vector<int64_t> shape{16};
  shape.insert(shape.end(), spec.input.begin(), spec.input.end());
  network->forward(support::normal(shape, 40, dtype).abs(), training);
  return network;
}

}  // namespace

TEST("a seed means the same network; another seed another") {
  const Network a(sew_network(), 3, at::kCPU, at::kFloat), b(sew_network(), 3, at::kCPU, at::kFloat),
      c(sew_network(), 4, at::kCPU, at::kFloat);
  EXPECT(at::equal(a.tensors()[0].tensor, b.tensors()[0].tensor));
  EXPECT(!at::equal(a.tensors()[0].tensor, c.tensors()[0].tensor));
}

TEST("initial values: Kaiming fan_out for convolutions, torch's uniform for linear layers") {
  const Network network({{3, 32, 32}, 1, {conv(8)}}, 1, at::kCPU, at::kFloat);
  const at::Tensor weight = network.tensors()[0].tensor.detach();
  EXPECT_NEAR(weight.std().item<double>(), std::sqrt(2.0 / (8 * 9)), 0.015);
  EXPECT(at::equal(network.tensors()[1].tensor.detach(), at::zeros({8})));
  const Network head({{3, 8, 8}, 1, {conv(64, "uniform")}}, 4, at::kCPU, at::kFloat);  // +-1/sqrt(27)
  for (const auto& entry : head.tensors()) {
    const double largest = entry.tensor.abs().max().item<double>();
    EXPECT(largest <= 0.19246);
    EXPECT(largest > 0.18);
  }
  Network one({{3, 32, 32}, 1, {conv(64)}}, 2, at::kCPU,
              at::kFloat);  // SEMANTICS: std sqrt(2 C_in / C_out) before borders
  const at::Tensor out = one.forward(support::normal({8, 3, 32, 32}, 41, at::kFloat), evaluation()).output;
  EXPECT_NEAR(out.narrow(3, 1, 30).narrow(4, 1, 30).std().item<double>(), std::sqrt(2.0 * 3 / 64), 0.02);
  EXPECT_NEAR(out.mean().item<double>(), 0, 0.01);
  const Network dense({{100}, 1, {linear(50)}}, 3, at::kCPU, at::kFloat);
  EXPECT(dense.tensors()[0].tensor.abs().max().item<double>() <= 0.1);
  EXPECT(dense.tensors()[0].tensor.abs().max().item<double>() > 0.099);
}

TEST("names and shapes of a SEW network's tensors") {
  const Network network(sew_network(), 1, at::kCPU, at::kFloat);
  std::string names;
  for (const auto& entry : network.tensors()) names += entry.name + " ";
  EXPECT(names.find("layers.0.weight layers.0.bias layers.1.gamma layers.1.beta layers.1.runningMean") == 0);
  EXPECT(names.find("layers.3.stages.0.conv.weight") != std::string::npos);
  EXPECT(names.find("layers.3.shortcut.norm.runningVariance") != std::string::npos);
  const auto spiking = network.spiking_layers();
  EXPECT_EQ(spiking.size(), size_t(4));
  EXPECT_EQ(spiking[1], std::string("layers.3.stages.0.lif"));
}

TEST("a constant input [B, ...] equals the sequence that repeats it, in training and evaluation") {
  for (const bool training : {false, true})
    for (const auto& spec : {sew_network(), perceptron(), per_step_network()}) {
      auto a = warmed(spec, at::kDouble), b = warmed(spec, at::kDouble);
      std::vector<int64_t> shape{4};
      shape.insert(shape.end(), spec.input.begin(), spec.input.end());
      const at::Tensor x = support::normal(shape, 42);
      shape.insert(shape.begin() + 1, spec.steps);
      ForwardOptions options;
      options.training = training;
      const at::Tensor constant = a->forward(x, options).output,
                       sequence = b->forward(x.unsqueeze(1).expand(shape), options).output;
      EXPECT_CLOSE(constant.detach(), sequence.detach(), 1e-10);
      constant.square().sum().backward();
      sequence.square().sum().backward();
      for (size_t i = 0; i < a->parameters().size(); i++)
        if (b->parameters()[i].grad().defined())
          EXPECT_CLOSE(a->parameters()[i].grad(), b->parameters()[i].grad(), 1e-8);
      for (size_t i = 0; i < a->tensors().size(); i++)
        EXPECT_CLOSE(a->tensors()[i].tensor.detach(), b->tensors()[i].tensor.detach(), 1e-10);
    }
}

TEST("two halves with the state carried on give what the whole gives") {
  for (const auto& spec : {sew_network(), perceptron(), per_step_network(10)}) {
    auto network = warmed(spec);
    std::vector<int64_t> shape{3, 10};
    shape.insert(shape.end(), spec.input.begin(), spec.input.end());
    const at::Tensor x = support::normal(shape, 43, at::kFloat);
    ForwardOptions options;
    options.carry_state = true;
    at::NoGradGuard no_grad;
    const ForwardResult whole = network->forward(x, options), first = network->forward(x.narrow(1, 0, 4), options);
    const ForwardResult second = network->forward(x.narrow(1, 4, 6), options, first.state);
    EXPECT_CLOSE(at::cat({first.output, second.output}, 1), whole.output, 1e-5);
    EXPECT_EQ(second.state.back().item<int64_t>(), int64_t(10));
    for (size_t i = 0; i < whole.state.size(); i++) EXPECT_CLOSE(second.state[i], whole.state[i], 1e-5);
    EXPECT_THROWS(network->forward(x.narrow(0, 0, 2), options, first.state), "the state is of a batch of 3 samples");
  }
}

TEST("statistics by step: the last go on beyond the steps they were trained for, and training there is refused") {
  auto network = warmed(per_step_network(), at::kDouble);
  const at::Tensor x = support::normal({3, 6, 2, 8, 8}, 48);
  at::Tensor mean, variance;
  for (const auto& entry : network->tensors()) {
    if (entry.name == "layers.1.runningMean") mean = entry.tensor;
    if (entry.name == "layers.1.runningVariance") variance = entry.tensor;
  }
  ForwardOptions options;
  options.record = true;
  const ForwardResult result = network->forward(x, options);
  const at::Tensor convolved = result.records[0].value, normal = result.records[1].value;
  const auto by_hand = [&](int64_t t, int64_t row) {
    return (convolved.select(1, t) - mean[row].view({1, -1, 1, 1})) / (variance[row].view({1, -1, 1, 1}) + 1e-5).sqrt();
  };
  EXPECT_CLOSE(normal.select(1, 1), by_hand(1, 1), 1e-10);
  EXPECT_CLOSE(normal.select(1, 5), by_hand(5, 3), 1e-10);
  options.training = true;
  EXPECT_THROWS(network->forward(x, options), "keeps statistics of 4 steps (perStep)");
}

TEST("a latency code carried over two calls is the code of one call") {
  Network network({{4}, 10, {{"latencyEncoder", {{"threshold", 0.01}}}}}, 1, at::kCPU, at::kFloat);
  const at::Tensor x = at::tensor({1.0f, 0.5f, 0.0f, 0.3f}).view({1, 4});
  ForwardOptions options;
  const at::Tensor out = network.forward(x, options).output;
  at::Tensor expected = at::zeros({1, 10, 4});
  expected[0][0][0] = 1;  // brightest first
  expected[0][4][1] = 1;  // round half to even: 4.5 -> 4
  expected[0][6][3] = 1;  // 0.7 * 9 = 6.3
  EXPECT(at::equal(out, expected));
}

TEST("a rate code fires with the probability of its input and follows the seed") {
  Network a({{3}, 2000, {{"rateEncoder", {}}}}, 5, at::kCPU, at::kFloat),
      b({{3}, 2000, {{"rateEncoder", {}}}}, 5, at::kCPU, at::kFloat);
  const at::Tensor x = at::tensor({0.0f, 0.25f, 1.0f}).view({1, 3});
  const at::Tensor out = a.forward(x, evaluation()).output, rate = out.mean(at::IntArrayRef({0, 1}));
  EXPECT_EQ(rate[0].item<float>(), 0.f);
  EXPECT_NEAR(rate[1].item<double>(), 0.25, 0.04);
  EXPECT_EQ(rate[2].item<float>(), 1.f);
  EXPECT(at::equal(out, b.forward(x, evaluation()).output));
  EXPECT(!at::equal(out, a.forward(x, evaluation()).output));
}

TEST("dropout: one mask for all steps, scaled; nothing in evaluation") {
  Network network({{1000}, 3, {{"dropout", {{"probability", 0.25}}}}}, 6, at::kCPU, at::kFloat);
  const at::Tensor x = at::ones({2, 3, 1000});
  ForwardOptions training;
  training.training = true;
  const at::Tensor out = network.forward(x, training).output;
  EXPECT(at::equal(out.select(1, 0), out.select(1, 2)));
  EXPECT_NEAR(out.eq(0).to(at::kFloat).mean().item<double>(), 0.25, 0.04);
  EXPECT_NEAR(out.max().item<double>(), 1 / 0.75, 1e-6);
  EXPECT(at::equal(network.forward(x, evaluation()).output, x));
}

TEST("folding SpikeNorm into the convolution changes nothing beyond rounding") {
  for (const auto& spec : {sew_network(), per_step_network()}) {
    auto network = warmed(spec, at::kDouble);
    auto folded = network->folded();
    const at::Tensor x = support::normal({5, 2, 8, 8}, 44);
    EXPECT_CLOSE(folded->forward(x, evaluation()).output.detach(), network->forward(x, evaluation()).output.detach(),
                 1e-9);
  }
  auto network = warmed(sew_network());
  auto folded = network->folded();
  EXPECT_THROWS(folded->folded(), "the network is folded already");
  const size_t before = warmed(sew_network())->tensors().size(),
               after = warmed(sew_network())->folded()->tensors().size();
  EXPECT_EQ(before - after, size_t(4 * 4));  // four norms of four tensors
}

TEST("a folded network stays what it was while the one it came from changes") {
  for (const auto& spec : {sew_network(), per_step_network()}) {
    auto network = warmed(spec, at::kDouble);
    auto folded = network->folded();
    const at::Tensor x = support::normal({5, 2, 8, 8}, 44);
    at::NoGradGuard no_grad;
    const at::Tensor before = folded->forward(x, evaluation()).output;
    for (auto& entry : network->tensors()) entry.tensor.add_(1);
    EXPECT(at::equal(folded->forward(x, evaluation()).output, before));
  }
}

TEST("a SEW block whose stride changes no size still has its convolution in the shortcut") {
  Network network({{6, 1, 1}, 2, {sew(6, 2)}}, 1, at::kCPU, at::kFloat);
  EXPECT_EQ(network.spiking_layers().size(), size_t(3));
}

TEST("a SEW block of ReLU is the residual block of its weights, computed once for a constant input") {
  const NetworkSpec spec{{3, 6, 6}, 4, {sew(5, 2, "add", 2, "relu")}};
  auto network = warmed(spec, at::kDouble);
  EXPECT_EQ(network->spiking_layers().size(), size_t(0));
  std::map<std::string, at::Tensor> values;
  for (const auto& entry : network->tensors()) values[entry.name.substr(9)] = entry.tensor.detach();  // "layers.0."
  const auto stage = [&](const at::Tensor& x, const std::string& name, int64_t stride, int64_t padding) {
    const auto of = [&](const char* part) { return values.at(name + part); };
    const at::Tensor y = at::conv2d(x, of(".conv.weight"), of(".conv.bias"), stride, padding);
    return at::batch_norm(y, of(".norm.gamma"), of(".norm.beta"), of(".norm.runningMean"), of(".norm.runningVariance"),
                          false, 0.1, 1e-5, false)
        .relu();
  };
  const at::Tensor x = support::normal({2, 3, 6, 6}, 47);
  const at::Tensor expected = stage(stage(x, "stages.0", 2, 1), "stages.1", 1, 1) + stage(x, "shortcut", 2, 0);
  EXPECT_CLOSE(network->forward(x, evaluation()).output.detach(), expected.unsqueeze(1).expand({2, 4, 5, 3, 3}), 1e-12);
  EXPECT_CLOSE(network->folded()->forward(x, evaluation()).output.detach()[0][3], expected[0], 1e-9);
  EXPECT_THROWS(Network({{3, 6, 6}, 4, {sew(5, 2, "add", 2, "tanh")}}, 1, at::kCPU, at::kFloat),
                "sewBlock activation must be lif or relu, got 'tanh'");
}

TEST("a head after the mean over time gives the mean of the heads, at every step; so do its gradients") {
  const NetworkSpec before{{2, 4, 4}, 3, {lif(), conv(5)}}, after{{2, 4, 4}, 3, {lif(), {"timeMean", {}}, conv(5)}};
  Network each(before, 5, at::kCPU, at::kDouble), once(after, 5, at::kCPU, at::kDouble);
  const at::Tensor x = support::normal({2, 3, 2, 4, 4}, 48);
  const at::Tensor mean = each.forward(x, evaluation()).output.mean(1), output = once.forward(x, evaluation()).output;
  EXPECT_EQ(output.size(1), int64_t(3));
  for (int64_t t = 0; t < 3; t++) EXPECT_CLOSE(output.select(1, t).detach(), mean.detach(), 1e-12);
  output.mean(1).square().sum().backward();
  mean.square().sum().backward();
  EXPECT_CLOSE(once.tensors()[0].tensor.grad(), each.tensors()[0].tensor.grad(), 1e-12);
}

TEST("a count of time steps that can't be is refused") {
  auto network = warmed(per_step_network());
  ForwardOptions options;
  options.carry_state = true;
  NetworkState state = network->forward(at::zeros({1, 2, 8, 8}), options).state;
  for (const int64_t seen : {int64_t(-1), INT64_MIN, INT64_MAX}) {
    state.back() = at::scalar_tensor(seen, at::kLong);
    EXPECT_THROWS(network->forward(at::zeros({1, 2, 8, 8}), options, state), "count of time steps must be from 0");
  }
}

TEST("uint8 images are scaled to [0, 1]; pools, flatten, ReLU and normalize compute what torch computes") {
  Network network({{2, 6, 6},
                   1,
                   {{"normalize", {{"mean", std::vector<double>{0.5, 0.25}}, {"std", std::vector<double>{2, 4}}}},
                    pool("maxPool", 2),
                    pool("averagePool", 3),
                    {"flatten", {}},
                    {"relu", {}}}},
                  1, at::kCPU, at::kFloat);
  const at::Tensor image = (support::normal({3, 2, 6, 6}, 45).abs() * 80).clamp(0, 255).to(at::kByte);
  const at::Tensor scaled = image.to(at::kFloat) / 255;
  const at::Tensor mean = at::tensor({0.5f, 0.25f}).view({1, 2, 1, 1}),
                   deviation = at::tensor({2.f, 4.f}).view({1, 2, 1, 1});
  const at::Tensor expected = at::avg_pool2d(at::max_pool2d((scaled - mean) / deviation, 2, 2), 3, 3).flatten(1).relu();
  EXPECT_CLOSE(network.forward(image, evaluation()).output.select(1, 0), expected, 1e-6);
}

TEST("records name layer and quantity; rates are means of the spikes") {
  auto network = warmed(sew_network());
  ForwardOptions options;
  options.record = true;
  options.measure_rates = true;
  const ForwardResult result = network->forward(support::normal({2, 2, 8, 8}, 46, at::kFloat).abs() * 2, options);
  EXPECT_EQ(result.rates.size(), network->spiking_layers().size());
  size_t spikes = 0;
  for (const auto& record : result.records)
    if (record.quantity == "spikes")
      EXPECT_NEAR(record.value.mean().item<double>(), result.rates[spikes++].item<double>(), 1e-6);
  EXPECT_EQ(spikes, result.rates.size());
}

TEST("load checks everything before the first copy") {
  Network a(perceptron(), 1, at::kCPU, at::kFloat), b(perceptron(), 2, at::kCPU, at::kFloat);
  b.load(a.tensors());
  EXPECT(at::equal(a.tensors()[0].tensor, b.tensors()[0].tensor));
  auto values = Network(perceptron(), 3, at::kCPU, at::kFloat).tensors();
  const at::Tensor before = b.tensors()[0].tensor.clone();
  values.back().tensor = at::zeros({3, 3});
  EXPECT_THROWS(b.load(values), "ERR_CHECKPOINT_MISMATCH: tensor");
  values.pop_back();
  EXPECT_THROWS(b.load(values), "which is not given");
  EXPECT(at::equal(b.tensors()[0].tensor, before));
}

TEST("empty batch, T = 1, batch 1, float64 and bfloat16") {
  for (const auto& spec : {sew_network(), perceptron()}) {
    auto network = warmed(spec);
    std::vector<int64_t> shape = spec.input;
    shape.insert(shape.begin(), 0);
    EXPECT_EQ(network->forward(at::zeros(shape), evaluation()).output.size(0), int64_t(0));
    shape[0] = 1;
    shape.insert(shape.begin() + 1, 1);
    EXPECT(network->forward(at::zeros(shape), evaluation()).output.sizes() == at::IntArrayRef({1, 1, 10}));
    Network half(spec, 1, at::kCPU, at::kBFloat16);
    ForwardOptions training;
    training.training = true;
    shape[0] = 4, shape[1] = 2;
    const at::Tensor out = half.forward(support::normal(shape, 47, at::kFloat), training).output;
    EXPECT(out.scalar_type() == at::kBFloat16);
    out.to(at::kFloat).square().sum().backward();
    EXPECT(half.parameters()[0].grad().isfinite().all().item<bool>());
  }
}

TEST("bad specs and inputs are refused by name") {
  const auto make = [](NetworkSpec spec) { Network network(std::move(spec), 1, at::kCPU, at::kFloat); };
  EXPECT_THROWS(make({{3}, 1, {{"attention", {}}}}), "layers.0: unknown layer kind 'attention'");
  EXPECT_THROWS(make({{3}, 1, {conv(4)}}), "layers.0: convBlock expects an input [C, H, W], got [3]");
  EXPECT_THROWS(make({{3, 4, 4}, 1, {linear(4)}}), "add a flatten layer before it");
  EXPECT_THROWS(make({{3}, 0, {linear(4)}}), "steps must be positive");
  EXPECT_THROWS(make({{3}, 1, {{"linear", {{"features", 1.5}, {"bias", true}}}}}), "must be an integer, got 1.5");
  EXPECT_THROWS(make({{3}, 1, {{"linear", {{"bias", true}}}}}), "linear lacks the option features");
  Network network(perceptron(), 1, at::kCPU, at::kFloat);
  EXPECT_THROWS(network.forward(at::zeros({2, 7}), {}), "samples of shape [12], got [7]");
  EXPECT_THROWS(network.forward(at::zeros({12}), {}),
                "ERR_SHAPE: the network expects an input [B, 12] or [B, T, 12], got [12]");
  Spec wide = conv(2);
  wide.options["padding"] = std::vector<double>{2e15, 2e15};
  EXPECT_THROWS(make({{1, 8, 8}, 1, {wide, {"flatten", {}}}}), "has too many elements to flatten");
  EXPECT_THROWS(make({{3}, 1, {lif(0.9, INFINITY)}}), "layers.0: threshold must be positive and finite, got inf");
  EXPECT_THROWS(network.forward(at::zeros({2, 0, 12}), {}), "at least one time step");
}

CHECK_MAIN()
