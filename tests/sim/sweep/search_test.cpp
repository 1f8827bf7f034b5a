// Capacity search against target functions with known crossings.
#include "sim/sweep/search.h"

#include <cmath>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tangram {
namespace {

using ::testing::DoubleNear;
using ::testing::Optional;

SearchSpec range(double low, double high) {
  SearchSpec spec;
  spec.low = low;
  spec.high = high;
  spec.at_least = 0.5;
  return spec;
}

TEST(CapacitySearch, FindsTheCrossingOfAMonotoneTargetToItsTolerance) {
  SearchSpec spec = range(0, 100);
  spec.tolerance = 0.001;
  // Passes up to 61.8 and not beyond.
  const Capacity found = find_capacity(spec, [](double x) { return x <= 61.8 ? 1.0 : 0.0; });
  ASSERT_TRUE(found.highest_pass && found.first_fail);
  EXPECT_LE(*found.highest_pass, 61.8);
  EXPECT_GT(*found.first_fail, 61.8);
  EXPECT_LE(*found.first_fail - *found.highest_pass, 0.001 * *found.first_fail);
  EXPECT_TRUE(found.monotone);
}

TEST(CapacitySearch, ReportsBothEndsWhereTheTargetIsNotMonotone) {
  // Passes on [0, 30] and on [70, 80]: the first failure is at 30, the highest pass at 80.
  const auto metric = [](double x) { return x <= 30 || (x >= 70 && x <= 80) ? 1.0 : 0.0; };
  SearchSpec spec = range(0, 100);
  spec.probes = 21;  // 0, 5, ..., 100
  const Capacity found = find_capacity(spec, metric);
  EXPECT_THAT(found.highest_pass, Optional(DoubleNear(80, 0.01 * 85)));
  EXPECT_THAT(found.first_fail, Optional(DoubleNear(30, 0.01 * 35)));
  EXPECT_GT(*found.first_fail, 30);
  EXPECT_FALSE(found.monotone);
}

TEST(CapacitySearch, SaysSoWhenNothingOrEverythingPasses) {
  const Capacity none = find_capacity(range(1, 9), [](double) { return 0.0; });
  EXPECT_FALSE(none.highest_pass);
  EXPECT_THAT(none.first_fail, Optional(1.0));
  const Capacity all = find_capacity(range(1, 9), [](double) { return 1.0; });
  EXPECT_THAT(all.highest_pass, Optional(9.0));
  EXPECT_FALSE(all.first_fail);
  EXPECT_EQ(all.probes.size(), 9);  // the spread, and nothing to bisect
}

TEST(CapacitySearch, OfWholeNumbersEndsAtNeighbours) {
  SearchSpec spec = range(1, 64);
  spec.integer = true;
  const Capacity found = find_capacity(spec, [](double n) {
    EXPECT_EQ(n, std::floor(n));
    return n <= 37 ? 1.0 : 0.0;
  });
  EXPECT_THAT(found.highest_pass, Optional(37.0));
  EXPECT_THAT(found.first_fail, Optional(38.0));
}

TEST(CapacitySearch, TriesEachValueOnceAndSpacesALogScaleByAFactor) {
  SearchSpec spec = range(1, 16);
  spec.log_scale = true;
  spec.probes = 5;  // 1 2 4 8 16
  spec.at_least.reset();
  spec.at_most = 4.0;
  std::vector<double> tried;
  const Capacity found = find_capacity(spec, [&](double x) {
    tried.push_back(x);
    return x;  // passes up to 4
  });
  ASSERT_GE(tried.size(), 5U);
  for (int i = 0; i < 5; ++i) EXPECT_NEAR(tried[static_cast<std::size_t>(i)], std::exp2(i), 1e-12);
  std::vector<double> sorted = tried;
  std::sort(sorted.begin(), sorted.end());
  EXPECT_EQ(std::adjacent_find(sorted.begin(), sorted.end()), sorted.end());
  EXPECT_EQ(found.probes.size(), tried.size());
}

TEST(CapacitySearch, TakesTheWorstWorkloadForAStar) {
  const Json summary = Json::parse(R"({"total": {"x": 0.9},
    "workloads": {"a": {"x": 0.7}, "b": {"x": 0.95}}})");
  SearchSpec spec = range(0, 1);
  spec.metric = "/workloads/*/x";
  EXPECT_EQ(metric_of(spec, summary), 0.7);
  spec.at_least.reset();
  spec.at_most = 1;
  EXPECT_EQ(metric_of(spec, summary), 0.95);
  spec.metric = "/total/x";
  EXPECT_EQ(metric_of(spec, summary), 0.9);
}

TEST(CapacitySearch, NamesTheKeysThatAreThereForAMetricThatIsNot) {
  SearchSpec spec = range(0, 1);
  spec.metric = "/total/slo_atainment";
  try {
    metric_of(spec, Json::parse(R"({"total": {"slo_attainment": 1}})"));
    FAIL() << "no error";
  } catch (const ConfigError& error) {
    EXPECT_THAT(error.what(), ::testing::HasSubstr("slo_attainment"));
  }
}

}  // namespace
}  // namespace tangram
