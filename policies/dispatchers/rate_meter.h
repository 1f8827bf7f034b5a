// The rate of a stream as the mean over the last windows of equal length. Windows in which nothing
// happened are filled in when somebody looks: O(1) per event, nothing per window.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "sim/core/time.h"

namespace tangram {

class RateMeter {
 public:
  // Requires: window > 0, windows >= 1.
  RateMeter(Duration window, std::uint32_t windows) : window_(window), counts_(windows) {}

  // Counts n events at `now`, which does not go back. Returns whether the rate has changed because
  // a window ended.
  bool add(TimePoint now, std::uint32_t n) {
    const bool turned = now >= end_;
    if (turned) [[unlikely]]
      turn(now);
    current_ += n;
    return turned;
  }
  // Per second, over the windows that have ended; 0 before the first one has.
  double per_second() const { return rate_; }

 private:
  void turn(TimePoint now) {
    const std::int64_t index = (now - kStart) / window_;
    const bool any = index > 0;
    const auto slots = static_cast<std::int64_t>(counts_.size());
    // The window that was open, then the empty ones since.
    const std::int64_t ended = std::min(index - index_, slots);
    for (std::int64_t i = 0; i < ended; ++i) {
      std::uint32_t& slot = counts_[static_cast<std::size_t>((index_ + i) % slots)];
      sum_ -= slot;
      slot = i == 0 ? current_ : 0;
      sum_ += slot;
    }
    if (index - index_ > slots) {  // all that is remembered is empty
      std::fill(counts_.begin(), counts_.end(), 0U);
      sum_ = 0;
    }
    if (index > index_) current_ = 0;
    index_ = index;
    end_ = kStart + window_ * (index + 1);
    if (any) {
      rate_ = static_cast<double>(sum_) /
              (static_cast<double>(std::min(index, slots)) * to_seconds(window_));
    }
  }

  Duration window_;
  std::vector<std::uint32_t> counts_;  // of the last windows, by index modulo their number
  std::uint32_t current_ = 0;          // of the window that is open
  std::uint64_t sum_ = 0;
  std::int64_t index_ = 0;  // of the window that is open
  TimePoint end_ = kStart;
  double rate_ = 0;
};

}  // namespace tangram
