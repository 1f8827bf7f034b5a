// What to measure next: expected errors by hand, and the order.
#include "validate/next_co_runs.h"

#include <cmath>
#include <numbers>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/validate/co_run_fixture.h"

namespace tangram {
namespace {

// The mean of |x|, x normal with this standard deviation.
double magnitude(double sd) {
  return sd * std::sqrt(2 / std::numbers::pi);
}

TEST(NextCoRuns, APairNobodyMeasuredComesFirstInItsMiddle) {
  const auto next = next_co_runs({"b", "a"}, {}, {0.03, 0.02}, 3);
  ASSERT_EQ(next.size(), 3U);
  // Equal gains in the order of names; a + b is two directions at once, not a better pair.
  EXPECT_EQ(next[0].model_a + next[0].model_b, "aa");
  EXPECT_EQ(next[1].model_a + next[1].model_b, "ab");
  EXPECT_EQ(next[2].model_a + next[2].model_b, "bb");
  for (const NextCoRun& one : next) {
    EXPECT_EQ(one.batch_a, 8U);
    EXPECT_EQ(one.batch_b, 8U);
    EXPECT_EQ(one.share_a_pct, 50);
    EXPECT_EQ(one.share_b_pct, 50);
    EXPECT_EQ(one.reason, "no co-run of this pair yet");
    EXPECT_NEAR(one.error_before_pct, 100 * magnitude(std::hypot(0.03, 0.02)), 1e-9);
  }
}

TEST(NextCoRuns, TheExpectedErrorAfterACoRunIsThatOfTheRestOfThePair) {
  // Without spread inside a pair one co-run leaves b^2 - b^4 / (b^2 + 0.003^2) everywhere.
  const auto next = next_co_runs({"a"}, {}, {0.03, 0}, 1);
  const double b2 = 0.03 * 0.03;
  const double left = b2 - b2 * b2 / (b2 + 0.003 * 0.003);
  EXPECT_NEAR(next[0].error_after_pct, 100 * magnitude(std::sqrt(left)), 1e-9);
}

TEST(NextCoRuns, MeasuredPairsComeLaterAndEachStepCountsTheOnesBefore) {
  const auto records = testing::co_runs(2, testing::flat);
  const auto next = next_co_runs({"a", "b", "c"}, records, {0.03, 0.02}, 8);
  ASSERT_EQ(next.size(), 8U);
  for (std::size_t i = 0; i < 5; ++i) {
    EXPECT_EQ(next[i].reason, "no co-run of this pair yet");
    EXPECT_NE(next[i].model_a + next[i].model_b, "ab");
  }
  EXPECT_EQ(next[5].reason, "1 above in this list; least known here");
  EXPECT_LT(next[5].error_after_pct, next[5].error_before_pct);
  for (const NextCoRun& one : next_co_runs({"a", "b"}, records, {0.03, 0.02}, 2)) {
    EXPECT_EQ(one.model_a, one.model_b);
  }
}

TEST(NextCoRuns, AFullyMeasuredPairSaysHowManyItHas) {
  auto records = testing::co_runs(2, testing::flat);
  for (CoRunRecord& record : records) record.victim.model = record.aggressor.model = "a";
  const auto next = next_co_runs({"a"}, records, {0.03, 0.02}, 1);
  ASSERT_EQ(next.size(), 1U);
  EXPECT_EQ(next[0].reason, "27 measured; least known here");
}

TEST(NextCoRuns, NothingIsListedForNothing) {
  EXPECT_TRUE(next_co_runs({}, {}, {0.03, 0.02}, 5).empty());
  EXPECT_TRUE(next_co_runs({"a"}, {}, {0.03, 0.02}, 0).empty());
}

TEST(CoRunSpread, IsThatOfTheMeansAndInsideThem) {
  // Six means at 1.1 +- 2 % (three each), and inside each of them half the rows at +- 1 %.
  const auto records = testing::co_runs(3, [](const CoRunSide& v, const CoRunSide& o) {
    const double offset = v.model < o.model ? 0.02 : -0.02;
    const double inside = v.share_pct == 20 ? 0.01 : v.share_pct == 80 ? -0.01 : 0;
    return 1.1 * (1 + offset + inside);
  });
  const CoRunSpread spread = spread_of(records);
  EXPECT_NEAR(spread.between, 0.02 * std::sqrt(6.0 / 5), 1e-12);
  // 18 of the 27 rows of a cell are off by 1 %.
  EXPECT_NEAR(spread.within, 0.01 * std::sqrt(18.0 / 26), 1e-12);
}

TEST(CoRunSpread, OfTooLittleIsThatOfTheV100) {
  EXPECT_EQ(spread_of({}).between, CoRunSpread{}.between);
  EXPECT_EQ(spread_of(testing::co_runs(2, testing::flat)).within, CoRunSpread{}.within);
}

}  // namespace
}  // namespace tangram
