// The log-linear histogram: error bound, nearest rank, exact merging.
#include "sim/core/histogram.h"

#include <algorithm>
#include <cmath>

#include <gtest/gtest.h>

#include "sim/core/random.h"

namespace tangram {
namespace {

TEST(Histogram, IsAllZeroWhenEmpty) {
  const Histogram empty;
  EXPECT_EQ(empty.count(), 0U);
  EXPECT_EQ(empty.mean_ns(), 0);
  EXPECT_EQ(empty.min(), Duration(0));
  EXPECT_EQ(empty.max(), Duration(0));
  EXPECT_EQ(empty.quantile(0.5), Duration(0));
  EXPECT_TRUE(empty.bins().empty());
}

TEST(Histogram, QuantilesAreNearestRank) {
  // Rank ceil(q n): of 1..100, q = 0.07 is the 7th although 0.07 * 100 rounds above 7.
  Histogram histogram;
  for (int i = 1; i <= 100; ++i) histogram.record(Duration(i));
  EXPECT_EQ(histogram.quantile(0), Duration(1));
  EXPECT_EQ(histogram.quantile(0.07), Duration(7));
  EXPECT_EQ(histogram.quantile(0.071), Duration(8));
  EXPECT_EQ(histogram.quantile(0.5), Duration(50));
  EXPECT_EQ(histogram.quantile(0.99), Duration(99));
  EXPECT_EQ(histogram.quantile(1), Duration(100));
}

TEST(Histogram, MeanMinimumAndMaximumAreExact) {
  Histogram histogram;
  histogram.record(Duration(1'000'000'007));
  histogram.record(Duration(3'000'000'001), 3);
  // (1000000007 + 3 * 3000000001) / 4 = 2500000002.5
  EXPECT_EQ(histogram.mean_ns(), 2'500'000'002.5);
  EXPECT_EQ(histogram.min(), Duration(1'000'000'007));
  EXPECT_EQ(histogram.max(), Duration(3'000'000'001));
  EXPECT_EQ(histogram.count(), 4U);
}

TEST(Histogram, NegativeValuesCountAsZero) {
  Histogram histogram;
  histogram.record(Duration(-5));
  EXPECT_EQ(histogram.quantile(1), Duration(0));
  EXPECT_EQ(histogram.mean_ns(), 0);
}

TEST(Histogram, EveryValueLiesInItsBinAndBinsAreNarrowerThanThe128thOfTheirValue) {
  RandomStream random{StreamKey(1)};
  for (int i = 0; i < 200'000; ++i) {
    const std::uint64_t shift = random.below(63) + 1;
    const std::uint64_t value = random.bits() >> shift;
    const std::size_t bin = Histogram::bin_of(value);
    const std::uint64_t lower = Histogram::lower_bound(bin);
    const std::uint64_t upper = Histogram::lower_bound(bin + 1);
    ASSERT_LE(lower, value);
    ASSERT_LT(value, upper);
    ASSERT_TRUE(upper - lower == 1 || (upper - lower) * 128 <= lower) << value;
  }
}

TEST(Histogram, QuantilesStayWithinTheStatedErrorOfTheSortedSample) {
  RandomStream random{StreamKey(2)};
  std::vector<std::int64_t> values;
  Histogram histogram;
  for (int i = 0; i < 100'000; ++i) {
    const double ms = 20 * random.lognormal(0, 0.8);
    values.push_back(from_ms(ms).count());
    histogram.record(from_ms(ms));
  }
  std::sort(values.begin(), values.end());
  for (const double q : {0.001, 0.25, 0.5, 0.9, 0.99, 0.999, 0.9999, 1.0}) {
    const auto rank = static_cast<std::size_t>(std::ceil(q * 100'000 - 1e-6));
    const auto truth = static_cast<double>(values[rank - 1]);
    const auto reported = static_cast<double>(histogram.quantile(q).count());
    EXPECT_LE(std::abs(reported / truth - 1), Histogram::kRelativeError) << q;
  }
}

TEST(Histogram, MergingInAnyOrderEqualsRecordingEverythingInOne) {
  RandomStream random{StreamKey(3)};
  Histogram whole;
  std::vector<Histogram> parts(5);
  for (int i = 0; i < 50'000; ++i) {
    const std::uint64_t part = random.below(parts.size());
    const double scale = std::pow(10.0, static_cast<double>(part) * 2);
    const Duration value = from_ns(random.exponential() * scale);
    whole.record(value);
    parts[part].record(value);
  }
  Histogram upwards;
  Histogram downwards;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    upwards.merge(parts[i]);
    downwards.merge(parts[parts.size() - 1 - i]);
  }
  upwards.merge(Histogram());
  for (const Histogram& merged : {upwards, downwards}) {
    EXPECT_EQ(merged.bins(), whole.bins());
    EXPECT_EQ(merged.count(), whole.count());
    EXPECT_EQ(merged.mean_ns(), whole.mean_ns());
    EXPECT_EQ(merged.min(), whole.min());
    EXPECT_EQ(merged.max(), whole.max());
    EXPECT_EQ(merged.quantile(0.99), whole.quantile(0.99));
  }
}

TEST(Histogram, MergingIntoItselfDoublesTheCounts) {
  Histogram histogram;
  histogram.record(Duration(10));
  histogram.merge(histogram);
  EXPECT_EQ(histogram.count(), 2U);
  EXPECT_EQ(histogram.mean_ns(), 10);
}

TEST(Histogram, BinsListTheCountsInAscendingOrder) {
  Histogram histogram;
  histogram.record(Duration(1000), 4);  // 1000 = 0b1111101000: bins of 4 in [512, 1024)
  histogram.record(Duration(3));
  EXPECT_EQ(histogram.bins(), (std::vector<Histogram::Bin>{{3, 4, 1}, {1000, 1004, 4}}));
}

TEST(Histogram, SumsCarry) {
  const std::uint64_t longest = ~std::uint64_t{0} >> 1;
  Histogram one_by_one;
  for (int i = 0; i < 3; ++i) one_by_one.record(Duration::max());
  Histogram at_once;
  at_once.record(Duration::max(), 3);
  EXPECT_TRUE(one_by_one.sum() == UInt128{longest} * 3);
  EXPECT_TRUE(at_once.sum() == UInt128{longest} * 3);
  one_by_one.merge(at_once);
  EXPECT_TRUE(one_by_one.sum() == UInt128{longest} * 6);
}

TEST(Histogram, HoldsTheLongestDuration) {
  Histogram histogram;
  histogram.record(Duration::max());
  histogram.record(Duration(0));
  EXPECT_EQ(histogram.max(), Duration::max());
  // 2^63 - 1 lies in [255 * 2^55, 2^63), whose middle is 2^63 - 2^54 - 1.
  EXPECT_EQ(histogram.quantile(1).count(), Duration::max().count() - (std::int64_t{1} << 54));
  EXPECT_EQ(histogram.quantile(0.5), Duration(0));
}

}  // namespace
}  // namespace tangram
