// Arrival processes against their theory, bit for bit against recorded first arrivals, and whatever
// the block size.
#include "workloads/arrivals.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sim/core/check.h"
#include "tests/workloads/measured.h"
#include "workloads/trace.h"

namespace tangram {
namespace {

using Process = ArrivalSpec::Process;
using namespace testing;
using ::testing::ElementsAre;

ArrivalSpec gamma_of(double rate_rps, double shape) {
  ArrivalSpec spec = spec_of(Process::kGamma, rate_rps);
  spec.shape = shape;
  return spec;
}

ArrivalSpec lognormal_of(double rate_rps, double sigma) {
  ArrivalSpec spec = spec_of(Process::kLognormal, rate_rps);
  spec.sigma = sigma;
  return spec;
}

constexpr std::size_t kMany = 1'000'000;

TEST(ConstantArrivals, ComeAtOddMultiplesOfHalfAGap) {
  // (i + 1/2) / 4 s.
  EXPECT_THAT(first(spec_of(Process::kConstant, 4), 4),
              ElementsAre(125'000'000, 375'000'000, 625'000'000, 875'000'000));
  // (i + 1/2) 1e9 / 3 ns = 166666666.67, 500000000, 833333333.33, rounded to nearest.
  EXPECT_THAT(first(spec_of(Process::kConstant, 3), 3),
              ElementsAre(166'666'667, 500'000'000, 833'333'333));
}

TEST(ConstantArrivals, DoNotDriftOverTenMillionArrivals) {
  // Arrival 10^7 - 1 of 3e5/s: (1e7 - 0.5) / 3e5 s = 33.333331666... s. A gap rounded to whole ns
  // (3333 for 3333.3) would end 3.3 ms early.
  const auto times = first(spec_of(Process::kConstant, 3e5), 10'000'000);
  EXPECT_EQ(times.back(), 33'333'331'667);
}

TEST(ConstantArrivals, OfTheHighestRateComeEveryNanosecond) {
  const auto times = first(spec_of(Process::kConstant, 1e9), 1000);
  for (std::size_t i = 1; i < times.size(); ++i) EXPECT_EQ(times[i] - times[i - 1], 1);
}

TEST(PoissonArrivals, HaveTheMeanAndVariationOfTheExponential) {
  // Gap: mean 1/lambda, CV 1; relative standard errors 1/sqrt(n) = 0.001 (mean), sqrt(2/n) (CV).
  const auto gaps = moments_of_gaps(first(spec_of(Process::kPoisson, 2000), kMany));
  EXPECT_NEAR(gaps.mean, 500'000, 4 * 500'000 * 0.001);
  EXPECT_NEAR(gaps.cv, 1, 4 * 0.00142);
}

TEST(PoissonArrivals, HaveTheQuantilesOfTheExponential) {
  // P(gap <= x) = 1 - exp(-lambda x).
  const auto times = first(spec_of(Process::kPoisson, 2000), kMany);
  for (const double x : {5e3, 1e5, 5e5, 2e6, 4e6}) {
    const double p = 1 - std::exp(-x / 5e5);
    EXPECT_NEAR(share_up_to(times, x), p, margin(p, kMany)) << x;
  }
}

TEST(PoissonArrivals, AreCountedWithDispersionOne) {
  // Counts of a Poisson process: variance = mean. Standard error sqrt(2 / windows), 50 000 windows.
  const auto times = first(spec_of(Process::kPoisson, 2000), kMany);
  EXPECT_NEAR(dispersion(times, 10'000'000), 1, 4 * std::sqrt(2.0 / 50'000));
}

TEST(PoissonArrivals, KeepTheirRateAtOneArrivalPerTenNanoseconds) {
  // n arrivals end at n/lambda = 1e8 ns, standard deviation sqrt(n)/lambda = 31 623 ns.
  constexpr std::size_t kCount = 10'000'000;
  const auto times = first(spec_of(Process::kPoisson, 1e8), kCount);
  EXPECT_NEAR(static_cast<double>(times.back()), 1e8, 3 * 31'623);
  // And at the sum of the very gaps that were drawn. Gaps rounded to the nearest ns would end 4e4
  // ns early (1/24 of (1 ns / 10 ns)^2), cut-off ones 5e6 ns.
  RandomStream stream = stream_of("m");
  double sum = 0;
  for (std::size_t i = 0; i < kCount; ++i) sum += 10 * stream.exponential();
  EXPECT_NEAR(static_cast<double>(times.back()), sum, 1);
}

TEST(PoissonArrivals, KeepTheirRateAtTheHighestRate) {
  // 1e7 arrivals at 1 per ns end at 1e7 ns, standard deviation 3162 ns; gaps rounded to the nearest
  // ns would have mean (1/2) / sinh(1/2) = 0.959 ns.
  const auto times = first(spec_of(Process::kPoisson, 1e9), 10'000'000);
  EXPECT_NEAR(static_cast<double>(times.back()), 1e7, 4 * 3162);
}

TEST(GammaArrivals, HaveTheMeanAndVariationOfTheirShape) {
  // Gap: mean 1/lambda, CV 1/sqrt(shape). Margins: four standard errors of the mean, CV / sqrt(n),
  // and 2 % on the CV (a gamma's excess kurtosis is 6 / shape).
  for (const double shape : {0.1, 0.5, 1.0, 4.0, 100.0}) {
    const double cv = 1 / std::sqrt(shape);
    const auto gaps = moments_of_gaps(first(gamma_of(2000, shape), kMany));
    EXPECT_NEAR(gaps.mean, 5e5, 4 * 5e5 * cv / 1000) << shape;
    EXPECT_NEAR(gaps.cv, cv, 0.02 * cv) << shape;
  }
}

TEST(GammaArrivals, HaveTheQuantilesOfTheErlangDistribution) {
  // Shape 2, scale s = 1/(2 lambda): P(gap <= x) = 1 - (1 + x/s) exp(-x/s).
  const auto times = first(gamma_of(2000, 2), kMany);
  for (const double units : {0.1, 0.5, 1.0, 2.0, 5.0}) {
    const double p = 1 - (1 + units) * std::exp(-units);
    EXPECT_NEAR(share_up_to(times, units * 2.5e5), p, margin(p, kMany)) << units;
  }
}

TEST(GammaArrivals, AreCountedWithTheDispersionOfTheirShape) {
  // A renewal process's counts in long windows: variance / mean -> CV^2 = 1 / shape (Cox 1962).
  // Windows of 200 mean gaps, 5000 of them: standard error sqrt(2 / 5000) = 2 %, and the limit is
  // approached within CV^2 / 200.
  for (const double shape : {0.25, 4.0}) {
    const auto times = first(gamma_of(2000, shape), kMany);
    EXPECT_NEAR(dispersion(times, 100'000'000), 1 / shape, 0.1 / shape) << shape;
  }
}

TEST(LognormalArrivals, KeepTheirMeanWhateverSigma) {
  // CV = sqrt(exp(sigma^2) - 1); standard error of the mean CV / sqrt(n).
  for (const double sigma : {0.1, 0.5, 1.0, 1.5}) {
    const double cv = std::sqrt(std::exp(sigma * sigma) - 1);
    const auto gaps = moments_of_gaps(first(lognormal_of(2000, sigma), kMany));
    EXPECT_NEAR(gaps.mean, 5e5, 4 * 5e5 * cv / 1000) << sigma;
    // The fourth moment grows like exp(8 sigma^2): the CV is only tested where it converges.
    if (sigma <= 0.5) {
      EXPECT_NEAR(gaps.cv, cv, 0.01 * cv) << sigma;
    }
  }
}

TEST(LognormalArrivals, HaveTheQuantilesOfTheNormalLogarithm) {
  // P(gap <= exp(mu + sigma z)) = Phi(z), mu = ln(1/lambda) - sigma^2 / 2.
  const double sigma = 2;
  const auto times = first(lognormal_of(20, sigma), kMany);
  const double mu = std::log(5e7) - sigma * sigma / 2;
  for (const double z : {-2.0, -1.0, 0.0, 1.0, 2.0, 3.0}) {
    const double p = std::erfc(-z / std::sqrt(2.0)) / 2;
    EXPECT_NEAR(share_up_to(times, std::exp(mu + sigma * z)), p, margin(p, kMany)) << z;
  }
}

// A ramp, a gamma and an mmpp segment, shorter and longer than their gaps, over and over.
ArrivalSpec segments() {
  ArrivalSpec ramp = spec_of(Process::kPoisson, 100);
  ramp.end_rps = 900;
  ramp.duration_s = 0.05;
  ArrivalSpec gamma = gamma_of(300, 4);
  gamma.duration_s = 0.002;
  ArrivalSpec mmpp = mmpp_of({{0, 0.01, {}}, {2000, 0.01, {}}});
  mmpp.duration_s = 0.1;
  ArrivalSpec spec;
  spec.process = Process::kPiecewise;
  spec.segments = {ramp, gamma, mmpp};
  spec.repeat = true;
  return spec;
}

class EveryProcess : public ::testing::TestWithParam<ArrivalSpec> {};

TEST_P(EveryProcess, GivesTheSameTimesInBlocksOfAnySize) {
  constexpr std::size_t kCount = 3000;
  const auto whole = take(*make_arrivals(GetParam(), stream_of("m")), kCount, kCount);
  ASSERT_EQ(whole.size(), kCount);
  for (const std::size_t block : {1U, 7U, 256U}) {
    EXPECT_EQ(take(*make_arrivals(GetParam(), stream_of("m")), kCount, block), whole) << block;
  }
}

TEST_P(EveryProcess, NeverGoesBackInTime) {
  const auto times = take(*make_arrivals(GetParam(), stream_of("m")), 100'000, 256);
  EXPECT_GE(times.front(), 0);
  EXPECT_TRUE(std::is_sorted(times.begin(), times.end()));
}

INSTANTIATE_TEST_SUITE_P(
    Workloads,
    EveryProcess,
    ::testing::Values(spec_of(Process::kConstant, 300),
                      spec_of(Process::kPoisson, 300),
                      spec_of(Process::kPoisson, 1e9),
                      gamma_of(300, 0.1),
                      gamma_of(300, 4),
                      lognormal_of(300, 2),
                      mmpp_of({{0, 0.1, {}}, {300, 0.1, {}}, {3e5, 0.001, {}}}),
                      segments()));

TEST(Arrivals, StayBitForBitWhatTheyWere) {
  // The first arrivals in ns of seed 7, stream "m", at 100 requests/s. A change here changes every
  // stored result.
  EXPECT_THAT(first(spec_of(Process::kPoisson, 100), 4),
              ElementsAre(1166533, 2554016, 14861727, 21078408));
  EXPECT_THAT(first(gamma_of(100, 0.5), 4), ElementsAre(1740297, 11607118, 15856813, 30608037));
  EXPECT_THAT(first(gamma_of(100, 4), 4), ElementsAre(8504261, 24369138, 27541018, 32762180));
  EXPECT_THAT(first(lognormal_of(100, 2), 4), ElementsAre(1019073, 2678713, 16245491, 16563690));
  EXPECT_THAT(first(mmpp_of({{100, 0.1, {}}, {1000, 0.01, {}}}), 4),
              ElementsAre(12307712, 45712818, 46616724, 46677744));
  EXPECT_THAT(first(segments(), 4), ElementsAre(12214733, 13572100, 13885287, 15900296));
}

TEST(Arrivals, OfOneWorkloadDoNotMoveWhenAnotherIsAdded) {
  const auto run = [](const std::vector<std::string>& names) {
    std::map<std::string, std::unique_ptr<ArrivalProcess>> processes;
    for (const auto& name : names) {
      const ArrivalSpec spec = name == "c" ? segments() : spec_of(Process::kPoisson, 100);
      processes[name] = make_arrivals(spec, stream_of(name));
    }
    std::map<std::string, std::vector<std::int64_t>> times;
    for (int round = 0; round < 100; ++round) {
      for (auto& [name, process] : processes) {
        for (const auto time : take(*process, 5, 5)) times[name].push_back(time);
      }
    }
    return times;
  };
  auto two = run({"a", "c"});
  auto three = run({"a", "b", "c"});
  EXPECT_EQ(two["a"], three["a"]);
  EXPECT_EQ(two["c"], three["c"]);
  EXPECT_NE(three["a"], three["b"]);
}

TEST(Arrivals, EndQuietlyWhenTimeRunsOut) {
  // A mean gap of 1e18 ns: a handful of arrivals before 2^62 ns, then none, however often asked.
  for (const Process process : {Process::kConstant, Process::kPoisson}) {
    const auto arrivals = make_arrivals(spec_of(process, 1e-9), stream_of("m"));
    const auto times = take(*arrivals, 1000, 256);
    EXPECT_LT(times.size(), 20U);
    EXPECT_TRUE(std::is_sorted(times.begin(), times.end()));
    EXPECT_EQ(take(*arrivals, 10, 10).size(), 0U);
  }
  EXPECT_EQ(first(spec_of(Process::kPoisson, 1e-300), 10).size(), 0U);
}

TEST(Arrivals, OfAClosedLoopAreRefused) {
  EXPECT_THROW(make_arrivals(spec_of(Process::kClosedLoop, 1), stream_of("m")), InternalError);
}

// Writes a trace for one test and removes it.
class TraceArrivals : public ::testing::Test {
 protected:
  ~TraceArrivals() override { std::filesystem::remove(path_); }
  ArrivalSpec trace(const std::string& text) {
    std::ofstream(path_) << text;
    ArrivalSpec spec;
    spec.process = Process::kTrace;
    spec.trace.path = path_;
    spec.trace.format = "timestamps";
    return spec;
  }
  const std::string path_ = ::testing::TempDir() + "tangram_" +
                            ::testing::UnitTest::GetInstance()->current_test_info()->name() +
                            ".csv";
};

TEST_F(TraceArrivals, AreTheRowsRelativeToTheFirst) {
  EXPECT_THAT(first(trace("100.5\n100.500000001\n102\n"), 10), ElementsAre(0, 1, 1'500'000'000));
}

TEST_F(TraceArrivals, SpeedUpDividesEveryTime) {
  ArrivalSpec spec = trace("0\n1\n3\n");
  spec.speed_up = 4;
  EXPECT_THAT(first(spec, 10), ElementsAre(0, 250'000'000, 750'000'000));
}

TEST_F(TraceArrivals, SliceTakesItsStartAndLeavesItsEnd) {
  ArrivalSpec spec = trace("0\n1\n2.5\n3\n4\n");
  spec.slice_start_s = 1;
  spec.slice_end_s = 4;
  EXPECT_THAT(first(spec, 10), ElementsAre(0, 1'500'000'000, 2'000'000'000));
  // 3 rows in 3 s.
  EXPECT_DOUBLE_EQ(mean_rate(spec).value(), 1);
}

TEST_F(TraceArrivals, RepeatWithThePeriodOfTheSlice) {
  ArrivalSpec spec = trace("0\n1\n3\n");
  spec.repeat = true;
  // Without an end the period is the last row plus a mean gap: 3 + 3/2 s.
  EXPECT_THAT(first(spec, 6), ElementsAre(0, 1'000'000'000, 3'000'000'000, 4'500'000'000,
                                          5'500'000'000, 7'500'000'000));
  spec.slice_end_s = 10;
  EXPECT_THAT(first(spec, 4), ElementsAre(0, 1'000'000'000, 3'000'000'000, 10'000'000'000));
}

TEST_F(TraceArrivals, RateOverTheSliceSetsTheSpeedUp) {
  // 3 rows in 6 s are 0.5/s; 2/s makes them four times as fast.
  ArrivalSpec spec = trace("0\n1\n2\n");
  spec.slice_end_s = 6;
  spec.rate_rps = 2;
  spec.repeat = true;
  EXPECT_THAT(first(spec, 4), ElementsAre(0, 250'000'000, 500'000'000, 1'500'000'000));
  EXPECT_EQ(mean_rate(spec), 2);
}

TEST_F(TraceArrivals, KeepTheAskedRateOverAMillionRepeatedRows) {
  ArrivalSpec spec = trace("0\n0.1\n0.7\n1.1\n1.3\n2.9\n3.1\n");
  spec.rate_rps = 12345.678;
  spec.repeat = true;
  const auto times = first(spec, 1'000'000);
  EXPECT_TRUE(std::is_sorted(times.begin(), times.end()));
  // Whole rounds of 7: the last full round ends at 7 rounds / rate, exactly but for the rounding.
  const std::size_t rounds = times.size() / 7;
  EXPECT_NEAR(static_cast<double>(times[rounds * 7]), static_cast<double>(rounds) * 7e9 / 12345.678,
              1);
}

TEST_F(TraceArrivals, NeverGoBackWhereARepeatedRoundBegins) {
  // A round of 1000.6 ns whose last row lies at its very end: 1001 + 1001 ns in the second round,
  // and the third begins at 2001.
  ArrivalSpec spec = trace("0\n0.999999999\n");
  spec.slice_end_s = 1;
  spec.rate_rps = 2 / 1000.6e-9;
  spec.repeat = true;
  const auto times = first(spec, 10'000);
  EXPECT_TRUE(std::is_sorted(times.begin(), times.end()));
}

TEST_F(TraceArrivals, OfABrokenFileThrowWithItsPlaces) {
  try {
    make_arrivals(trace("0\nx\n2\n1\n"), stream_of("m"));
    FAIL();
  } catch (const ConfigError& error) {
    ASSERT_EQ(error.faults().size(), 2U);
    EXPECT_EQ(error.faults()[0].where, path_ + ":2");
    EXPECT_EQ(error.faults()[1].where, path_ + ":4");
  }
}

TEST_F(TraceArrivals, ReplayTheAzureConversationTraceAtItsOwnRate) {
  const char* data = std::getenv("TANGRAM_REFERENCE_DATA");
  if (data == nullptr) GTEST_SKIP() << "TANGRAM_REFERENCE_DATA is not set";
  ArrivalSpec spec;
  spec.process = Process::kTrace;
  spec.trace.path = std::string(data) + "/azure-llm/AzureLLMInferenceTrace_conv.csv";
  spec.trace.format = "azure_llm";
  const auto times = first(spec, 100'000);
  ASSERT_EQ(times.size(), 19'366U);
  // The file's own first rows, 18:15:46.6805900, 50.9951690, 51.2224670, and its last,
  // 19:14:08.4025270.
  EXPECT_EQ(times[0], 0);
  EXPECT_EQ(times[1], 4'314'579'000);
  EXPECT_EQ(times[2], 4'541'877'000);
  EXPECT_EQ(times.back(), 3'501'721'937'000);
  // 19 365 gaps in 3501.721937 s.
  EXPECT_NEAR(mean_rate(spec).value(), 19'365 / 3501.721937, 1e-12);

  spec.rate_rps = 100;
  const auto quick = first(spec, 100'000);
  EXPECT_NEAR(static_cast<double>(quick.back()), 19'365 / 100.0 * 1e9, 1);
}

}  // namespace
}  // namespace tangram
