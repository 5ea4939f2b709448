#include "binding/operator_table.h"

#include <algorithm>
#include <set>
#include <vector>

#include "binding/failure.h"

namespace spikingrx::binding {
namespace {

// "aten::add.Tensor" -> {"aten::add", "Tensor"}; a point in the namespace would not be one of the overload's.
c10::OperatorName parse(const std::string& name) {
  const size_t start = name.find("::");
  const size_t point = name.find('.', start == std::string::npos ? 0 : start);
  if (point == std::string::npos) return {name, ""};
  return {name.substr(0, point), name.substr(point + 1)};
}

// Insertions, deletions and replacements that make `a` into `b`.
size_t distance(const std::string& a, const std::string& b) {
  std::vector<size_t> row(b.size() + 1);
  for (size_t j = 0; j <= b.size(); j++) row[j] = j;
  for (size_t i = 1; i <= a.size(); i++) {
    size_t diagonal = row[0];
    row[0] = i;
    for (size_t j = 1; j <= b.size(); j++) {
      const size_t replaced = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({replaced, row[j] + 1, row[j - 1] + 1});
    }
  }
  return row[b.size()];
}

std::string without_namespace(const std::string& name) {
  const size_t at = name.find("::");
  return at == std::string::npos ? name : name.substr(at + 2);
}

std::string suggestion(const c10::OperatorName& wanted) {
  std::set<std::string> overloads;
  std::string nearest;
  // A third of the letters may be wrong: farther names would only confuse.
  size_t nearest_distance = without_namespace(wanted.name).size() / 3 + 1;
  for (const c10::OperatorName& name : c10::Dispatcher::singleton().getAllOpNames()) {
    if (name.name == wanted.name)
      overloads.insert(name.overload_name.empty() ? name.name : name.name + "." + name.overload_name);
    if (!overloads.empty()) continue;
    // A name without its namespace is near; ties go to libtorch's own operators.
    const size_t far =
        wanted.name.find("::") == std::string::npos
            ? distance(wanted.name, without_namespace(name.name)) + (name.name.rfind("aten::", 0) == 0 ? 0 : 1)
            : distance(wanted.name, name.name);
    if (far < nearest_distance) {
      nearest_distance = far;
      nearest = name.name;
    }
  }
  if (!overloads.empty()) {
    std::string list;
    for (const std::string& overload : overloads) list += (list.empty() ? "" : ", ") + overload;
    return ": there is " + list;
  }
  return nearest.empty() ? "" : ": did you mean '" + nearest + "'?";
}

}  // namespace

const Operator& OperatorTable::find(const std::string& name) {
  if (const auto found = operators_.find(name); found != operators_.end()) return found->second;
  const c10::OperatorName parsed = parse(name);
  const auto handle = c10::Dispatcher::singleton().findSchema(parsed);
  if (!handle) fail("ERR_OPERATOR", "there is no operator '", name, "'", suggestion(parsed));
  const auto& arguments = handle->schema().arguments();
  const auto positional = std::count_if(arguments.begin(), arguments.end(),
                                        [](const c10::Argument& argument) { return !argument.kwarg_only(); });
  return operators_.emplace(name, Operator{name, *handle, static_cast<size_t>(positional)}).first->second;
}

}  // namespace spikingrx::binding
