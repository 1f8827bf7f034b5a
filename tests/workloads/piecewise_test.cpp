// Segments: where one ends and the next begins, exactly where it can be exact.
#include <cmath>
#include <filesystem>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/workloads/measured.h"

namespace tangram {
namespace {

using namespace testing;
using Process = ArrivalSpec::Process;
using ::testing::Each;
using ::testing::ElementsAre;

ArrivalSpec segment(Process process, double duration_s, double rate_rps) {
  ArrivalSpec spec = spec_of(process, rate_rps);
  spec.duration_s = duration_s;
  return spec;
}

ArrivalSpec piecewise(std::vector<ArrivalSpec> segments, bool repeat = false) {
  ArrivalSpec spec;
  spec.process = Process::kPiecewise;
  spec.segments = std::move(segments);
  spec.repeat = repeat;
  return spec;
}

// Times in ms, to read them.
std::vector<double> first_ms(const ArrivalSpec& spec, std::size_t count) {
  std::vector<double> out;
  for (const auto time : first(spec, count)) out.push_back(static_cast<double>(time) / 1e6);
  return out;
}

// The counts in windows from 0 on.
std::vector<double> window_counts(const std::vector<std::int64_t>& times, std::int64_t window) {
  std::vector<double> out(static_cast<std::size_t>(times.back() / window), 0);
  for (const auto time : times) {
    const auto i = static_cast<std::size_t>(time / window);
    if (i < out.size()) ++out[i];
  }
  return out;
}

TEST(PiecewiseArrivals, CarryTheRestOfAGapInUnitsOfTheMeanGap) {
  // 10/s: 50, 150, ..., 950 ms; half a gap is left at 1000 ms. At 100/s half a gap is 5 ms: 1005,
  // 1015, ..., 1095 ms, and half a gap is left again.
  const auto times =
      first_ms(piecewise({segment(Process::kConstant, 1, 10), segment(Process::kConstant, 0.1, 100),
                          segment(Process::kConstant, 1, 10)}),
               100);
  ASSERT_EQ(times.size(), 30U);
  EXPECT_EQ(times[9], 950);
  EXPECT_EQ(times[10], 1005);
  EXPECT_EQ(times[19], 1095);
  EXPECT_EQ(times[20], 1150);
}

TEST(PiecewiseArrivals, CarryAGapOverSegmentsThatItOutlasts) {
  // 2/s: 250 ms is the only arrival in 0.5 s; three segments of 0.1 s at 2/s: the gap of 500 ms
  // goes on until 750 ms, in the third.
  EXPECT_THAT(
      first_ms(
          piecewise({segment(Process::kConstant, 0.5, 2), segment(Process::kConstant, 0.1, 2),
                     segment(Process::kConstant, 0.1, 2), segment(Process::kConstant, 0.1, 2)}),
          10),
      ElementsAre(250, 750));
}

TEST(PiecewiseArrivals, EndAfterTheLastSegmentUnlessTheyRepeat) {
  EXPECT_THAT(first_ms(piecewise({segment(Process::kConstant, 0.2, 10)}), 10),
              ElementsAre(50, 150));
  EXPECT_THAT(first_ms(piecewise({segment(Process::kConstant, 0.2, 10)}, true), 5),
              ElementsAre(50, 150, 250, 350, 450));
}

TEST(PiecewiseArrivals, OfConstantRampsComeAtTheHalvesOfTheRatesIntegral) {
  // From 0.2/s to 4/s in 10 s: Lambda(t) = 0.2 t + 0.19 t^2, 21 arrivals at
  // Lambda(t) = i + 1/2: t = (-0.2 + sqrt(0.04 + 0.76 (i + 1/2))) / 0.38.
  ArrivalSpec ramp = segment(Process::kConstant, 10, 0.2);
  ramp.end_rps = 4;
  const auto times = first_ms(piecewise({ramp}), 100);
  ASSERT_EQ(times.size(), 21U);
  for (std::size_t i = 0; i < times.size(); ++i) {
    const double t = (-0.2 + std::sqrt(0.04 + 0.76 * (static_cast<double>(i) + 0.5))) / 0.38;
    EXPECT_NEAR(times[i], t * 1e3, 1e-4) << i;
  }
  // 21 arrivals in 10 s.
  EXPECT_DOUBLE_EQ(mean_rate(piecewise({ramp})).value(), 2.1);
}

TEST(PiecewiseArrivals, OfPoissonSegmentsArePoissonAtEachRate) {
  // 1 s at 100/s and 1 s at 900/s, in turn. In each: mean rate t, variance = mean; standard errors
  // sqrt(mean / n) and sqrt(2 / n) of 4000 rounds.
  const auto times = first(
      piecewise({segment(Process::kPoisson, 1, 100), segment(Process::kPoisson, 1, 900)}, true),
      4'000'000);
  const auto in_seconds = window_counts(times, 1'000'000'000);
  for (const std::size_t phase : {0U, 1U}) {
    double sum = 0, squares = 0, n = 0;
    for (std::size_t i = phase; i < in_seconds.size(); i += 2) {
      sum += in_seconds[i];
      squares += in_seconds[i] * in_seconds[i];
      n += 1;
    }
    const double rate = phase == 0 ? 100 : 900;
    EXPECT_NEAR(sum / n, rate, 4 * std::sqrt(rate / n));
    EXPECT_NEAR((squares / n - sum / n * sum / n) / rate, 1, 4 * std::sqrt(2 / n));
  }
}

TEST(PiecewiseArrivals, OfPoissonSegmentsHaveExponentialGapsAcrossTheBorders) {
  // Segments of one rate are the process without borders, here a border every 1.4 gaps.
  const auto times = first(
      piecewise({segment(Process::kPoisson, 0.0004, 2000), segment(Process::kPoisson, 0.001, 2000)},
                true),
      500'000);
  const auto gaps = moments_of_gaps(times);
  EXPECT_NEAR(gaps.mean, 5e5, 4 * 5e5 / std::sqrt(5e5));
  EXPECT_NEAR(gaps.cv, 1, 4 * std::sqrt(2 / 5e5));
  for (const double x : {5e3, 1e5, 5e5, 2e6, 4e6}) {
    const double p = 1 - std::exp(-x / 5e5);
    EXPECT_NEAR(share_up_to(times, x), p, margin(p, times.size())) << x;
  }
}

TEST(PiecewiseArrivals, OfGammaSegmentsKeepTheirGapsAcrossTheBorders) {
  // The same with gaps of CV 1/2, a border every 1.4 gaps; a fresh gap at each border would change
  // both the rate and the CV.
  ArrivalSpec gamma = segment(Process::kGamma, 0.0007, 2000);
  gamma.shape = 4;
  const auto gaps = moments_of_gaps(first(piecewise({gamma}, true), 500'000));
  EXPECT_NEAR(gaps.mean, 5e5, 4 * 5e5 * 0.5 / std::sqrt(5e5));
  EXPECT_NEAR(gaps.cv, 0.5, 0.01 * 0.5);
}

TEST(PiecewiseArrivals, OfAPoissonRampHaveItsRateEverywhere) {
  // 100/s to 500/s in 10 s: tenth k expects 120 + 40 k arrivals; 400 rounds.
  ArrivalSpec ramp = segment(Process::kPoisson, 10, 100);
  ramp.end_rps = 500;
  const auto in_seconds = window_counts(first(piecewise({ramp}, true), 1'200'000), 1'000'000'000);
  for (std::size_t tenth = 0; tenth < 10; ++tenth) {
    double sum = 0, n = 0;
    for (std::size_t i = tenth; i < in_seconds.size(); i += 10) {
      sum += in_seconds[i];
      n += 1;
    }
    const double mean = 120 + 40 * static_cast<double>(tenth);
    EXPECT_NEAR(sum / n, mean, 4 * std::sqrt(mean / n)) << tenth;
  }
}

TEST(PiecewiseArrivals, MixProcessesAndKeepEachOnesRate) {
  // 50/s lognormal, then an on-off process of 0.5 * 400/s, 2 s each.
  ArrivalSpec lognormal = segment(Process::kLognormal, 2, 50);
  ArrivalSpec mmpp;
  mmpp.process = Process::kMmpp;
  mmpp.duration_s = 2;
  mmpp.states = {{0, 0.05, {}}, {400, 0.05, {}}};
  const ArrivalSpec spec = piecewise({lognormal, mmpp}, true);
  EXPECT_DOUBLE_EQ(mean_rate(spec).value(), 125);
  const auto times = first(spec, 1'000'000);
  const auto windows = window_counts(times, 2'000'000'000);
  double sums[2] = {0, 0};
  for (std::size_t i = 0; i < windows.size() / 2 * 2; ++i) sums[i % 2] += windows[i];
  const auto rounds = static_cast<double>(windows.size() / 2);
  // Counts in 2 s: lognormal about 100 with IDC e - 1, on-off 400 with IDC 1 + 2 * 10 = 21 or less
  // (A of the closed form: 2 s1 s2 l^2 / (s^2 l s1) = 10).
  EXPECT_NEAR(sums[0] / rounds, 100, 4 * std::sqrt(100 * 1.72 / rounds) + 1);
  EXPECT_NEAR(sums[1] / rounds, 400, 4 * std::sqrt(400 * 11 / rounds));
}

TEST(PiecewiseArrivals, StartATraceAnewInEachRound) {
  const std::string path = ::testing::TempDir() + "tangram_piecewise_trace.csv";
  std::ofstream(path) << "0\n0.2\n0.9\n5\n";
  ArrivalSpec trace;
  trace.process = Process::kTrace;
  trace.duration_s = 1;
  trace.trace = {path, "timestamps", ""};
  // The row at 5 s lies beyond the segment; after a trace a process begins with a gap of its own.
  const ArrivalSpec spec = piecewise({trace, segment(Process::kConstant, 0.5, 2)}, true);
  EXPECT_THAT(first_ms(spec, 8), ElementsAre(0, 200, 900, 1250, 1500, 1700, 2400, 2750));
  // 3 + 1 arrivals in 1.5 s.
  EXPECT_DOUBLE_EQ(mean_rate(spec).value(), 4 / 1.5);
  // Twice as fast, the row at 5 s comes at 2.5 s and the others repeat after 10/3 s: all of 10 s.
  trace.speed_up = 2;
  trace.duration_s = 10;
  trace.repeat = true;
  // Length (5 + 5/3) / 2 = 10/3 s: three whole rounds.
  EXPECT_DOUBLE_EQ(mean_rate(piecewise({trace})).value(), 12 / 10.0);
  std::filesystem::remove(path);
}

TEST(PiecewiseArrivals, EndQuietlyWhenTimeRunsOut) {
  const auto arrivals =
      make_arrivals(piecewise({segment(Process::kConstant, 1e9, 1e-9)}, true), stream_of("m"));
  // At 0.5, 1.5, ..., 4.5 times 1e18 ns; 2^62 ns are 4.61e18.
  EXPECT_EQ(take(*arrivals, 1000, 256).size(), 5U);
  EXPECT_EQ(take(*arrivals, 10, 10).size(), 0U);
}

}  // namespace
}  // namespace tangram
