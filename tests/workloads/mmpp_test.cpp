// Markov-modulated Poisson arrivals against their theory.
#include "workloads/mmpp.h"

#include <cmath>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/workloads/measured.h"

namespace tangram {
namespace {

using namespace testing;

TEST(MmppTimeShares, OfTwoStatesAreTheirDwellTimes) {
  // p_i = dwell_i / (dwell_0 + dwell_1).
  const auto shares = mmpp_time_shares({{1, 3, {}}, {1, 1, {}}});
  EXPECT_DOUBLE_EQ(shares[0], 0.75);
  EXPECT_DOUBLE_EQ(shares[1], 0.25);
}

TEST(MmppTimeShares, WeighTheVisitsByTheirLength) {
  // Visits in the order 0 -> 1 -> 2 -> 0 are equally frequent: p_i = dwell_i / 10.
  const auto cycle = mmpp_time_shares({{1, 1, {0, 1, 0}}, {1, 2, {0, 0, 1}}, {1, 7, {1, 0, 0}}});
  EXPECT_NEAR(cycle[0], 0.1, 1e-15);
  EXPECT_NEAR(cycle[1], 0.2, 1e-15);
  EXPECT_NEAR(cycle[2], 0.7, 1e-15);
  // State 0 in the middle: every second visit is its own; 1 follows it in a quarter of the cases.
  // Visits 0, 1, 2 as 1/2, 1/8, 3/8; times 4, 8, 2: 2, 1, 3/4 of 15/4.
  const auto star =
      mmpp_time_shares({{1, 4, {0, 0.25, 0.75}}, {1, 8, {1, 0, 0}}, {1, 2, {1, 0, 0}}});
  EXPECT_NEAR(star[0], 8.0 / 15, 1e-15);
  EXPECT_NEAR(star[1], 4.0 / 15, 1e-15);
  EXPECT_NEAR(star[2], 3.0 / 15, 1e-15);
}

TEST(MmppIsConnected, NeedsAWayThereAndBack) {
  EXPECT_TRUE(mmpp_is_connected({{1, 1, {}}, {1, 1, {}}, {1, 1, {}}}));
  // 2 is never entered; from 2 there is no way out.
  EXPECT_FALSE(mmpp_is_connected({{1, 1, {0, 1, 0}}, {1, 1, {1, 0, 0}}, {1, 1, {1, 0, 0}}}));
  EXPECT_FALSE(mmpp_is_connected(
      {{1, 1, {0, 1, 0, 0}}, {1, 1, {1, 0, 0, 0}}, {1, 1, {0, 0, 0, 1}}, {1, 1, {0, 0, 1, 0}}}));
}

// States 100/s for 0.9 s and 1000/s for 0.1 s on average.
const std::vector<MmppState> kBursty{{100, 0.9, {}}, {1000, 0.1, {}}};

TEST(MmppArrivals, HaveTheMeanRateOfTheirStates) {
  // 0.9 * 100 + 0.1 * 1000 = 190/s. Var N(t) / t -> rate * IDC(inf); the IDC of the test below is
  // 77.7, so n = 4e6 arrivals are known to sqrt(77.7 / n) = 0.44 % of their rate.
  const ArrivalSpec spec = mmpp_of(kBursty);
  EXPECT_DOUBLE_EQ(mean_rate(spec).value(), 190);
  const auto times = first(spec, 4'000'000);
  EXPECT_NEAR(4e6 / (static_cast<double>(times.back()) / 1e9), 190, 4 * 0.0044 * 190);
}

TEST(MmppArrivals, HaveTheCoefficientOfVariationOfTheirGaps) {
  // The gap after an arrival is a phase-type variable with D0 = [-(l1+s1), s1; s2, -(l2+s2)]
  // started in p_i l_i / rate. E[X^k] = k! a (-D0)^-k 1. Here l = (100, 1000), s = (1/0.9, 10).
  const double l1 = 100, l2 = 1000, s1 = 1 / 0.9, s2 = 10;
  const double a1 = 0.9 * l1 / 190, a2 = 0.1 * l2 / 190;
  const double det = (l1 + s1) * (l2 + s2) - s1 * s2;
  // m = (-D0)^-1 1, q = (-D0)^-1 m.
  const double m1 = (l2 + s2 + s1) / det, m2 = (s2 + l1 + s1) / det;
  const double q1 = ((l2 + s2) * m1 + s1 * m2) / det, q2 = (s2 * m1 + (l1 + s1) * m2) / det;
  const double mean = a1 * m1 + a2 * m2;
  const double cv = std::sqrt(2 * (a1 * q1 + a2 * q2) - mean * mean) / mean;
  EXPECT_NEAR(mean, 1 / 190.0, 1e-15);
  const auto gaps = moments_of_gaps(first(mmpp_of(kBursty), 4'000'000));
  EXPECT_NEAR(gaps.mean, 1e9 / 190, 4 * 0.0044 * 1e9 / 190);
  EXPECT_NEAR(gaps.cv, cv, 0.02 * cv);
}

TEST(MmppArrivals, AreCountedWithTheDispersionOfTheClosedForm) {
  // Two states: IDC(t) = 1 + A (1 - (1 - exp(-s t)) / (s t)), s = s1 + s2,
  // A = 2 s1 s2 (l1 - l2)^2 / (s^2 (l1 s2 + l2 s1))     (Heffes and Lucantoni 1986).
  // s1 = 10/9, s2 = 10: A = 2 * (100/9) * 810000 / ((100/9)^2 * (1000 + 1000 * 10/9)) = 69.06...
  const double s1 = 1 / 0.9, s2 = 10, s = s1 + s2;
  const double a = 2 * s1 * s2 * 900 * 900 / (s * s * (100 * s2 + 1000 * s1));
  const auto times = first(mmpp_of(kBursty), 4'000'000);
  for (const double window_s : {0.01, 0.1, 1.0, 10.0}) {
    const double idc = 1 + a * (1 - (1 - std::exp(-s * window_s)) / (s * window_s));
    const double windows = 4e6 / 190 / window_s;
    // A variance of n nearly independent counts is known to about sqrt(2 / n) of itself; twice that
    // for the skewed counts of bursts, but at least 2 %.
    const double margin = std::max(0.02, 8 * std::sqrt(2 / windows)) * idc;
    EXPECT_NEAR(dispersion(times, static_cast<std::int64_t>(window_s * 1e9)), idc, margin)
        << window_s;
  }
}

TEST(MmppArrivals, WithEqualRatesAreAPoissonProcess) {
  const auto times = first(mmpp_of({{2000, 0.01, {}}, {2000, 0.003, {}}}), 1'000'000);
  const auto gaps = moments_of_gaps(times);
  EXPECT_NEAR(gaps.mean, 5e5, 4 * 5e5 * 0.001);
  EXPECT_NEAR(gaps.cv, 1, 4 * 0.00142);
  EXPECT_NEAR(dispersion(times, 10'000'000), 1, 4 * std::sqrt(2.0 / 50'000));
}

TEST(MmppArrivals, OfASilentStateComeInBurstsOnly) {
  // On and off: the gap's CV^2 is 1 + 2 l s_on / (s_on + s_off)^2 (an interrupted Poisson process
  // is a renewal process with hyperexponential gaps; Kuczura 1973), here 1 + 2 * 1000 * 10 / 11^2.
  const auto gaps = moments_of_gaps(first(mmpp_of({{0, 1, {}}, {1000, 0.1, {}}}), 2'000'000));
  const double cv = std::sqrt(1 + 2 * 1000 * 10 / 121.0);
  EXPECT_NEAR(gaps.cv, cv, 0.02 * cv);
}

TEST(MmppArrivals, BeginInEachStateByItsShareOfTime) {
  // The first window of 1 ms over many seeds: mean count 0.19, as in any other.
  std::size_t early = 0;
  constexpr std::size_t kSeeds = 20'000;
  for (std::size_t seed = 0; seed < kSeeds; ++seed) {
    const auto arrivals = make_arrivals(mmpp_of(kBursty), stream_of("m", seed));
    for (const auto time : take(*arrivals, 20, 20)) early += time < 1'000'000 ? 1 : 0;
  }
  // Variance of the count: 0.19 + 0.19 * A * 1e-3 * s / 2 ~ 0.26; standard error of the mean
  // 0.0036.
  EXPECT_NEAR(static_cast<double>(early) / kSeeds, 0.19, 4 * 0.0036);
}

}  // namespace
}  // namespace tangram
