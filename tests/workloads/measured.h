// For the tests of arrival processes: times drawn from one, and what is measured of them.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "workloads/arrivals.h"

namespace tangram::testing {

inline ArrivalSpec spec_of(ArrivalSpec::Process process, double rate_rps) {
  ArrivalSpec spec;
  spec.process = process;
  spec.rate_rps = rate_rps;
  return spec;
}

inline ArrivalSpec mmpp_of(std::vector<MmppState> states) {
  ArrivalSpec spec;
  spec.process = ArrivalSpec::Process::kMmpp;
  spec.states = std::move(states);
  return spec;
}

inline RandomStream stream_of(const std::string& name, std::uint64_t seed = 7) {
  return RandomStream(StreamKey(seed).with("arrivals").with(name));
}

inline std::vector<std::int64_t> take(ArrivalProcess& arrivals,
                                      std::size_t count,
                                      std::size_t block) {
  std::vector<std::int64_t> times;
  std::vector<TimePoint> buffer(block);
  while (times.size() < count) {
    const std::size_t asked = std::min(block, count - times.size());
    const std::size_t got = arrivals.next(std::span(buffer).first(asked));
    for (std::size_t i = 0; i < got; ++i) times.push_back(buffer[i].time_since_epoch().count());
    if (got < asked) break;
  }
  return times;
}

inline std::vector<std::int64_t> first(const ArrivalSpec& spec, std::size_t count) {
  return take(*make_arrivals(spec, stream_of("m")), count, 256);
}

struct Moments {
  double mean, cv;
};

inline Moments moments_of_gaps(const std::vector<std::int64_t>& times) {
  double sum = 0;
  double squares = 0;
  std::int64_t before = 0;
  for (const std::int64_t time : times) {
    const auto gap = static_cast<double>(time - before);
    sum += gap;
    squares += gap * gap;
    before = time;
  }
  const auto n = static_cast<double>(times.size());
  const double mean = sum / n;
  return {mean, std::sqrt(squares / n - mean * mean) / mean};
}

// The share of gaps of at most `bound` ns.
inline double share_up_to(const std::vector<std::int64_t>& times, double bound) {
  std::int64_t before = 0;
  std::size_t within = 0;
  for (const std::int64_t time : times) {
    within += static_cast<double>(time - before) <= bound ? 1 : 0;
    before = time;
  }
  return static_cast<double>(within) / static_cast<double>(times.size());
}

// Four standard errors of a share p of n.
inline double margin(double p, std::size_t n) {
  return 4 * std::sqrt(p * (1 - p) / static_cast<double>(n));
}

// Variance over mean of the counts in windows of `window` ns.
inline double dispersion(const std::vector<std::int64_t>& times, std::int64_t window) {
  std::vector<double> counts(static_cast<std::size_t>(times.back() / window), 0);
  for (const std::int64_t time : times) {
    const auto i = static_cast<std::size_t>(time / window);
    if (i < counts.size()) ++counts[i];
  }
  double sum = 0;
  double squares = 0;
  for (const double c : counts) {
    sum += c;
    squares += c * c;
  }
  const auto n = static_cast<double>(counts.size());
  return (squares / n - sum / n * sum / n) / (sum / n);
}

}  // namespace tangram::testing
