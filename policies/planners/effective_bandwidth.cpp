// The decay function of each arrival process, and its inverse.
#include "policies/planners/effective_bandwidth.h"

#include <algorithm>
#include <cmath>

#include "sim/core/random.h"
#include "workloads/arrivals.h"

namespace tangram {
namespace {

constexpr std::size_t kGaps = 200'000;

using Process = ArrivalSpec::Process;

bool has_formula(Process process) {
  return process == Process::kConstant || process == Process::kPoisson ||
         process == Process::kGamma || process == Process::kLognormal ||
         process == Process::kClosedLoop || process == Process::kStage;
}

std::vector<double> first_gaps(const ArrivalSpec& spec) {
  const auto process = make_arrivals(spec, RandomStream(StreamKey(0)));
  std::vector<TimePoint> times(kGaps + 1);
  times.resize(process->next(times));
  std::vector<double> gaps;
  for (std::size_t i = 1; i < times.size(); ++i) {
    gaps.push_back(to_ms(times[i] - times[i - 1]) * 1e-3);
  }
  return gaps;
}

// E[exp(-s A)], A = exp(m + sigma z) with mean 1 / rate: Simpson's rule over z in [-8, 8].
double lognormal_transform(double s, double rate_rps, double sigma) {
  constexpr int kIntervals = 512;
  constexpr double kEnd = 8;
  const double step = 2 * kEnd / kIntervals;
  const double m = -std::log(rate_rps) - sigma * sigma / 2;
  double sum = 0;
  double weights = 0;
  for (int i = 0; i <= kIntervals; ++i) {
    const double z = -kEnd + i * step;
    const double simpson = i == 0 || i == kIntervals ? 1 : (i % 2 == 1 ? 4 : 2);
    const double weight = simpson * std::exp(-z * z / 2);
    sum += weight * std::exp(-s * std::exp(m + sigma * z));
    weights += weight;
  }
  return sum / weights;
}

}  // namespace

ArrivalGaps::ArrivalGaps(const ArrivalSpec& spec, double rate_rps)
    : process_(spec.process), rate_rps_(rate_rps), shape_(spec.shape), sigma_(spec.sigma) {
  if (!has_formula(process_)) gaps_s_ = first_gaps(spec);
}

double ArrivalGaps::decay(double s) const {
  switch (process_) {
    case Process::kConstant:
      return s / rate_rps_;
    case Process::kPoisson:
    case Process::kClosedLoop:
    case Process::kStage:
      return std::log1p(s / rate_rps_);
    case Process::kGamma:
      return shape_ * std::log1p(s / (shape_ * rate_rps_));
    case Process::kLognormal:
      return -std::log(lognormal_transform(s, rate_rps_, sigma_));
    default:
      break;
  }
  if (gaps_s_.empty()) return s / rate_rps_;
  double sum = 0;
  for (const double gap : gaps_s_) sum += std::exp(-s * gap);
  return -std::log(sum / static_cast<double>(gaps_s_.size()));
}

double ArrivalGaps::capacity_for(double slack_s, double miss) const {
  const double s = std::log(1 / miss) / slack_s;
  return std::max(s / decay(s), rate_rps_);
}

// capacity_for grows as the miss fraction falls, so it is found by bisection of its logarithm.
double ArrivalGaps::miss_at(double capacity_rps, double slack_s) const {
  if (capacity_rps <= rate_rps_) return 1;
  double low = 1e-9;  // of -ln(miss)
  double high = 30;
  for (int i = 0; i < 50; ++i) {
    const double middle = (low + high) / 2;
    (capacity_for(slack_s, std::exp(-middle)) <= capacity_rps ? low : high) = middle;
  }
  return std::exp(-low);
}

}  // namespace tangram
