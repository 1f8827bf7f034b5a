// Statistics of recordings, exactly by hand.
#include "workloads/statistics.h"

#include <cmath>
#include <cstdlib>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/workloads/measured.h"
#include "workloads/rate_plot.h"

namespace tangram {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using Counts = std::vector<std::uint64_t>;

TEST(IndexOfDispersion, IsTheVarianceOverTheMean) {
  // Mean 3, variance (4 + 1 + 1 + 4) / 4 = 2.5.
  EXPECT_DOUBLE_EQ(index_of_dispersion(Counts{1, 2, 4, 5}), 2.5 / 3);
  EXPECT_EQ(index_of_dispersion(Counts{7, 7, 7}), 0);
}

TEST(PeakToMean, IsTheLargestOverTheMean) {
  EXPECT_DOUBLE_EQ(peak_to_mean(Counts{0, 2, 4, 0}), 4 / 1.5);
}

TEST(Autocorrelation, ComparesTheCountsWithThemselvesLater) {
  // Deviations -1, 1, -1, 1: at lag 1 -3/4, at lag 2 +2/4.
  const Counts counts{1, 3, 1, 3};
  EXPECT_DOUBLE_EQ(autocorrelation(counts, 0).value(), 1);
  EXPECT_DOUBLE_EQ(autocorrelation(counts, 1).value(), -0.75);
  EXPECT_DOUBLE_EQ(autocorrelation(counts, 2).value(), 0.5);
  EXPECT_EQ(autocorrelation(counts, 4), std::nullopt);
  EXPECT_EQ(autocorrelation(Counts{2, 2, 2}, 1), std::nullopt);
}

TEST(VariationOfGaps, IsTheDeviationOverTheMean) {
  using std::chrono_literals::operator""s;
  // Gaps 1, 3: mean 2, deviation 1.
  EXPECT_DOUBLE_EQ(variation_of_gaps(std::vector<Duration>{0s, 1s, 4s}).value(), 0.5);
  EXPECT_EQ(variation_of_gaps(std::vector<Duration>{0s}), std::nullopt);
  EXPECT_EQ(variation_of_gaps(std::vector<Duration>{0s, 0s}), std::nullopt);
}

TEST(DescribeTrace, CountsWholeWindowsOnly) {
  // One arrival a second from 0 to 24 s and another at 10.5 s: length 24 + 24/25 s.
  Recording recording;
  for (int i = 0; i < 25; ++i) {
    recording.times.push_back(std::chrono::seconds(i));
    if (i == 10) recording.times.push_back(std::chrono::milliseconds(10'500));
  }
  const TraceStatistics found = describe_trace(recording);
  EXPECT_EQ(found.count, 26U);
  EXPECT_DOUBLE_EQ(found.length_s.value(), 24.96);
  EXPECT_DOUBLE_EQ(found.rate_rps.value(), 26 / 24.96);
  EXPECT_THAT(found.per_hour, ElementsAre(26));
  // 24 windows of 1 s: 23 ones, a two; 2 of 10 s: 10 and 11; fewer than two of 60 s.
  ASSERT_EQ(found.windows.size(), 2U);
  EXPECT_EQ(found.windows[0].windows, 24U);
  EXPECT_DOUBLE_EQ(found.windows[0].peak_to_mean, 2 * 24 / 25.0);
  // Variance (23 * (1/24)^2 + (23/24)^2) / 24 = 23 / 576; over 25/24.
  EXPECT_DOUBLE_EQ(found.windows[0].dispersion, 23.0 / 576 / (25.0 / 24));
  EXPECT_DOUBLE_EQ(found.windows[1].window_s, 10);
  EXPECT_DOUBLE_EQ(found.windows[1].dispersion, 0.25 / 10.5);
}

TEST(DescribeTrace, TakesMinutesOfCountsAsItsWindows) {
  Recording recording;
  recording.per_minute.assign(90, 6);
  recording.per_minute[70] = 66;
  const TraceStatistics found = describe_trace(recording);
  EXPECT_EQ(found.count, 600U);
  EXPECT_EQ(found.gap_cv, std::nullopt);
  EXPECT_DOUBLE_EQ(found.rate_rps.value(), 600 / 5400.0);
  EXPECT_THAT(found.per_hour, ElementsAre(360, 240));
  ASSERT_EQ(found.windows.size(), 2U);
  EXPECT_EQ(found.windows[0].window_s, 60);
  EXPECT_DOUBLE_EQ(found.windows[0].peak_to_mean, 66 / (600 / 90.0));
  EXPECT_EQ(found.windows[1].windows, 9U);
  EXPECT_EQ(found.lags[0].lag_s, 60);
}

TEST(DescribeTrace, SeesThePoissonProcessAsOne) {
  Recording recording;
  for (const auto time :
       testing::first(testing::spec_of(ArrivalSpec::Process::kPoisson, 50), 500'000)) {
    recording.times.emplace_back(time);
  }
  const TraceStatistics found = describe_trace(recording);
  // 10^4 windows of 1 s: sqrt(2 / 10^4); a correlation of 10^4 independent counts: 0.01.
  EXPECT_NEAR(found.gap_cv.value(), 1, 4 * std::sqrt(2 / 5e5));
  EXPECT_NEAR(found.windows[0].dispersion, 1, 4 * 0.0142);
  for (const Lag& lag : found.lags) EXPECT_NEAR(lag.correlation, 0, 0.04) << lag.lag_s;
}

TEST(DescribeTrace, SaysWhatIsKnownOfOneTime) {
  const TraceStatistics found = describe_trace({{Duration(0), Duration(0)}, {}});
  EXPECT_EQ(found.count, 2U);
  EXPECT_EQ(found.length_s, std::nullopt);
  EXPECT_TRUE(found.windows.empty());
}

TEST(DescribeTrace, MeasuresTheAzureCodeTrace) {
  const char* data = std::getenv("TANGRAM_REFERENCE_DATA");
  if (data == nullptr) GTEST_SKIP() << "TANGRAM_REFERENCE_DATA is not set";
  Faults faults;
  const auto found = describe_trace(read_trace(
      {std::string(data) + "/azure-llm/AzureLLMInferenceTrace_code.csv", "azure_llm", ""}, faults));
  // Computed from the file by another program (numpy).
  EXPECT_EQ(found.count, 8819U);
  EXPECT_NEAR(found.gap_cv.value(), 13.151290973, 1e-6);
  EXPECT_NEAR(found.windows[0].dispersion, 13.181963689, 1e-6);
  EXPECT_NEAR(found.lags[0].correlation, 0.757217210, 1e-6);
}

TEST(RatePlot, IsAPictureOfTheCounts) {
  Recording recording;
  recording.per_minute = {60, 120, 0, 60};
  const std::string svg = rate_plot("a<b", recording);
  EXPECT_THAT(svg, HasSubstr("a&lt;b: requests/s in windows of 60 s"));
  // Peak 2/s at the top (35), 1/s halfway (142.5); four equal steps from 70 to 785.
  EXPECT_THAT(svg, HasSubstr("M70.0,250.0V142.5H248.8V35.0H427.5V250.0H606.2V142.5H785.0V250.0Z"));
  EXPECT_THAT(svg, HasSubstr("</svg>"));
}

}  // namespace
}  // namespace tangram
