// Plain descriptions of layers, losses, optimisers and schedules, as they come from the TypeScript facade.
//
// A spec is a kind and named options. The facade fills in every default and checks every range, so that the same JSON
// rebuilds the same network; C++ reads options by name and refuses what is missing or of another type.
#pragma once
#include <cstdint>
#include <map>
#include <string>
#include <variant>
#include <vector>

#include "api.h"

namespace spikingrx {

using OptionValue = std::variant<bool, double, std::string, std::vector<double>, std::vector<std::string>>;

struct SPIKINGRX_API Spec {
  std::string kind;                            // "lif", "crossEntropy", "adamW", ...
  std::map<std::string, OptionValue> options;  // camelCase names, as in the JSON

  bool has(const std::string& name) const { return options.count(name) > 0; }
  // Each throws c10::ValueError naming kind and option when it is missing or of another type.
  bool flag(const std::string& name) const;
  double number(const std::string& name) const;
  int64_t integer(const std::string& name) const;
  const std::string& text(const std::string& name) const;
  std::vector<int64_t> integers(const std::string& name) const;
  std::vector<double> numbers(const std::string& name) const;
  std::vector<std::string> texts(const std::string& name) const;  // an empty list of either kind is accepted
};

struct NetworkSpec {
  std::vector<int64_t> input;  // shape of one sample at one time step: [C, H, W] or [D]
  int64_t steps = 1;           // T, used when the input has no time axis
  std::vector<Spec> layers;
};

}  // namespace spikingrx
