// Interference models against values worked by hand. Against measured co-runs: tests/validate/.
#include "profiles/interference.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sim/core/error.h"

namespace tangram {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

Profile profile_with(const std::string& model, double l2, double dram) {
  Profile profile;
  profile.model = model;
  profile.gpu = "2080ti";
  LatencyPoint p;
  p.share = {ShareKind::kPercent, 100};
  p.latency_ms = 1;
  p.l2_utilisation = l2;
  p.dram_utilisation = dram;
  profile.points.push_back(p);
  return profile;
}

class Interference : public ::testing::Test {
 protected:
  void add(Profile profile) { set_.add(std::move(profile)); }
  std::unique_ptr<InterferenceModel> make(const InterferenceSpec& spec) {
    return make_interference(spec, set_, warnings_);
  }
  Resident on(const std::string& model, double fraction, std::uint32_t batch = 1) const {
    return {set_.find(model, "2080ti"), {ShareKind::kPercent, 100 * fraction}, 1, batch, fraction};
  }
  ProfileSet set_;
  std::vector<std::string> warnings_;
};

TEST_F(Interference, NoneIsOneWhateverRunsBeside) {
  add(profile_with("a", 1, 1));
  const std::vector<Resident> others{on("a", 0.5)};
  EXPECT_EQ(make({"none", 0, {}})->slowdown(on("a", 0.5), others), 1);
}

TEST_F(Interference, ConstantIsTheProfilesFactorOnceHoweverMany) {
  Profile a = profile_with("a", 0, 0);
  a.interference_factor = 1.1;
  add(a);
  add(profile_with("b", 0, 0));
  const auto model = make({"default", 0, {}});
  const std::vector<Resident> two{on("b", 0.25), on("b", 0.25)};
  EXPECT_EQ(model->slowdown(on("a", 0.5), two), 1.1);
  EXPECT_EQ(model->slowdown(on("b", 0.5), two), 1);
  EXPECT_EQ(model->slowdown(on("a", 0.5), {}), 1);
  ASSERT_THAT(warnings_, SizeIs(1));
  EXPECT_THAT(warnings_[0], HasSubstr("b on 2080ti has no interference_factor"));
}

TEST_F(Interference, AGivenFactorOverridesTheProfiles) {
  add(profile_with("a", 0, 0));
  const std::vector<Resident> others{on("a", 0.5)};
  EXPECT_EQ(make({"constant", 1.25, {}})->slowdown(on("a", 0.5), others), 1.25);
  EXPECT_THAT(warnings_, IsEmpty());
}

TEST_F(Interference, GpuletIsItsLinearFormWithPublishedCoefficients) {
  add(profile_with("a", 0.3, 0.6));
  add(profile_with("b", 0.25, 0.5));
  const auto model = make({"gpulet", 0, {}});
  // a on 40 %: l2 0.12, dram 0.24; b on 60 %: l2 0.15, dram 0.30.
  // 0.1129 0.12 + 0.7160 0.15 + 0.3549 0.24 + 0.0882 0.30 + 0.8954 = 1.127984.
  const std::vector<Resident> others{on("b", 0.6)};
  EXPECT_NEAR(model->slowdown(on("a", 0.4), others), 1.127984, 1e-12);
  // The other way round: 0.1129 0.15 + 0.7160 0.12 + 0.3549 0.30 + 0.0882 0.24 + 0.8954 = 1.125893.
  const std::vector<Resident> back{on("a", 0.4)};
  EXPECT_NEAR(model->slowdown(on("b", 0.6), back), 1.125893, 1e-12);
}

TEST_F(Interference, GpuletIsAtLeastOneAndTheWorstOfSeveralNeighbours) {
  add(profile_with("idle", 0.01, 0.01));
  add(profile_with("busy", 0.5, 0.5));
  const auto model = make({"gpulet", 0, {}});
  // idle beside idle: 0.8954 + a little is below 1.
  const std::vector<Resident> idle{on("idle", 0.5)};
  EXPECT_EQ(model->slowdown(on("idle", 0.5), idle), 1);
  // busy (25 %): 0.7160 0.125 + 0.0882 0.125 + 0.8954 + (0.1129 + 0.3549) 0.005 = 0.998264 -> 1;
  // busy (50 %): 0.7160 0.25 + 0.0882 0.25 + 0.8954 + 0.002339 = 1.098789.
  const std::vector<Resident> two{on("busy", 0.25), on("busy", 0.5)};
  EXPECT_NEAR(model->slowdown(on("idle", 0.5), two), 1.098789, 1e-12);
  EXPECT_EQ(model->slowdown(on("busy", 0.5), {}), 1);
}

TEST_F(Interference, GpuletWarnsAboutMissingUtilisation) {
  Profile bare = profile_with("bare", 0, 0);
  bare.points[0].l2_utilisation.reset();
  add(bare);
  make({"gpulet", 0, {}});
  ASSERT_THAT(warnings_, SizeIs(1));
  EXPECT_THAT(warnings_[0], HasSubstr("bare on 2080ti has no L2 and DRAM utilisation"));
}

Profile with_co_run(const std::string& model, std::vector<CoRun> runs) {
  Profile profile = profile_with(model, 0, 0);
  profile.co_runs = std::move(runs);
  return profile;
}

TEST_F(Interference, PairTableIsTheTableOfTheProfilesCoRuns) {
  add(with_co_run("a", {{"b", 8, 8, 50, 50, 1.3}}));
  add(with_co_run("b", {{"a", 8, 8, 50, 50, 1.1}}));
  const auto model = make({"pair_table", 0, {}});
  // The constant is the mean, 1.2; one co-run at its own place counts 1.14 / 1.15
  // (tests/profiles/pair_table_test.cpp).
  const std::vector<Resident> b{on("b", 0.5, 8)};
  EXPECT_NEAR(model->slowdown(on("a", 0.5, 8), b), 1.2 + 0.1 * 1.14 / 1.15, 1e-12);
  const std::vector<Resident> a{on("a", 0.5, 8)};
  EXPECT_NEAR(model->slowdown(on("b", 0.5, 8), a), 1.2 - 0.1 * 1.14 / 1.15, 1e-12);
  EXPECT_EQ(model->slowdown(on("a", 0.5, 8), {}), 1);
}

TEST_F(Interference, PairTableTakesTheFactorGivenThenTheProfilesThenTheMean) {
  Profile a = with_co_run("a", {{"b", 8, 8, 50, 50, 1.2}});
  a.interference_factor = 1.2;
  add(a);
  add(profile_with("b", 0, 0));
  const std::vector<Resident> beside{on("b", 0.5, 8)};
  EXPECT_NEAR(make({"pair_table", 0, {}})->slowdown(on("a", 0.5, 8), beside), 1.2, 1e-12);
  EXPECT_NEAR(make({"pair_table", 0, {}})->slowdown(on("b", 0.5, 8), beside), 1.2, 1e-12);
  EXPECT_NEAR(make({"pair_table", 1.5, {}})->slowdown(on("b", 0.5, 8), beside), 1.5, 1e-12);
}

TEST_F(Interference, PairTableAddsTheExcessOfSeveralNeighbours) {
  add(with_co_run("a", {{"b", 8, 8, 50, 50, 1.2}}));
  add(profile_with("b", 0, 0));
  const auto model = make({"pair_table", 0, {}});
  // The only co-run is the mean itself: nothing to smooth.
  const std::vector<Resident> two{on("b", 0.5, 8), on("b", 0.5, 8)};
  EXPECT_NEAR(model->slowdown(on("a", 0.5, 8), two), 1.4, 1e-12);
}

TEST_F(Interference, PairTableUsesTheConstantForPairsNeverMeasuredAndSaysSo) {
  add(with_co_run("a", {{"b", 8, 8, 50, 50, 1.2}}));
  add(with_co_run("b", {{"a", 8, 8, 50, 50, 1.1}, {"b", 8, 8, 50, 50, 1.0}}));
  const auto model = make({"pair_table", 0, {}});
  const std::vector<Resident> others{on("a", 0.5, 8)};
  // The mean of 1.2, 1.1 and 1.0.
  EXPECT_NEAR(model->slowdown(on("a", 0.5, 8), others), 1.1, 1e-12);
  ASSERT_THAT(warnings_, SizeIs(1));
  EXPECT_THAT(warnings_[0], HasSubstr("a on 2080ti has no co-runs beside a;"));
}

TEST_F(Interference, KernelLengthIsLinearInTheAggressorsPartOfTheTwoKernelLengths) {
  Profile a = profile_with("a", 0, 0);  // 1 ms in 10 kernels: 0.1 ms
  a.launches = 10;
  Profile b = profile_with("b", 0, 0);  // 1 ms in 2.5 kernels: 0.4 ms
  b.launches = 2.5;
  add(a);
  add(b);
  const auto model = make({"kernel_length", 0, {1.05, 0.1}});
  EXPECT_THAT(warnings_, IsEmpty());
  const std::vector<Resident> long_one{on("b", 1)};
  EXPECT_NEAR(model->slowdown(on("a", 1), long_one), 1.05 + 0.1 * 0.4 / 0.5, 1e-14);
  const std::vector<Resident> both{on("a", 1), on("b", 1)};
  EXPECT_NEAR(model->slowdown(on("b", 1), both), 1.05 + 0.1 * 0.5, 1e-14);
  EXPECT_EQ(model->slowdown(on("a", 1), {}), 1);
  EXPECT_EQ(make({"kernel_length", 0, {0.5, 0.1}})->slowdown(on("a", 1), long_one), 1);
  // Unfitted, it is the V100's, and says so.
  EXPECT_NEAR(make({"kernel_length", 0, {}})->slowdown(on("a", 1), long_one), 1.061 + 0.072 * 0.8,
              1e-14);
  ASSERT_THAT(warnings_, SizeIs(1));
  EXPECT_THAT(warnings_[0], HasSubstr("V100 under MPS"));
}

TEST_F(Interference, KernelLengthWithoutKernelCountsIsTheFactorAndWarns) {
  Profile a = profile_with("a", 0, 0);
  a.launches = 10;
  a.interference_factor = 1.3;
  add(a);
  add(profile_with("b", 0, 0));
  const auto model = make({"kernel_length", 0, {1.05, 0.1}});
  const std::vector<Resident> b{on("b", 1)};
  EXPECT_EQ(model->slowdown(on("a", 1), b), 1.3);
  EXPECT_EQ(model->slowdown(on("b", 1), b), 1);
  ASSERT_THAT(warnings_, SizeIs(1));
  EXPECT_THAT(warnings_[0], HasSubstr("b on 2080ti has no kernel count"));
}

TEST_F(Interference, WrongSpecificationsAreConfigErrors) {
  EXPECT_THROW(make({"constant", 0.9, {}}), ConfigError);
  EXPECT_THROW(make({"gpulet", 0, {1, 2, 3}}), ConfigError);
  EXPECT_THROW(make({"kernel_length", 0, {1, 2, 3}}), ConfigError);
  try {
    make({"gpulets", 0, {}});
    FAIL() << "no error";
  } catch (const ConfigError& error) {
    EXPECT_THAT(error.what(), HasSubstr("did you mean \"gpulet\"?"));
  }
}

}  // namespace
}  // namespace tangram
