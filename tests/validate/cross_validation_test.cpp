// Folds that never show what they judge, coefficients found again, scores worked by hand.
#include "validate/cross_validation.h"

#include <algorithm>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/validate/co_run_fixture.h"

namespace tangram {
namespace {

using ::testing::DoubleNear;
using ::testing::ElementsAre;
using ::testing::UnorderedElementsAre;

const InterferenceCandidate& candidate(const std::string& name) {
  for (const InterferenceCandidate& c : interference_candidates()) {
    if (c.name == name) return c;
  }
  throw std::out_of_range(name);
}

CoRunRows all_of(const std::vector<CoRunRecord>& records) {
  CoRunRows rows;
  for (const CoRunRecord& record : records) rows.push_back(&record);
  return rows;
}

TEST(InterferenceCandidates, AreOneTableWithTheTrivialOnesFirst) {
  std::vector<std::string> names;
  for (const InterferenceCandidate& c : interference_candidates()) names.push_back(c.name);
  EXPECT_THAT(names, ElementsAre("none", "constant", "gpulet", "quadratic", "aggressor_dram",
                                 "launch_delay", "kernel_length", "igniter", "pair_table",
                                 "pair_table +1", "pair_table +3", "pair_table +9"));
  EXPECT_EQ(constant_candidate().name, "constant");
}

TEST(InterferenceCandidates, FindTheCoefficientsThatMadeTheData) {
  const auto gpulet = testing::co_runs(4, [](const CoRunSide& v, const CoRunSide& o) {
    return 1.02 + 0.3 * *v.l2 + 0.5 * *o.l2 - 0.1 * *v.dram + 0.7 * *o.dram;
  });
  EXPECT_THAT(candidate("gpulet").fit(all_of(gpulet)).coefficients,
              ElementsAre(DoubleNear(1.02, 1e-10), DoubleNear(0.3, 1e-9), DoubleNear(0.5, 1e-9),
                          DoubleNear(-0.1, 1e-9), DoubleNear(0.7, 1e-9)));
  const auto kernels = testing::co_runs(4, [](const CoRunSide& v, const CoRunSide& o) {
    const double victim = *v.solo_ms / *v.kernels;
    const double aggressor = *o.solo_ms / *o.kernels;
    return 1.05 + 0.08 * aggressor / (victim + aggressor);
  });
  EXPECT_THAT(candidate("kernel_length").fit(all_of(kernels)).coefficients,
              ElementsAre(DoubleNear(1.05, 1e-12), DoubleNear(0.08, 1e-12)));
  const auto delay = testing::co_runs(
      3, [](const CoRunSide& v, const CoRunSide&) { return 1 + 0.002 * *v.kernels / *v.solo_ms; });
  EXPECT_THAT(candidate("launch_delay").fit(all_of(delay)).coefficients,
              ElementsAre(DoubleNear(1, 1e-12), DoubleNear(0.002, 1e-12)));
  const auto quadratic = testing::co_runs(4, [](const CoRunSide& v, const CoRunSide& o) {
    return 1 + *v.l2 * *o.dram + *o.dram * *o.dram;
  });
  const FittedInterference fitted = candidate("quadratic").fit(all_of(quadratic));
  EXPECT_EQ(fitted.coefficients.size(), 15U);
  for (const CoRunRecord& record : quadratic) {
    EXPECT_NEAR(fitted.predict(record), record.slowdown, 1e-9);
  }
}

TEST(InterferenceCandidates, SayWhatARecordLacks) {
  auto records = testing::co_runs(2, testing::flat);
  records[0].aggressor.dram.reset();
  records[1].victim.kernels.reset();
  EXPECT_EQ(candidate("gpulet").lacking(records[0]), "L2 and DRAM use");
  EXPECT_EQ(candidate("gpulet").lacking(records[1]), "");
  EXPECT_EQ(candidate("kernel_length").lacking(records[1]), "kernel counts and latencies alone");
  EXPECT_EQ(candidate("pair_table").lacking(records[1]), "");
}

TEST(Folds, LeavingAPairOutTrainsOnNoRowOfIt) {
  const auto records = testing::co_runs(4, testing::flat);
  const std::vector<Fold> folds = leave_pair_out(records);
  ASSERT_EQ(folds.size(), 6U);
  std::set<std::size_t> judged;
  for (const Fold& fold : folds) {
    const std::string pair = pair_name(records[fold.test.front()]);
    for (const std::size_t i : fold.test) EXPECT_EQ(pair_name(records[i]), pair);
    for (const std::size_t i : fold.train) EXPECT_NE(pair_name(records[i]), pair);
    EXPECT_EQ(fold.train.size() + fold.held.size(), records.size());
    EXPECT_EQ(fold.held, fold.test);
    judged.insert(fold.test.begin(), fold.test.end());
  }
  EXPECT_EQ(judged.size(), records.size());
}

TEST(Folds, LeavingAModelOutTrainsOnNoRowWithItInEitherRole) {
  const auto records = testing::co_runs(4, testing::flat);
  const std::vector<Fold> folds = leave_model_out(records);
  ASSERT_EQ(folds.size(), 4U);
  for (const Fold& fold : folds) {
    const std::string model = records[fold.test.front()].victim.model;
    for (const std::size_t i : fold.test) EXPECT_EQ(records[i].victim.model, model);
    for (const std::size_t i : fold.train) {
      EXPECT_NE(records[i].victim.model, model);
      EXPECT_NE(records[i].aggressor.model, model);
    }
    EXPECT_EQ(fold.train.size(), records.size() / 2);
    EXPECT_EQ(fold.test.size(), records.size() / 4);
  }
}

TEST(Folds, ARandomSplitKeepsBothDirectionsOfACoRunTogether) {
  const auto records = testing::co_runs(3, testing::flat);
  const Fold fold = random_split(records, 1, 0);
  std::set<std::uint32_t> train, test;
  for (const std::size_t i : fold.train) train.insert(records[i].run);
  for (const std::size_t i : fold.test) test.insert(records[i].run);
  EXPECT_EQ(train.size(), 56U);  // 70 % of 81, rounded down
  EXPECT_EQ(test.size(), 25U);
  for (const std::uint32_t run : test) EXPECT_FALSE(train.contains(run));
  EXPECT_EQ(random_split(records, 1, 0).train, fold.train);
  EXPECT_NE(random_split(records, 1, 1).train, fold.train);
  EXPECT_NE(random_split(records, 2, 0).train, fold.train);
}

TEST(Folds, TwoModelsHaveNoPairToLeaveOut) {
  EXPECT_TRUE(leave_pair_out(testing::co_runs(2, testing::flat)).empty());
  EXPECT_TRUE(leave_model_out(testing::co_runs(3, testing::flat)).size() == 3U);
  EXPECT_EQ(cross_validate(testing::co_runs(2, testing::flat), {}, constant_candidate()),
            std::nullopt);
}

TEST(TellingRuns, AreTheMiddleThenTheSharesThenTheCorners) {
  const auto records = testing::co_runs(2, testing::flat);
  const auto places = [&](std::size_t count) {
    std::vector<std::tuple<std::uint32_t, std::uint32_t, double>> found;
    for (const std::uint32_t run : telling_runs(all_of(records), count)) {
      const CoRunRecord& r = records[2 * run];
      found.emplace_back(r.victim.batch, r.aggressor.batch, r.victim.share_pct);
    }
    return found;
  };
  using Place = std::tuple<std::uint32_t, std::uint32_t, double>;
  EXPECT_THAT(places(1), ElementsAre(Place(8, 8, 50)));
  EXPECT_THAT(places(3), UnorderedElementsAre(Place(8, 8, 20), Place(8, 8, 50), Place(8, 8, 80)));
  EXPECT_THAT(places(9),
              UnorderedElementsAre(Place(8, 8, 20), Place(8, 8, 50), Place(8, 8, 80),
                                   Place(2, 2, 20), Place(2, 2, 50), Place(2, 2, 80),
                                   Place(32, 32, 20), Place(32, 32, 50), Place(32, 32, 80)));
}

TEST(CrossValidation, AModelIsNeverShownTheRowsItIsJudgedOn) {
  const auto records = testing::co_runs(4, testing::flat);
  for (const std::size_t own : {0, 1, 9}) {
    InterferenceCandidate spy;
    spy.name = "spy";
    spy.parameters = 1;
    spy.own_co_runs = own;
    std::size_t judged = 0;
    spy.fit = [&](const CoRunRows& rows) {
      std::set<const CoRunRecord*> seen(rows.begin(), rows.end());
      return FittedInterference{{}, [seen, &judged](const CoRunRecord& record) {
                                  EXPECT_FALSE(seen.contains(&record));
                                  ++judged;
                                  return 1.1;
                                }};
    };
    EXPECT_EQ(cross_validate(records, leave_pair_out(records), spy)->rows, judged);
    EXPECT_EQ(judged, 6 * (54 - 2 * own));
    judged = 0;
    cross_validate(records, leave_model_out(records), spy);
    EXPECT_EQ(judged, 4 * 3 * (27 - own));
  }
}

TEST(CrossValidation, ScoresOfOneConstantByHand) {
  // Pairs ab, ac, bc at 1, 1.2 and 1.4: the constants of the others are 1.3, 1.2 and 1.1.
  const auto records = testing::co_runs(3, [](const CoRunSide& v, const CoRunSide& o) {
    const std::string pair = std::min(v.model, o.model) + std::max(v.model, o.model);
    return pair == "ab" ? 1.0 : pair == "ac" ? 1.2 : 1.4;
  });
  const auto score = cross_validate(records, leave_pair_out(records), constant_candidate());
  ASSERT_TRUE(score);
  EXPECT_EQ(score->rows, 162U);
  EXPECT_EQ(score->clusters, 3U);
  const double last = 100 * (1 - 1.1 / 1.4);
  EXPECT_NEAR(score->mean.value, (30 + 0 + last) / 3, 1e-9);
  EXPECT_NEAR(score->p50, last, 1e-9);
  EXPECT_NEAR(score->p90, 30, 1e-9);
  EXPECT_EQ(score->minus_constant.value, 0);
  EXPECT_EQ(score->wins, 0U);
  EXPECT_EQ(score->r, std::nullopt);
  // With three pairs, whole draws of the best or of the worst happen in 4000: (1/3)^3 = 3.7 % each.
  EXPECT_NEAR(score->mean.low, 0, 1e-9);
  EXPECT_NEAR(score->mean.high, 30, 1e-9);
}

TEST(CrossValidation, ATrueFormWinsEveryPairAndHasAllTheSkill) {
  const auto records =
      testing::co_runs(4, [](const CoRunSide&, const CoRunSide& o) { return 1 + 0.5 * *o.dram; });
  const auto score = cross_validate(records, leave_pair_out(records), candidate("aggressor_dram"));
  ASSERT_TRUE(score);
  EXPECT_NEAR(score->mean.value, 0, 1e-9);
  EXPECT_NEAR(*score->r, 1, 1e-9);
  EXPECT_NEAR(score->cell_skill, 1, 1e-9);
  EXPECT_EQ(score->wins, 6U);
  EXPECT_LT(score->minus_constant.high, 0);
  EXPECT_NEAR(score->minus_constant.value, -score->constant, 1e-9);
}

TEST(CrossValidation, IntervalsDependOnTheSeedAlone) {
  const auto records = testing::co_runs(4, [](const CoRunSide& v, const CoRunSide& o) {
    return 1 + 0.3 * *v.l2 * *o.dram * v.batch;
  });
  const auto folds = leave_pair_out(records);
  const auto first = cross_validate(records, folds, candidate("gpulet"), {7, 500});
  const auto again = cross_validate(records, folds, candidate("gpulet"), {7, 500});
  const auto other = cross_validate(records, folds, candidate("gpulet"), {8, 500});
  EXPECT_EQ(first->mean.low, again->mean.low);
  EXPECT_EQ(first->minus_constant.high, again->minus_constant.high);
  EXPECT_NE(std::make_pair(first->mean.low, first->mean.high),
            std::make_pair(other->mean.low, other->mean.high));
  EXPECT_LE(first->mean.low, first->mean.value);
  EXPECT_GE(first->mean.high, first->mean.value);
}

TEST(CrossValidation, OneCoRunOfThePairTellsItsOffset) {
  // A pair's offset is all there is: nothing but a co-run of the pair can know it.
  const auto records = testing::co_runs(4, [](const CoRunSide& v, const CoRunSide& o) {
    const double pair = (v.model[0] - 'a') ^ (o.model[0] - 'a');  // 1, 2 or 3
    return 1.1 + 0.01 * pair * pair;
  });
  const auto folds = leave_pair_out(records);
  const auto blind = cross_validate(records, folds, candidate("pair_table"));
  const auto told = cross_validate(records, folds, candidate("pair_table +1"));
  // What is shrunk away: 1 - 1.14 / 1.15 at the place, up to 1 - 1 / 1.15 = 13 % far from it.
  EXPECT_LT(told->mean.value, 0.14 * blind->mean.value);
  EXPECT_EQ(told->wins, 6U);
}

TEST(CrossValidation, APairWithTooFewCoRunsToShowIsNotJudged) {
  auto records = testing::co_runs(3, testing::flat);
  std::erase_if(records, [](const CoRunRecord& r) {
    return pair_name(r) == "a + b" && r.victim.batch != 8 && r.aggressor.batch != 8;
  });
  std::erase_if(records, [](const CoRunRecord& r) {
    return pair_name(r) == "a + b" && (r.victim.batch != 8 || r.aggressor.batch != 8);
  });
  const auto folds = leave_pair_out(records);
  EXPECT_TRUE(cross_validate(records, folds, candidate("pair_table +1")));
  EXPECT_FALSE(cross_validate(records, folds, candidate("pair_table +3")));
  EXPECT_FALSE(cross_validate(records, folds, candidate("pair_table +9")));
}

}  // namespace
}  // namespace tangram
