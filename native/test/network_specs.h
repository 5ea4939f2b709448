// Small networks for the tests, with every option spelled out as the facade does.
#pragma once
#include <string>
#include <vector>

#include "model/spec.h"

namespace specs {

using spikingrx::NetworkSpec;
using spikingrx::Spec;

inline std::map<std::string, spikingrx::OptionValue> neuron(double decay, double threshold) {
  return {{"decay", decay},
          {"threshold", threshold},
          {"decayInput", true},
          {"reset", std::string("subtract")},
          {"resetDelay", false},
          {"detachReset", false},
          {"surrogate", std::string("triangular")},
          {"surrogateParameter", 1.0},
          {"learnable", std::vector<double>{}},
          {"perChannel", false}};
}

inline Spec lif(double decay = 0.5, double threshold = 0.5) { return {"lif", neuron(decay, threshold)}; }

inline Spec conv(double channels, const std::string& initial = "kaiming") {
  return {"convBlock",
          {{"channels", channels},
           {"kernel", std::vector<double>{3, 3}},
           {"stride", std::vector<double>{1, 1}},
           {"padding", std::vector<double>{1, 1}},
           {"bias", true},
           {"initial", initial}}};
}

inline Spec norm(const std::string& statistics, double steps) {
  return {"spikeNorm", {{"epsilon", 1e-5}, {"momentum", 0.1}, {"statistics", statistics}, {"steps", steps}}};
}

inline Spec sew(double channels, double stride, const std::string& connect = "add", double stages = 2,
                const std::string& activation = "lif") {
  Spec spec{"sewBlock", neuron(0.5, 0.5)};
  spec.options["channels"] = channels;
  spec.options["stride"] = std::vector<double>{stride, stride};
  spec.options["stages"] = stages;
  spec.options["connect"] = connect;
  spec.options["activation"] = activation;
  for (const auto& [name, value] : norm("shared", 4).options) spec.options[name] = value;
  return spec;
}

inline Spec linear(double features) { return {"linear", {{"features", features}, {"bias", true}}}; }

inline Spec pool(const std::string& kind, double size) {
  return {kind,
          {{"kernel", std::vector<double>{size, size}},
           {"stride", std::vector<double>{size, size}},
           {"padding", std::vector<double>{0, 0}}}};
}

// [2, 8, 8], T = 4: conv, norm, LIF, a SEW block with a convolution in its shortcut, classifier.
inline NetworkSpec sew_network() {
  return {{2, 8, 8}, 4, {conv(4), norm("shared", 4), lif(), sew(6, 2), {"flatten", {}}, linear(10)}};
}

inline NetworkSpec per_step_network(int64_t steps = 4) {
  return {{2, 8, 8}, steps, {conv(4), norm("perStep", static_cast<double>(steps)), lif(), {"flatten", {}}, linear(10)}};
}

inline NetworkSpec perceptron() {
  return {{12},
          5,
          {linear(20),
           lif(0.9, 0.3),
           linear(10),
           {"leakyReadout", {{"decay", 0.9}, {"decayInput", true}, {"learnable", std::vector<double>{}}}}}};
}

}  // namespace specs
