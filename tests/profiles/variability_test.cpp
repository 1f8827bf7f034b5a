// Latency scatter against theory: the mean is kept, the spread is what was asked for.
#include "profiles/variability.h"

#include <algorithm>
#include <cmath>

#include <gtest/gtest.h>

namespace tangram {
namespace {

using Kind = Variability::Kind;

struct Moments {
  double mean, cv, skew;
};

// Of n draws around a mean of 10 ms, in units of that mean.
Moments moments_of(const LatencySampler& sampler, int n) {
  RandomStream stream(StreamKey(1).with("latency"));
  double s1 = 0, s2 = 0, s3 = 0;
  for (int i = 0; i < n; ++i) {
    const double x = to_ms(sampler.sample(from_ms(10), stream)) / 10;
    s1 += x;
    s2 += x * x;
    s3 += x * x * x;
  }
  const double mean = s1 / n;
  const double variance = s2 / n - mean * mean;
  const double third = s3 / n - 3 * mean * s2 / n + 2 * mean * mean * mean;
  return {mean, std::sqrt(variance) / mean, third / std::pow(variance, 1.5)};
}

constexpr int kDraws = 400'000;
// Four standard errors of the mean of kDraws with the coefficient of variation cv.
double mean_bound(double cv) {
  return 4 * cv / std::sqrt(kDraws);
}

TEST(LatencyScatter, NoneIsAlwaysTheMean) {
  RandomStream stream(StreamKey(1));
  const LatencySampler sampler;
  EXPECT_TRUE(sampler.constant());
  EXPECT_EQ(sampler.sample(Duration(12345), stream), Duration(12345));
}

TEST(LatencyScatter, ExponentialHasCvOneAndSkewTwo) {
  const Moments m = moments_of(LatencySampler({Kind::kExponential, 0}), kDraws);
  EXPECT_NEAR(m.mean, 1, mean_bound(1));
  EXPECT_NEAR(m.cv, 1, 0.01);
  EXPECT_NEAR(m.skew, 2, 0.1);
}

TEST(LatencyScatter, LognormalKeepsTheMeanAndHasTheCv) {
  // sigma^2 = ln(1 + cv^2), mu = -sigma^2 / 2; the skew is (cv^2 + 3) cv = 1.625 for cv = 0.5.
  const Moments m = moments_of(LatencySampler({Kind::kLognormal, 0.5}), kDraws);
  EXPECT_NEAR(m.mean, 1, mean_bound(0.5));
  EXPECT_NEAR(m.cv, 0.5, 0.005);
  EXPECT_NEAR(m.skew, 1.625, 0.1);
}

TEST(LatencyScatter, GammaKeepsTheMeanAndHasTheCv) {
  // Shape 1 / cv^2 = 4; the skew is 2 / sqrt(shape) = 2 cv = 1 for cv = 0.5.
  const Moments m = moments_of(LatencySampler({Kind::kGamma, 0.5}), kDraws);
  EXPECT_NEAR(m.mean, 1, mean_bound(0.5));
  EXPECT_NEAR(m.cv, 0.5, 0.005);
  EXPECT_NEAR(m.skew, 1, 0.05);
}

TEST(LatencyScatter, GammaOfACvAboveOneKeepsTheMean) {
  const Moments m = moments_of(LatencySampler({Kind::kGamma, 2}), kDraws);
  EXPECT_NEAR(m.mean, 1, mean_bound(2));
  EXPECT_NEAR(m.cv, 2, 0.05);
}

TEST(LatencyScatter, EmpiricalIsThePiecewiseLinearQuantileFunctionWithMeanOne) {
  // Samples 1, 2, 6: the quantile function runs 1 -> 2 -> 6, mean (1.5 + 4) / 2 = 2.75; half of the
  // draws are below 2 / 2.75 = 0.727, none below 1 / 2.75 or above 6 / 2.75. E[x^2] in units of the
  // samples is (7/3 + 52/3) / 2 = 59/6, so cv = sqrt(59/6 - 2.75^2) / 2.75 = 0.5481.
  const LatencySampler sampler({Kind::kEmpirical, 0}, {1, 2, 6});
  const Moments m = moments_of(sampler, kDraws);
  EXPECT_NEAR(m.mean, 1, mean_bound(0.55));
  EXPECT_NEAR(m.cv, 0.5481, 0.005);
  RandomStream stream(StreamKey(2));
  int below_median = 0;
  double least = 1e9, most = 0;
  for (int i = 0; i < kDraws; ++i) {
    const double x = to_ms(sampler.sample(from_ms(10), stream)) / 10;
    below_median += x < 2 / 2.75 ? 1 : 0;
    least = std::min(least, x);
    most = std::max(most, x);
  }
  EXPECT_NEAR(below_median / double{kDraws}, 0.5, 4 * 0.5 / std::sqrt(kDraws));
  EXPECT_GE(least, 1 / 2.75 - 1e-6);
  EXPECT_LE(most, 6 / 2.75 + 1e-6);
}

TEST(LatencyScatter, EmpiricalWithoutTwoSamplesDoesNotScatter) {
  EXPECT_TRUE(LatencySampler({Kind::kEmpirical, 0}).constant());
  EXPECT_TRUE(LatencySampler({Kind::kEmpirical, 0}, {3}).constant());
}

TEST(LatencyScatter, APositiveMeanNeverBecomesZero) {
  RandomStream stream(StreamKey(3));
  const LatencySampler sampler({Kind::kExponential, 0});
  for (int i = 0; i < 1000; ++i) EXPECT_GE(sampler.sample(Duration(1), stream), Duration(1));
  EXPECT_EQ(sampler.sample(Duration(0), stream), Duration(0));
}

TEST(LatencyScatter, TheSameStreamGivesTheSameDraws) {
  const LatencySampler sampler({Kind::kLognormal, 0.2});
  RandomStream a(StreamKey(5).with("x")), b(StreamKey(5).with("x"));
  for (int i = 0; i < 100; ++i) {
    EXPECT_EQ(sampler.sample(from_ms(1), a), sampler.sample(from_ms(1), b));
  }
}

}  // namespace
}  // namespace tangram
