// The rule of adoption, the report, and the profiles that come out.
#include "validate/calibrate.h"

#include <algorithm>
#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sim/core/error.h"
#include "tests/validate/co_run_fixture.h"

namespace tangram {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

CalibrationOptions quick() {
  CalibrationOptions options;
  options.bootstrap_draws = 200;
  options.random_splits = 2;
  options.measure_next = 2;
  return options;
}

ErrorScore score(double mean, double high, std::size_t wins) {
  ErrorScore s;
  s.constant = 4;
  s.clusters = 10;
  s.mean.value = mean;
  s.minus_constant = {mean - 4, mean - 5, high};
  s.wins = wins;
  return s;
}

TEST(BeatsConstant, NeedsPointsAndPercentAndAnIntervalAndWins) {
  std::string why;
  EXPECT_TRUE(beats_constant(score(3.1, -0.1, 8), &why));
  EXPECT_EQ(why, "");
  EXPECT_FALSE(beats_constant(score(3.6, -0.1, 10), &why));
  EXPECT_EQ(why, "gains 0.40 points, less than 0.5");
  EXPECT_FALSE(beats_constant(score(3.3, -0.1, 10), &why));
  EXPECT_EQ(why, "gains 18 %, less than 20 %");
  EXPECT_FALSE(beats_constant(score(3.1, 0, 10), &why));
  EXPECT_THAT(why, HasSubstr("ends at +0.00"));
  EXPECT_FALSE(beats_constant(score(3.1, -0.1, 7), &why));
  EXPECT_EQ(why, "wins only 7 of 10");
}

TEST(Calibrate, FindsTheModelThatMadeTheDataAndAdoptsIt) {
  const auto records =
      testing::co_runs(4, [](const CoRunSide&, const CoRunSide& o) { return 1 + 0.5 * *o.dram; });
  const CalibrationReport report = calibrate("gpu", {"a", "b", "c", "d"}, records, quick());
  EXPECT_EQ(report.rows, 324U);
  EXPECT_EQ(report.runs, 162U);
  EXPECT_EQ(report.pairs, 6U);
  EXPECT_EQ(report.models, 4U);
  // gpulet and quadratic hold the same form: all are exact but for rounding.
  EXPECT_THAT(report.unseen_pairs.name, ::testing::AnyOf("aggressor_dram", "gpulet", "quadratic"));
  EXPECT_EQ(report.results.size(), interference_candidates().size());
  EXPECT_EQ(report.next.size(), 2U);
  double mean = 0;
  for (const CoRunRecord& record : records) mean += record.slowdown / 324;
  EXPECT_NEAR(report.factor, mean, 1e-12);
}

TEST(Calibrate, KeepsTheConstantWhenNothingIsBetterAndSaysWhy) {
  const auto records = testing::co_runs(4, [](const CoRunSide& v, const CoRunSide& o) {
    return 1.1 + 0.02 * static_cast<double>((v.model[0] - 'a') ^ (o.model[0] - 'a'));
  });
  const CalibrationReport report = calibrate("gpu", {}, records, quick());
  EXPECT_EQ(report.unseen_pairs.name, "constant");
  EXPECT_THAT(report.unseen_pairs.reason, HasSubstr("the best of the others, "));
  EXPECT_EQ(report.measured_pairs.name, "pair_table");
}

TEST(Calibrate, JudgesNothingOnOnePairAndStillGivesTheFactor) {
  auto records = testing::co_runs(2, [](const CoRunSide&, const CoRunSide&) { return 1.25; });
  records[0].victim.kernels.reset();
  const CalibrationReport report = calibrate("gpu", {"a", "b"}, records, quick());
  EXPECT_DOUBLE_EQ(report.factor, 1.25);
  EXPECT_EQ(report.unseen_pairs.name, "constant");
  EXPECT_EQ(report.measured_pairs.name, "constant");
  EXPECT_EQ(report.p95_covers_mean, std::nullopt);
  const std::string text = text_of(report);
  EXPECT_THAT(text,
              HasSubstr("kernel_length needs kernel counts and latencies alone, which a beside"));
  EXPECT_THAT(text, HasSubstr("pair_table +3"));
  EXPECT_THAT(text, HasSubstr("there are fewer than two pairs"));
}

TEST(Calibrate, AFactorBelowOneIsOne) {
  const auto records = testing::co_runs(2, [](const CoRunSide&, const CoRunSide&) { return 0.99; });
  EXPECT_EQ(calibrate("gpu", {}, records, quick()).factor, 1);
}

TEST(Calibrate, WithoutCoRunsIsTheUsersMistake) {
  EXPECT_THROW(calibrate("gpu", {"a"}, {}, quick()), ConfigError);
}

TEST(Calibrate, TheMarginIsJudgedOnPairsLeftOut) {
  // Pairs ab, ac, bc at 1.1, 1.1 and 1.3: the 95th percentile of the others covers all of the first
  // two and none of the last.
  const auto records = testing::co_runs(3, [](const CoRunSide& v, const CoRunSide& o) {
    return v.model == "a" || o.model == "a" ? 1.1 : 1.3;
  });
  const CalibrationReport report = calibrate("gpu", {}, records, quick());
  EXPECT_EQ(report.p95, 1.3);
  EXPECT_NEAR(*report.p95_covers_mean, 2.0 / 3, 1e-12);
  EXPECT_EQ(report.p95_covers_worst, 0);
}

TEST(CalibrationText, FitsAHundredColumnsAndIsTheSameEveryTime) {
  const auto records = testing::co_runs(4, [](const CoRunSide& v, const CoRunSide& o) {
    return 1.05 + 0.2 * *o.dram + 0.003 * v.batch * *v.l2;
  });
  const std::string text = text_of(calibrate("gpu", {"a", "b", "c", "d"}, records, quick()));
  EXPECT_EQ(text_of(calibrate("gpu", {"a", "b", "c", "d"}, records, quick())), text);
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) EXPECT_LE(line.size(), 100U) << line;
  for (const InterferenceCandidate& candidate : interference_candidates()) {
    EXPECT_THAT(text, HasSubstr("\n" + candidate.name + (candidate.post_hoc ? " *" : " ")));
  }
  EXPECT_THAT(text, HasSubstr("Random rows (70 % to train) are shown as a warning only"));
  EXPECT_THAT(text, HasSubstr(R"({"name": "kernel_length", "coefficients": [)"));
}

