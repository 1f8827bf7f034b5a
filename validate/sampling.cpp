#include "validate/sampling.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <exception>
#include <thread>
#include <utility>

namespace tangram {
namespace {

// A point is warm when the medians of two windows in a row differ by at most this.
constexpr std::size_t kWindow = 3;
constexpr double kStable = 0.05;
constexpr std::size_t kMostWindows = 20;
constexpr double kLongestWarmUpMs = 10'000;

// One of two lanes that run beside each other.
struct RunningSide {
  const Side& side;
  std::vector<double> samples;
  std::exception_ptr failure;
  std::atomic<bool> running{false};  // has begun, and goes on until both have enough
  std::atomic<bool> enough{false};
  std::atomic<bool> failed{false};
};

// Runs one side until both have enough samples. Only a batch that began and ended while the other
// side ran counts.
void run_beside(RunningSide& self, const RunningSide& other, std::size_t least, double least_ms) {
  try {
    double spent = 0;
    while (!other.failed && !(self.enough && other.enough)) {
      const bool began_beside = self.running && other.running;
      const double ms = self.side.lane.run(self.side.model, self.side.batch);
      self.running = true;
      if (!began_beside || (self.enough && other.enough)) continue;
      spent += ms;
      if (self.samples.size() < kMostSamples) self.samples.push_back(ms);
      const bool is_full = self.samples.size() >= kMostSamples;
      if (is_full || (self.samples.size() >= least && spent >= least_ms)) self.enough = true;
    }
  } catch (...) {
    self.failure = std::current_exception();
    self.failed = true;
  }
}

}  // namespace

double median_of(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  if (values.size() % 2 == 1) return *middle;
  return (*middle + *std::max_element(values.begin(), middle)) / 2;
}

double warm_up(MeasureLane& lane, const std::string& model, std::uint32_t batch) {
  double before = 0;
  double spent = 0;
  for (std::size_t w = 0; w < kMostWindows && spent < kLongestWarmUpMs; ++w) {
    std::vector<double> window;
    for (std::size_t i = 0; i < kWindow; ++i) {
      window.push_back(lane.run(model, batch));
      spent += window.back();
    }
    const double median = median_of(std::move(window));
    if (w > 0 && std::abs(median - before) <= kStable * before) return median;
    before = median;
  }
  return before;
}

std::vector<double> sample(MeasureLane& lane,
                           const std::string& model,
                           std::uint32_t batch,
                           std::size_t least,
                           double least_ms) {
  std::vector<double> samples;
  double spent = 0;
  while (samples.size() < kMostSamples && (samples.size() < least || spent < least_ms)) {
    samples.push_back(lane.run(model, batch));
    spent += samples.back();
  }
  return samples;
}

SideSamples run_together(const Side& first,
                         const Side& second,
                         std::size_t least,
                         double least_ms) {
  RunningSide a{first, {}, {}};
  RunningSide b{second, {}, {}};
  {
    const std::jthread other([&] { run_beside(b, a, least, least_ms); });
    run_beside(a, b, least, least_ms);
  }
  for (const RunningSide* side : {&a, &b}) {
    if (side->failure) std::rethrow_exception(side->failure);
  }
  return {std::move(a.samples), std::move(b.samples)};
}

}  // namespace tangram
