// What a recording of arrivals looks like: rate, burstiness, memory. Pure functions of the
// arrivals.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "workloads/trace.h"

namespace tangram {

// Variance over mean: 1 for Poisson counts, 0 for equal ones. Requires: a mean above 0.
double index_of_dispersion(std::span<const std::uint64_t> counts);
// The largest over the mean. Requires: a mean above 0.
double peak_to_mean(std::span<const std::uint64_t> counts);
// sum (x_i - m)(x_(i+lag) - m) / sum (x_i - m)^2, m the mean; nullopt for constant counts and when
// there are not more than `lag`.
std::optional<double> autocorrelation(std::span<const std::uint64_t> counts, std::size_t lag);
// Standard deviation over mean of the times between arrivals; nullopt below two arrivals or when
// all come at once.
std::optional<double> variation_of_gaps(std::span<const Duration> times);

struct WindowStatistics {
  double window_s = 0;
  std::size_t windows = 0;  // whole ones; what is left at the end does not count
  double peak_to_mean = 0;
  double dispersion = 0;
};
struct Lag {
  double lag_s = 0;
  double correlation = 0;
};
struct TraceStatistics {
  std::uint64_t count = 0;
  std::optional<double> length_s;  // as TraceSlice::length_ns
  std::optional<double> rate_rps;
  std::optional<double> gap_cv;  // not of counts
  std::vector<WindowStatistics>
      windows;            // of 1, 10 and 60 s, or of 1, 10 and 60 minutes for counts
  std::vector<Lag> lags;  // of the counts in the shortest windows
  std::vector<std::uint64_t> per_hour;
};
TraceStatistics describe_trace(const Recording& recording);

// The arrivals in each whole window from 0 on. Requires: a window of counts is whole minutes.
std::vector<std::uint64_t> counts_in_windows(const Recording& recording, Duration window);

}  // namespace tangram
