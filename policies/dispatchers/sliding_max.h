// The largest of the last n durations: the 99th percentile, nearest rank, of up to 100 of them.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "sim/core/time.h"

namespace tangram {

class SlidingMax {
 public:
  // Requires: n >= 1.
  explicit SlidingMax(std::uint32_t n) : last_(n) {}
  // Adds one and returns the largest. O(1) but when the largest leaves.
  Duration add(Duration d) {
    const Duration gone = full_ ? last_[next_] : Duration{};
    last_[next_] = d;
    if (++next_ == last_.size()) {
      next_ = 0;
      full_ = true;
    }
    if (d >= max_) {
      max_ = d;
    } else if (gone == max_) {
      max_ = *std::max_element(last_.begin(), last_.end());
    }
    return max_;
  }

 private:
  std::vector<Duration> last_;
  std::size_t next_ = 0;
  bool full_ = false;
  Duration max_{};
};

}  // namespace tangram
