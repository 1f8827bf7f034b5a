// Capacity for random arrivals: closed forms against each other and against an exact queue.
#include "policies/planners/effective_bandwidth.h"

#include <cmath>
#include <fstream>

#include <gtest/gtest.h>

#include "sim/core/random.h"
#include "workloads/arrivals.h"

namespace tangram {
namespace {

using Process = ArrivalSpec::Process;

ArrivalSpec spec_of(Process process, double rate_rps) {
  ArrivalSpec spec;
  spec.process = process;
  spec.rate_rps = rate_rps;
  return spec;
}

TEST(EffectiveBandwidth, ConstantArrivalsNeedTheirRate) {
  const ArrivalGaps gaps(spec_of(Process::kConstant, 200), 200);
  EXPECT_NEAR(gaps.capacity_for(0.1, 0.01), 200, 1e-9);
}

TEST(EffectiveBandwidth, PoissonArrivalsNeedSOverLogOf1PlusSOverTheRate) {
  // s = ln(100) / 0.05 s = 92.10; 92.10 / ln(1 + 92.10 / 200) = 243.1.
  const ArrivalGaps gaps(spec_of(Process::kPoisson, 200), 200);
  const double s = std::log(100.0) / 0.05;
  EXPECT_NEAR(gaps.capacity_for(0.05, 0.01), s / std::log(1 + s / 200), 1e-9);
  EXPECT_NEAR(gaps.capacity_for(0.05, 0.01), 243.1, 0.1);
}

TEST(EffectiveBandwidth, GammaOfShapeOneIsPoissonAndOfLargeShapeConstant) {
  ArrivalSpec spec = spec_of(Process::kGamma, 100);
  const double poisson = ArrivalGaps(spec_of(Process::kPoisson, 100), 100).capacity_for(0.1, 0.001);
  EXPECT_NEAR(ArrivalGaps(spec, 100).capacity_for(0.1, 0.001), poisson, 1e-9);
  spec.shape = 1e6;
  EXPECT_NEAR(ArrivalGaps(spec, 100).capacity_for(0.1, 0.001), 100, 0.01);
}

TEST(EffectiveBandwidth, LognormalQuadratureAgreesWithTheMeanOverSamples) {
  ArrivalSpec spec = spec_of(Process::kLognormal, 100);
  spec.sigma = 1.5;
  const auto process = make_arrivals(spec, RandomStream(StreamKey(3)));
  std::vector<TimePoint> times(1'000'001);
  ASSERT_EQ(process->next(times), times.size());
  const double s = 30;
  double sum = 0;
  for (std::size_t i = 1; i < times.size(); ++i) {
    sum += std::exp(-s * to_ms(times[i] - times[i - 1]) * 1e-3);
  }
  // The standard deviation of exp(-s A) is below 0.25: 4 sigma of the mean are 0.001.
  EXPECT_NEAR(std::exp(-ArrivalGaps(spec, 100).decay(s)), sum / 1e6, 0.001);
}

TEST(EffectiveBandwidth, MissAtInvertsCapacityFor) {
  ArrivalSpec spec = spec_of(Process::kLognormal, 150);
  spec.sigma = 1.2;
  const ArrivalGaps gaps(spec, 150);
  for (const double miss : {0.1, 0.01, 0.001}) {
    EXPECT_NEAR(std::log(gaps.miss_at(gaps.capacity_for(0.08, miss), 0.08)), std::log(miss), 1e-6);
  }
  EXPECT_EQ(gaps.miss_at(150, 0.08), 1);
}

// M/D/1, P(work > x) = e^(-theta x) asymptotically, theta the root of lambda (e^(theta d) - 1) =
// theta, d the service time; the formula's s for which d(s) mu = s has the same exponent.
TEST(EffectiveBandwidth, HasTheDecayRateOfTheExactQueue) {
  const double lambda = 80;
  const double mu = 100;
  const ArrivalGaps gaps(spec_of(Process::kPoisson, lambda), lambda);
  double low = 1e-6;
  double high = 1000;
  for (int i = 0; i < 200; ++i) {
    const double theta = (low + high) / 2;
    (lambda * (std::exp(theta / mu) - 1) < theta ? low : high) = theta;
  }
  // In items: theta / mu per item of work. The formula: miss = exp(-s S), s / mu = ln(1 + s /
  // lambda).
  const double slack_s = 0.1;
  const double exponent = -std::log(gaps.miss_at(mu, slack_s)) / slack_s;
  EXPECT_NEAR(std::log(1 + exponent / lambda), exponent / mu, 1e-6);
  // e^(theta/mu) - 1 = theta / lambda is the same equation.
  EXPECT_NEAR(exponent, low, 1e-3 * low);
}

}  // namespace
}  // namespace tangram
