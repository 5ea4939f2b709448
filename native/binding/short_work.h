// Whether a network's next inference will be so short that handing it to another thread, and being told of its end,
// would take as long as computing it.
#pragma once
#include <algorithm>
#include <array>
#include <cstdint>
#include <limits>

namespace spikingrx::binding {

// Of the last inferences, each on whichever thread; guarded by what guards the network.
class ShortWork {
 public:
  static constexpr double kLongest = 0.1e-3;  // seconds; there and back take about half of it

  // values: of the input, samples and their time steps counted; one_thread: no team of threads took part, of which the
  // event loop's thread would have to make one of its own.
  void note(int64_t values, double seconds, bool one_thread) {
    double& slot = per_value_[next_++ % per_value_.size()];
    slot = one_thread ? seconds / static_cast<double>(std::max<int64_t>(1, values)) : kUnknown;
  }
  // So that one inference that had to wait, or had much to do, is remembered for a while.
  bool expected(int64_t values) const {
    return *std::max_element(per_value_.begin(), per_value_.end()) * static_cast<double>(values) < kLongest;
  }

 private:
  static constexpr double kUnknown = std::numeric_limits<double>::infinity();
  std::array<double, 4> per_value_{kUnknown, kUnknown, kUnknown, kUnknown};
  size_t next_ = 0;
};

}  // namespace spikingrx::binding
