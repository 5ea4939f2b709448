// Where a value stands, for messages: made for each value that is taken, written out only when something is wrong with
// it.
#pragma once
#include <cstdint>
#include <ostream>
#include <string>
#include <string_view>

namespace spikingrx::binding {

struct Place {
  Place(const char* name) : name(name) {}         // "shape"
  Place(const std::string& name) : name(name) {}  // must outlive the place
  Place(const Place& list, uint32_t index) : scope(list.scope), name(list.name), index(index) {}  // "shape[2]"
  Place(std::string_view scope, std::string_view name)
      : scope(scope), name(name) {}  // "aten::add.Tensor: argument 'other'"

  std::string_view scope;
  std::string_view name;
  int64_t index = -1;
};

inline std::ostream& operator<<(std::ostream& out, const Place& place) {
  if (place.scope.empty()) {
    out << place.name;
  } else {
    out << place.scope << ": argument '" << place.name << "'";
  }
  if (place.index >= 0) out << '[' << place.index << ']';
  return out;
}

}  // namespace spikingrx::binding
