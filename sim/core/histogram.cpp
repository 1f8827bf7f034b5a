// Growth, merging and reading of the log-linear histogram.
#include "sim/core/histogram.h"

#include <algorithm>
#include <cmath>

namespace tangram {

std::size_t Histogram::grow_to_hold(std::uint64_t value) {
  constexpr std::size_t kOctave = std::size_t{1} << kBits;
  const std::size_t bin = bin_of(value);
  const std::size_t low = bin / kOctave * kOctave;
  if (counts_.empty()) first_bin_ = low;
  if (low < first_bin_) {
    counts_.insert(counts_.begin(), first_bin_ - low, 0);
    first_bin_ = low;
  }
  counts_.resize(std::max(counts_.size(), low + kOctave - first_bin_));
  bins_ = counts_.size();
  return bin - first_bin_;
}

void Histogram::merge(const Histogram& other) {
  if (other.counts_.empty()) return;
  grow_to_hold(other.min_);
  grow_to_hold(other.max_);
  for (std::size_t i = 0; i < other.counts_.size(); ++i) {
    if (other.counts_[i] != 0) counts_[other.first_bin_ + i - first_bin_] += other.counts_[i];
  }
  sum_.add(other.sum());
  max_ = std::max(max_, other.max_);
  min_ = std::min(min_, other.min_);
}

std::uint64_t Histogram::count() const {
  std::uint64_t n = 0;
  for (const std::uint64_t c : counts_) n += c;
  return n;
}

double Histogram::mean_ns() const {
  const std::uint64_t n = count();
  return n == 0 ? 0 : static_cast<double>(sum()) / static_cast<double>(n);
}

Duration Histogram::min() const {
  return Duration(counts_.empty() ? 0 : static_cast<std::int64_t>(min_));
}

Duration Histogram::max() const {
  return Duration(static_cast<std::int64_t>(max_));
}

Duration Histogram::quantile(double q) const {
  const std::uint64_t n = count();
  if (n == 0) return Duration(0);
  // q n is rounded twice; without the allowance 0.07 * 100 = 7.000000000000001 would have rank 8.
  const double exact = q * static_cast<double>(n) * (1 - 1e-15);
  const auto rank = exact <= 1 ? 1 : static_cast<std::uint64_t>(std::ceil(exact));
  std::uint64_t seen = 0;
  for (std::size_t i = 0; i < counts_.size(); ++i) {
    seen += counts_[i];
    if (seen < rank) continue;
    const std::uint64_t lower = lower_bound(first_bin_ + i);
    const std::uint64_t upper = lower_bound(first_bin_ + i + 1);
    const std::uint64_t middle = lower + (upper - lower - 1) / 2;
    return Duration(static_cast<std::int64_t>(std::clamp(middle, min_, max_)));
  }
  return max();
}

std::vector<Histogram::Bin> Histogram::bins() const {
  std::vector<Bin> result;
  for (std::size_t i = 0; i < counts_.size(); ++i) {
    if (counts_[i] == 0) continue;
    const std::size_t bin = first_bin_ + i;
    result.push_back({lower_bound(bin), lower_bound(bin + 1), counts_[i]});
  }
  return result;
}

}  // namespace tangram
