// Pressure slopes by regression inside groups, and kriging of what they leave.
#include "profiles/pair_table.h"

#include <algorithm>
#include <tuple>
#include <utility>

#include <fmt/format.h>

#include "profiles/least_squares.h"
#include "sim/core/error.h"
#include "sim/core/stable_math.h"

namespace tangram {
namespace {

// Lengths over which a co-run tells about others, set by hand with the V100 data in view: four
// times the victim's batch, eight times the aggressor's, 40 % of share moved from one to the other
// (which moves both shares).
constexpr double kBatchLength = 2;
constexpr double kOtherBatchLength = 3;
constexpr double kShareLengthSquared = 2 * 0.4 * 0.4;
// Variances in units of that between pairs: smooth inside a pair, and of one measurement. So n
// places far apart weigh n / (n + 0.15) against the constant.
constexpr double kSmooth = 0.14;
constexpr double kNoise = 0.01;
// (scatter inside a pair / expected slope)^2 = (1.1 % / 2 %)^2: keeps two noisy co-runs from making
// a slope.
constexpr double kSlopeRidge = 0.3;
// The solution takes the cube of it in time: about a second.
constexpr std::size_t kMostCoRuns = 1000;

double square(double x) {
  return x * x;
}

double covariance(const CoRunPlace& a, const CoRunPlace& b) {
  return 1 + kSmooth * co_run_similarity(a, b);
}

}  // namespace

CoRunPlace place_of(std::uint32_t batch,
                    std::uint32_t other_batch,
                    double share_pct,
                    double other_share_pct) {
  constexpr double kLn2 = 0x1.62e42fefa39efp-1;
  return {stable::log(batch) / kLn2, stable::log(other_batch) / kLn2, share_pct / 100,
          other_share_pct / 100};
}

double co_run_similarity(const CoRunPlace& a, const CoRunPlace& b) {
  const double shares = square(a.share - b.share) + square(a.other_share - b.other_share);
  const double distance = square((a.log_batch - b.log_batch) / kBatchLength) +
                          square((a.log_other - b.log_other) / kOtherBatchLength) +
                          shares / kShareLengthSquared;
  return stable::exp(-0.5 * distance);
}

PairTable::PairTable(const std::vector<CoRunSample>& samples,
                     std::function<double(const std::string&)> constant_of)
    : constant_of_(std::move(constant_of)) {
  using Samples = std::vector<const CoRunSample*>;
  std::map<std::string, Samples> by_aggressor;
  std::map<std::pair<std::string, std::string>, Samples> by_cell;
  for (const CoRunSample& sample : samples) {
    by_aggressor[sample.aggressor].push_back(&sample);
    by_cell[{sample.victim, sample.aggressor}].push_back(&sample);
  }
  for (const auto& [aggressor, some] : by_aggressor) {
    pressures_[aggressor] = pressure_of(some, constant_of_);
  }
  for (const auto& [cell, some] : by_cell) {
    if (some.size() <= kMostCoRuns) continue;
    throw ConfigError(
        cell.first + " beside " + cell.second,
        fmt::format("has {} co-runs; pair_table takes at most {}", some.size(), kMostCoRuns));
  }
  for (const auto& [cell, some] : by_cell) cells_[cell.first][cell.second] = weights_of(some);
}

double PairTable::Pressure::at(const CoRunPlace& place) const {
  const double log_batch = std::clamp(place.log_other, log_low, log_high);
  return slope * place.other_share * (log_batch - log_mean);
}

// Co-runs that differ in the aggressor's batch alone, compared among themselves: what else they
// have in common cannot pass for pressure.
PairTable::Pressure PairTable::pressure_of(
    const std::vector<const CoRunSample*>& samples,
    const std::function<double(const std::string&)>& constant_of) {
  Pressure pressure;
  pressure.log_low = pressure.log_high = samples.front()->place.log_other;
  using Group = std::tuple<std::string, double, double, double>;
  std::map<Group, std::vector<const CoRunSample*>> groups;
  for (const CoRunSample* sample : samples) {
    const CoRunPlace& p = sample->place;
    groups[{sample->victim, p.log_batch, p.share, p.other_share}].push_back(sample);
    pressure.log_low = std::min(pressure.log_low, p.log_other);
    pressure.log_high = std::max(pressure.log_high, p.log_other);
    pressure.log_mean += p.log_other / static_cast<double>(samples.size());
  }
  double products = 0;
  double squares = kSlopeRidge;
  for (const auto& [group, members] : groups) {
    const auto n = static_cast<double>(members.size());
    const double constant = constant_of(std::get<0>(group));
    const double share = std::get<3>(group);
    double mean_batch = 0, mean_slowdown = 0;
    for (const CoRunSample* m : members) {
      mean_batch += m->place.log_other / n;
      mean_slowdown += m->slowdown / constant / n;
    }
    for (const CoRunSample* m : members) {
      const double x = share * (m->place.log_other - mean_batch);
      products += x * (m->slowdown / constant - mean_slowdown);
      squares += x * x;
    }
  }
  pressure.slope = products / squares;
  return pressure;
}

double PairTable::prior(const std::string& victim,
                        const std::string& aggressor,
                        const CoRunPlace& place) const {
  const auto pressure = pressures_.find(aggressor);
  const double factor = pressure == pressures_.end() ? 1 : 1 + pressure->second.at(place);
  return std::max(1.0, constant_of_(victim) * factor);
}

// Weights w of the samples such that sum w covariance(here, sample) is the expected residual.
std::vector<PairTable::Measured> PairTable::weights_of(
    const std::vector<const CoRunSample*>& samples) const {
  const std::size_t n = samples.size();
  std::vector<double> covariances(n * n);
  std::vector<double> residuals(n);
  for (std::size_t i = 0; i < n; ++i) {
    const CoRunSample& s = *samples[i];
    for (std::size_t j = 0; j < n; ++j) {
      covariances[i * n + j] = covariance(s.place, samples[j]->place);
    }
    covariances[i * n + i] += kNoise;
    residuals[i] = s.slowdown / prior(s.victim, s.aggressor, s.place) - 1;
  }
  const std::vector<double> weights = LeastSquares(std::move(covariances), n).solve(residuals);
  std::vector<Measured> measured;
  for (std::size_t i = 0; i < n; ++i) measured.push_back({samples[i]->place, weights[i]});
  return measured;
}

double PairTable::slowdown(const std::string& victim,
                           const std::string& aggressor,
                           const CoRunPlace& place) const {
  double residual = 0;
  const auto row = cells_.find(victim);
  if (row != cells_.end()) {
    const auto cell = row->second.find(aggressor);
    if (cell != row->second.end()) {
      for (const Measured& m : cell->second) {
        residual += m.weight * covariance(place, m.place);
      }
    }
  }
  return std::max(1.0, prior(victim, aggressor, place) * (1 + residual));
}

}  // namespace tangram