Profile profile(const std::string& model, const std::string& gpu, double slowdown) {
  Profile p;
  p.model = model;
  p.gpu = gpu;
  p.linear = Profile::Linear{1, 1, 8};
  p.co_runs = {{"x", 1, 1, 50, 50, slowdown}};
  return p;
}

TEST(CalibratedProfiles, KeepTheirCoRunsAndGetTheFactor) {
  const auto merged = merge_co_runs({{profile("a", "t4", 1.1), profile("b", "t4", 1.2)},
                                     {profile("b", "t4", 1.3), profile("c", "t4", 1.4)}});
  ASSERT_EQ(merged.size(), 3U);
  EXPECT_EQ(merged[1].model, "b");
  ASSERT_EQ(merged[1].co_runs.size(), 2U);
  EXPECT_EQ(merged[1].co_runs[1].slowdown, 1.3);
  CalibrationReport report;
  report.factor = 1.25;
  for (const Profile& p : calibrated(merged, report)) {
    EXPECT_EQ(p.interference_factor, 1.25);
    EXPECT_FALSE(p.co_runs.empty());
  }
  EXPECT_THROW(merge_co_runs({{profile("a", "t4", 1.1)}, {profile("a", "v100", 1.1)}}),
               ConfigError);
}

}  // namespace
}  // namespace tangram
