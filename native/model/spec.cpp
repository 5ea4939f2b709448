#include "model/spec.h"

#include <cmath>

#include "error.h"

namespace spikingrx {

namespace {

template <class Value>
const Value& option(const Spec& spec, const std::string& name, const char* type) {
  const auto found = spec.options.find(name);
  SPIKINGRX_CHECK(found != spec.options.end(), "ERR_RANGE", spec.kind, " lacks the option ", name);
  const Value* value = std::get_if<Value>(&found->second);
  SPIKINGRX_CHECK(value != nullptr, "ERR_TYPE", spec.kind, " option ", name, " must be ", type);
  return *value;
}

int64_t whole(const Spec& spec, const std::string& name, double value) {
  SPIKINGRX_CHECK(std::floor(value) == value && std::abs(value) <= 9007199254740991.0, "ERR_RANGE", spec.kind,
                  " option ", name, " must be an integer, got ", value);
  return static_cast<int64_t>(value);
}

}  // namespace

bool Spec::flag(const std::string& name) const { return option<bool>(*this, name, "a boolean"); }

double Spec::number(const std::string& name) const { return option<double>(*this, name, "a number"); }

int64_t Spec::integer(const std::string& name) const { return whole(*this, name, number(name)); }

const std::string& Spec::text(const std::string& name) const { return option<std::string>(*this, name, "a string"); }

std::vector<double> Spec::numbers(const std::string& name) const {
  return option<std::vector<double>>(*this, name, "a list of numbers");
}

std::vector<int64_t> Spec::integers(const std::string& name) const {
  std::vector<int64_t> result;
  for (const double value : numbers(name)) result.push_back(whole(*this, name, value));
  return result;
}

std::vector<std::string> Spec::texts(const std::string& name) const {
  const auto found = options.find(name);
  if (found != options.end())
    if (const auto* empty = std::get_if<std::vector<double>>(&found->second); empty && empty->empty()) return {};
  return option<std::vector<std::string>>(*this, name, "a list of strings");
}

}  // namespace spikingrx
