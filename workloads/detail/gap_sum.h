// Sums of gaps that lose nothing: kept in fractions of a nanosecond, rounded once, on output, so
// that the mean rate is unbiased up to 1e9 requests/s (docs/model/workloads.md).
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>

#include "sim/core/time.h"

namespace tangram {

// No arrival is later (about 146 years): sums of two times still fit 64 bits.
inline constexpr std::uint64_t kEndNs = std::uint64_t{1} << 62;

// Clamped: beyond any run, but finite, so that products with a random number stay numbers.
inline double mean_gap_ns(double rate_rps) {
  return std::min(1e9 / rate_rps, 1e30);
}

// A time that gaps are added to, in ticks of 2^-bits ns: integers, so that the sum is exact and its
// dependency chain is an addition and a mask.
class GapSum {
 public:
  // A tick is at most 2^-40 of the mean gap, and at most 1 ns: cutting gaps off at whole ticks
  // costs less than 2^-40 of the rate.
  explicit GapSum(double mean_ns)
      : bits_(std::clamp(40 - std::ilogb(mean_ns), 0, 40)),
        mask_((std::uint64_t{1} << bits_) - 1),
        part_((std::uint64_t{1} << bits_) >> 1) {}  // half a nanosecond: output rounds to nearest

  double ticks_per_ns() const { return static_cast<double>(mask_ + 1); }
  // False when the sum has passed the end of time; it then stays there. Requires: ticks >= 0.
  bool add(double ticks) {
    std::uint64_t whole = 0;
    if (ticks < 0x1p62) [[likely]] {
      const std::uint64_t sum =
          part_ + static_cast<std::uint64_t>(static_cast<std::int64_t>(ticks));
      whole = sum >> bits_;
      part_ = sum & mask_;
    } else {
      const double ns = ticks / ticks_per_ns();
      whole = ns < 0x1p62 ? static_cast<std::uint64_t>(ns) : kEndNs;
    }
    whole_ += whole;
    if (whole_ < kEndNs) [[likely]]
      return true;
    whole_ = kEndNs;
    return false;
  }
  TimePoint time() const { return TimePoint(Duration(static_cast<std::int64_t>(whole_))); }

 private:
  int bits_;
  std::uint64_t mask_;
  std::uint64_t part_;
  std::uint64_t whole_ = 0;
};

}  // namespace tangram
