#include "sim/results/statistics.h"

#include <array>

#include <gtest/gtest.h>

namespace tangram {
namespace {

TEST(StudentT, HasTheTabulatedQuantilesOnBothSidesOfTheTablesEnd) {
  // tan(0.475 pi) = 12.7062047 for one degree, sqrt(2 * 0.95^2 / (1 - 0.95^2)) = 4.3026527 for two.
  EXPECT_NEAR(student_t(1), 12.7062047, 1e-6);
  EXPECT_NEAR(student_t(2), 4.3026527, 1e-6);
  EXPECT_NEAR(student_t(30), 2.0422725, 1e-6);
  EXPECT_NEAR(student_t(40), 2.0210754, 2e-6);
  EXPECT_NEAR(student_t(1000), 1.9623391, 1e-6);
  for (std::size_t n = 1; n < 200; ++n) EXPECT_GT(student_t(n), student_t(n + 1)) << n;
}

TEST(ConfidenceInterval, IsTTimesTheStandardError) {
  // Values 1 2 3: s = 1, t(2) = 4.302653, half width = t / sqrt(3).
  const std::array<double, 3> values{1, 2, 3};
  const Interval interval = confidence_interval(values);
  EXPECT_EQ(interval.mean, 2);
  EXPECT_NEAR(interval.half_width, 4.302653 / 1.7320508075688772, 1e-12);
}

TEST(JainIndex, IsOneForEqualSharesAndOneNthWhenOneHasAll) {
  EXPECT_EQ(jain_index(std::array<double, 3>{2, 2, 2}), 1);
  EXPECT_EQ(jain_index(std::array<double, 4>{1, 0, 0, 0}), 0.25);
  EXPECT_EQ(jain_index(std::array<double, 2>{0, 0}), 1);
  EXPECT_EQ(jain_index({}), 1);
  // (1 + 3)^2 / (2 (1 + 9)) = 0.8.
  EXPECT_DOUBLE_EQ(jain_index(std::array<double, 2>{1, 3}), 0.8);
}

TEST(CoefficientOfVariation, IsExactForSmallValuesAndZeroForEqualOnes) {
  Histogram histogram;
  EXPECT_EQ(coefficient_of_variation(histogram), 0);
  // Below 128 ns the bins are exact: mean 20, standard deviation 10.
  histogram.record(Duration(10));
  histogram.record(Duration(30));
  EXPECT_DOUBLE_EQ(coefficient_of_variation(histogram), 0.5);
  Histogram equal;
  equal.record(Duration(123456789), 5);
  EXPECT_EQ(coefficient_of_variation(equal), 0);
}

}  // namespace
}  // namespace tangram
