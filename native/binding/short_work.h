// Whether a network's next inference had better be computed where it is asked for: it will be so short that the event
// loop hardly stands still, and the way to another thread and back, some 0.05 ms, would be much of its time.
#pragma once
#include <algorithm>
#include <array>
#include <cstdint>
#include <limits>

namespace spikingrx::binding {

// Of one network; guarded by what guards the network.
class ShortWork {
 public:
  // What an inference took, on whichever thread. values: of the input, samples and their time steps counted;
  // one_thread: no team of threads took part, of which the event loop's thread would have to make one of its own.
  void note(int64_t values, double seconds, bool one_thread) {
    double& slot = per_value_[next_++ % per_value_.size()];
    slot = one_thread ? seconds / static_cast<double>(std::max<int64_t>(1, values)) : kUnknown;
  }

  // alone: nothing was under way when this one was asked for. Callers that overlap are better served by another thread:
  // while it computes, this one answers some and listens to others.
  bool here(int64_t values, bool alone) {
    alone_ = alone ? alone_ + 1 : 0;
    // The slowest of the last ones, so that one that had to wait, or had much to do, is remembered for a while.
    const double slowest = *std::max_element(per_value_.begin(), per_value_.end());
    return alone_ > kAlone && slowest * static_cast<double>(values) < kLongest;
  }

 private:
  static constexpr double kLongest = 0.5e-3;  // seconds
  static constexpr uint64_t kAlone = 8;       // calls in a row
  static constexpr double kUnknown = std::numeric_limits<double>::infinity();

  std::array<double, 4> per_value_{kUnknown, kUnknown, kUnknown, kUnknown};
  size_t next_ = 0;
  uint64_t alone_ = 0;
};

}  // namespace spikingrx::binding
