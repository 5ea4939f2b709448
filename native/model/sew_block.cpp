#include "model/sew_block.h"

#include "error.h"
#include "model/dense_layers.h"
#include "model/plan_builder.h"

namespace spikingrx {

SewBlockLayer::Stage SewBlockLayer::make_stage(const Spec& spec, const std::string& name, std::vector<double> kernel,
                                               std::vector<double> stride, std::vector<double> padding, Build& build) {
  Spec convolution{"convBlock",
                   {{"channels", spec.number("channels")},
                    {"kernel", std::move(kernel)},
                    {"stride", std::move(stride)},
                    {"padding", std::move(padding)},
                    {"bias", true},
                    {"initial", std::string("kaiming")}}};
  // Evaluated one after the other: each reads the shape that the one before leaves.
  Stage stage;
  stage.convolution = std::make_shared<ConvLayer>(convolution, name + ".conv", build);
  stage.norm = std::make_shared<SpikeNormLayer>(spec, name + ".norm", build);
  const std::string& activation = spec.text("activation");
  SPIKINGRX_CHECK(activation == "lif" || activation == "relu", "ERR_RANGE", name,
                  ": sewBlock activation must be lif or relu, got '", activation, "'");
  if (activation == "lif") stage.activation = std::make_shared<LifLayer>(spec, name + ".lif", build);
  if (activation == "relu") stage.activation = std::make_shared<ReluLayer>(name + ".relu");
  return stage;
}

SewBlockLayer::SewBlockLayer(const Spec& spec, std::string name, Build& build)
    : Layer(std::move(name)), connect_(parse_connect(spec.text("connect"))) {
  const int64_t stages = spec.integer("stages");
  SPIKINGRX_CHECK(stages == 1 || stages == 2, "ERR_RANGE", name_, ": sewBlock stages must be 1 or 2, got ", stages);
  SPIKINGRX_CHECK(build.shape.size() == 3, "ERR_SHAPE", name_, ": sewBlock expects an input [C, H, W], got ",
                  at::IntArrayRef(build.shape));
  const auto stride = spec.numbers("stride");
  SPIKINGRX_CHECK(stride.size() == 2, "ERR_SHAPE", name_, ": sewBlock stride must be [height, width]");
  const auto input = build.shape;
  for (int64_t k = 0; k < stages; k++)
    stages_.push_back(make_stage(spec, name_ + ".stages." + std::to_string(k), {3, 3},
                                 k == 0 ? stride : std::vector<double>{1, 1}, {1, 1}, build));
  if (input[0] == build.shape[0] && stride == std::vector<double>{1, 1}) return;
  Build beside{input, build.steps, build.options, build.device, build.generator};
  shortcut_ = make_stage(spec, name_ + ".shortcut", {1, 1}, stride, {0, 0}, beside);
}

Signal SewBlockLayer::run(const Stage& stage, const Signal& input, Pass& pass) {
  std::vector<std::shared_ptr<Layer>> layers{stage.convolution, stage.norm, stage.activation};
  std::erase(layers, nullptr);
  return run_layers(layers, layers.size(), input, pass);
}

Signal SewBlockLayer::forward(const Signal& input, Pass& pass) {
  Signal main = input;
  for (const auto& stage : stages_) main = run(stage, main, pass);
  Signal shortcut = input;
  if (shortcut_.convolution) {
    shortcut = run(shortcut_, input, pass);
  } else if (input.constant()) {  // with LIF the main path is a sequence by now
    shortcut.value = input.value.expand_as(main.value);
  }
  Signal output{sew_connect(main.value, shortcut.value, connect_), input.steps};
  pass.record(name_, "output", output.value);
  return output;
}

void SewBlockLayer::plan_stage(const Stage& stage, PlanBuilder& plan) {
  for (const auto& layer : {stage.convolution, stage.norm, stage.activation})
    if (layer) layer->plan(plan);
}

bool SewBlockLayer::plan(PlanBuilder& plan) const {
  const size_t entry = plan.signal();
  for (const auto& stage : stages_) plan_stage(stage, plan);
  const size_t main = plan.signal();
  plan.go_back(entry);
  if (shortcut_.convolution) plan_stage(shortcut_, plan);
  const size_t shortcut = plan.signal();
  plan.go_back(main);
  plan.connect(name_, shortcut, connect_);
  return true;
}

void SewBlockLayer::visit(const ParameterSink& sink) {
  each_layer([&](Layer& layer) { layer.visit(sink); });
}

void SewBlockLayer::collect_spiking(std::vector<std::string>& names) const {
  each_layer([&](const Layer& layer) { layer.collect_spiking(names); });
}

int64_t SewBlockLayer::state_count() const {
  int64_t count = 0;
  each_layer([&](const Layer& layer) { count += layer.state_count(); });
  return count;
}

void SewBlockLayer::constrain() {
  each_layer([&](Layer& layer) { layer.constrain(); });
}

SewBlockLayer::Stage SewBlockLayer::folded_stage(const Stage& stage) {
  if (!stage.convolution || !stage.norm) return stage;
  auto convolution = stage.convolution->folded_with(*stage.norm);
  return convolution ? Stage{convolution, nullptr, stage.activation} : stage;
}

std::shared_ptr<Layer> SewBlockLayer::folded() const {
  std::shared_ptr<SewBlockLayer> block(new SewBlockLayer(*this));
  for (auto& stage : block->stages_) stage = folded_stage(stage);
  block->shortcut_ = folded_stage(block->shortcut_);
  return block;
}

}  // namespace spikingrx
