// Whether a network's next inference had better be computed where it is asked for: it will be so short that the event
// loop hardly stands still, and the way to another thread and back, some 0.05 ms, would be much of its time.
#pragma once
#include <algorithm>
#include <array>
#include <cstdint>
#include <limits>

namespace spikingrx::binding {

// Callers that overlap are better served by another thread: while it computes, this one answers some and listens to
// others. On the JavaScript thread.
class LoneCalls {
 public:
  // alone: nothing was under way when this one was asked for. True where that holds of the calls before it too.
  bool next(bool alone) {
    in_a_row_ = alone ? in_a_row_ + 1 : 0;
    return in_a_row_ > kEnough;
  }

 private:
  static constexpr uint64_t kEnough = 8;
  uint64_t in_a_row_ = 0;
};

// Of one network's last inferences, on whichever thread.
class ShortWork {
 public:
  // presentations: samples times time steps; one_thread: no team of threads took part, of which the event loop's thread
  // would have to make one of its own.
  void note(int64_t presentations, double seconds, bool one_thread) {
    double& slot = of_each_[next_++ % of_each_.size()];
    slot = one_thread ? seconds / static_cast<double>(std::max<int64_t>(1, presentations)) : kUnknown;
  }

  // By the slowest of the last ones, so that one that had much to do is remembered for a while.
  bool expected(int64_t presentations) const {
    return *std::max_element(of_each_.begin(), of_each_.end()) * static_cast<double>(presentations) < kLongest;
  }

 private:
  static constexpr double kLongest = 0.5e-3;  // seconds
  static constexpr double kUnknown = std::numeric_limits<double>::infinity();

  std::array<double, 4> of_each_{kUnknown, kUnknown, kUnknown, kUnknown};
  size_t next_ = 0;
};

}  // namespace spikingrx::binding
