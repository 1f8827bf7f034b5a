// A log-linear histogram of durations: 128 bins an octave, exact below 128 ns, so that a quantile
// is off by at most 1/256 (0.4 %) of its value. Merging is exact and does not depend on order.
#pragma once

#include <bit>
#include <cstdint>
#include <vector>

#include "sim/core/int128.h"
#include "sim/core/time.h"

namespace tangram {

class Histogram {
 public:
  static constexpr int kBits = 7;
  // The bound on |reported quantile / true quantile - 1|.
  static constexpr double kRelativeError = 1.0 / 256;

  // Counts `times` samples of value d. Negative values count as 0. Memory grows with the range of
  // the values, not with their number: at most 58 KiB.
  void record(Duration d, std::uint64_t times = 1) {
    const auto value = static_cast<std::uint64_t>(d.count() < 0 ? 0 : d.count());
    std::size_t bin = bin_of(value) - first_bin_;
    if (bin >= bins_) [[unlikely]]
      bin = grow_to_hold(value);
    counts_[bin] += times;
    if (times == 1) [[likely]] {
      sum_.add(value);
    } else {
      sum_.add(static_cast<UInt128>(value) * times);
    }
    // Rarely true: a branch costs less than two stores.
    if (value > max_) [[unlikely]]
      max_ = value;
    if (value < min_) [[unlikely]]
      min_ = value;
  }

  void merge(const Histogram& other);

  // How many samples there are: a sum over the bins.
  std::uint64_t count() const;
  // The exact sum of all values, ns.
  UInt128 sum() const { return static_cast<UInt128>(sum_); }
  // The exact mean, minimum and maximum; zero when empty.
  double mean_ns() const;
  Duration min() const;
  Duration max() const;
  // The nearest-rank quantile, q in [0, 1]: the middle of the bin that holds the sample of rank
  // ceil(q n), never outside [min, max]. Zero when empty.
  Duration quantile(double q) const;

  // The non-empty bins in ascending order, for storing: [lower, upper) in ns and the count.
  struct Bin {
    std::uint64_t lower, upper, count;
    friend bool operator==(const Bin&, const Bin&) = default;
  };
  std::vector<Bin> bins() const;

  static constexpr std::size_t bin_of(std::uint64_t value) {
    // The first two octaves have bins of 1 ns.
    // 63 ^ x is 63 - x; only so does g++ see that it is one instruction.
    const int octave = (63 ^ std::countl_zero(value | (1U << kBits))) - kBits;
    return (static_cast<std::size_t>(octave) << kBits) + (value >> octave);
  }
  static constexpr std::uint64_t lower_bound(std::size_t bin) {
    if (bin < (2U << kBits)) return bin;
    const std::size_t octave = (bin >> kBits) - 1;
    return ((bin & ((1U << kBits) - 1)) | (1U << kBits)) << octave;
  }

 private:
  // Returns the value's index in counts_.
  std::size_t grow_to_hold(std::uint64_t value);

  std::size_t first_bin_ = 0;  // of counts_[0]; a multiple of an octave
  std::size_t bins_ = 0;       // size of counts_, which takes three instructions to say so itself
  std::vector<std::uint64_t> counts_;
  WideSum sum_;
  std::uint64_t max_ = 0;
  std::uint64_t min_ = ~std::uint64_t{0};
};

}  // namespace tangram
