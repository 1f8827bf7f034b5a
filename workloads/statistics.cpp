// Statistics are of the population, not estimates for a larger one: divided by n, as the
// definitions say.
#include "workloads/statistics.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace tangram {
namespace {

// More windows than these are not counted: the memory, and nobody looks.
constexpr double kMostWindows = 1e6;
constexpr Duration kOneSecond = std::chrono::seconds(1);
constexpr Duration kHour = std::chrono::hours(1);

struct Moments {
  double mean = 0;
  double variance = 0;
};

template <typename Values>
Moments moments_of(const Values& values) {
  const auto n = static_cast<double>(values.size());
  double sum = 0;
  for (const auto value : values) sum += static_cast<double>(value);
  const double mean = sum / n;
  double squares = 0;
  for (const auto value : values) {
    const double d = static_cast<double>(value) - mean;
    squares += d * d;
  }
  return {mean, squares / n};
}

Duration length_of(const Recording& recording) {
  const TraceSlice slice = slice_trace(recording, 0, std::nullopt);
  // At most one mean gap longer than the longest recording.
  return Duration(static_cast<std::int64_t>(std::min(slice.length_ns.value_or(0), 0x1p62)));
}

std::vector<std::uint64_t> hours_of(const Recording& recording) {
  // The last hour counts, too, however little of it there is.
  if (recording.has_counts()) {
    std::vector<std::uint64_t> hours((recording.per_minute.size() + 59) / 60, 0);
    for (std::size_t i = 0; i < recording.per_minute.size(); ++i) {
      hours[i / 60] += recording.per_minute[i];
    }
    return hours;
  }
  if (recording.times.empty() || recording.times.back() / kHour > 1'000'000) return {};
  std::vector<std::uint64_t> hours(static_cast<std::size_t>(recording.times.back() / kHour) + 1, 0);
  for (const Duration time : recording.times) ++hours[static_cast<std::size_t>(time / kHour)];
  return hours;
}

}  // namespace

double index_of_dispersion(std::span<const std::uint64_t> counts) {
  const Moments moments = moments_of(counts);
  return moments.variance / moments.mean;
}

double peak_to_mean(std::span<const std::uint64_t> counts) {
  const auto peak = static_cast<double>(*std::max_element(counts.begin(), counts.end()));
  return peak / moments_of(counts).mean;
}

std::optional<double> autocorrelation(std::span<const std::uint64_t> counts, std::size_t lag) {
  if (counts.size() <= lag) return std::nullopt;
  const Moments moments = moments_of(counts);
  if (!(moments.variance > 0)) return std::nullopt;
  double sum = 0;
  for (std::size_t i = 0; i + lag < counts.size(); ++i) {
    sum += (static_cast<double>(counts[i]) - moments.mean) *
           (static_cast<double>(counts[i + lag]) - moments.mean);
  }
  return sum / (moments.variance * static_cast<double>(counts.size()));
}

std::optional<double> variation_of_gaps(std::span<const Duration> times) {
  if (times.size() < 2 || times.front() == times.back()) return std::nullopt;
  std::vector<std::int64_t> gaps(times.size() - 1);
  for (std::size_t i = 0; i < gaps.size(); ++i) gaps[i] = (times[i + 1] - times[i]).count();
  const Moments moments = moments_of(gaps);
  return std::sqrt(moments.variance) / moments.mean;
}

std::vector<std::uint64_t> counts_in_windows(const Recording& recording, Duration window) {
  std::vector<std::uint64_t> counts(static_cast<std::size_t>(length_of(recording) / window), 0);
  if (recording.has_counts()) {
    const auto minutes = static_cast<std::size_t>(window / std::chrono::minutes(1));
    for (std::size_t i = 0; i < counts.size() * minutes; ++i) {
      counts[i / minutes] += recording.per_minute[i];
    }
    return counts;
  }
  for (const Duration time : recording.times) {
    const auto i = static_cast<std::size_t>(time / window);
    if (i < counts.size()) ++counts[i];
  }
  return counts;
}

TraceStatistics describe_trace(const Recording& recording) {
  TraceStatistics out;
  const TraceSlice slice = slice_trace(recording, 0, std::nullopt);
  out.count = slice.count();
  out.rate_rps = slice.rate_rps();
  out.gap_cv = variation_of_gaps(recording.times);
  out.per_hour = hours_of(recording);
  if (!slice.length_ns) return out;
  out.length_s = *slice.length_ns / 1e9;
  const Duration unit = recording.has_counts() ? 60 * kOneSecond : kOneSecond;
  for (const int factor : {1, 10, 60}) {
    const Duration window = factor * unit;
    const double windows = std::floor(*out.length_s / to_seconds(window));
    if (windows < 2 || windows > kMostWindows) continue;
    const std::vector<std::uint64_t> counts = counts_in_windows(recording, window);
    if (std::accumulate(counts.begin(), counts.end(), std::uint64_t{0}) == 0) continue;
    out.windows.push_back(
        {to_seconds(window), counts.size(), peak_to_mean(counts), index_of_dispersion(counts)});
    if (!out.lags.empty()) continue;
    for (const std::size_t lag : {1U, 2U, 5U, 10U, 30U, 60U}) {
      const auto correlation = autocorrelation(counts, lag);
      if (correlation)
        out.lags.push_back({static_cast<double>(lag) * to_seconds(window), *correlation});
    }
  }
  return out;
}

}  // namespace tangram
