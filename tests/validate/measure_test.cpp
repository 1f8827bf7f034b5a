#include "validate/measure.h"

#include <gmock/gmock.h>

#include "profiles/profile_io.h"
#include "tests/validate/measure_fixture.h"

namespace tangram {
namespace {

TEST_F(MeasureTest, AProfileHasEveryPointWithItsSamplesAndProvenance) {
  FakeDevice device;
  const std::vector<Profile> profiles = run(device);
  ASSERT_EQ(profiles.size(), 2U);
  const Profile& p = profiles[1];
  EXPECT_EQ(p.model, "m2");
  EXPECT_EQ(p.gpu, "cpu");
  EXPECT_EQ(p.latency_ms({}, 1, 4), 8);                         // 2 * 4 ms
  EXPECT_EQ(p.latency_ms({ShareKind::kPercent, 50}, 1, 1), 4);  // 2 * 1 ms on half the device
  ASSERT_EQ(p.points.size(), 4U);
  EXPECT_EQ(p.points[0].samples_ms.size(), 10U);
  EXPECT_EQ(p.points[0].suspicion, "");
  EXPECT_EQ(p.weights_mib, 100);
  EXPECT_EQ(p.load_ms, 2);  // the median of loads that took 1, 2 and 3 ms
  EXPECT_EQ(p.provenance.kind, "measured");
  EXPECT_EQ(p.provenance.device, "fake device");
  EXPECT_EQ(p.provenance.repetitions, 10U);
  EXPECT_EQ(p.variability.kind, Variability::Kind::kEmpirical);
}

TEST_F(MeasureTest, WhatIsMeasuredCanBeStoredAndReadBack) {
  FakeDevice device;
  const std::string store = folder_.file("p.h5");
  write_profile_store(store, run(device));
  Faults faults;
  const std::vector<Profile> back = read_profile_file(store, faults);
  faults.throw_if_any();
  ASSERT_EQ(back.size(), 2U);
  EXPECT_EQ(back[0].latency_ms({}, 1, 3), 3);  // linear between 1 and 4
}

TEST_F(MeasureTest, VisitsOfAPointAreSpreadOverTheMeasurement) {
  FakeDevice device;
  run(device);
  // Eight points, five rounds: the first and the last visit of each lie three rounds apart.
  std::map<std::string, std::pair<std::size_t, std::size_t>> seen;
  for (std::size_t i = 0; i < device.runs.size(); ++i) {
    seen.emplace(device.runs[i], std::make_pair(i, i)).first->second.second = i;
  }
  EXPECT_EQ(seen.size(), 8U);
  for (const auto& [point, where] : seen) {
    EXPECT_GT(where.second - where.first, device.runs.size() / 2) << point;
  }
}

TEST_F(MeasureTest, ADriftFallsOnAllPointsAlike) {
  FakeDevice device;
  device.drift = 0.001;
  const std::vector<Profile> profiles = run(device);
  // Without spreading, the last point would be 20 % slower than the first. The ratio of two
  // points of one model stays 4 to within a few percent.
  const double ratio = *profiles[0].latency_ms({}, 1, 4) / *profiles[0].latency_ms({}, 1, 1);
  EXPECT_NEAR(ratio, 4, 0.15);
}

TEST_F(MeasureTest, ProgressAscendsToOne) {
  FakeDevice device;
  run(device);
  EXPECT_TRUE(std::is_sorted(progress_.begin(), progress_.end()));
  EXPECT_EQ(progress_.back(), 1);
}

TEST_F(MeasureTest, AMeasurementThatDiedGoesOnWhereItWas) {
  FakeDevice whole;
  const std::vector<Profile> expected = [&] {
    MeasureJournal journal(folder_.file("other.journal"), key_of(plan_));
    return measure(whole, plan_, journal, {});
  }();
  FakeDevice first;
  first.dies_at = whole.runs.size() / 2;
  EXPECT_THROW(run(first), SystemError);
  FakeDevice second;
  const std::vector<Profile> profiles = run(second);
  // Nothing was done twice but the warm-ups and the visit that died.
  EXPECT_LT(second.runs.size(), whole.runs.size() * 4 / 5);
  for (std::size_t m = 0; m < 2; ++m) {
    ASSERT_EQ(profiles[m].points.size(), expected[m].points.size());
    for (std::size_t i = 0; i < expected[m].points.size(); ++i) {
      EXPECT_EQ(profiles[m].points[i].samples_ms, expected[m].points[i].samples_ms);
    }
  }
}

TEST_F(MeasureTest, ACompleteJournalNeedsNoFurtherRun) {
  FakeDevice device;
  run(device);
  FakeDevice again;
  run(again);
  EXPECT_THAT(again.runs, ::testing::IsEmpty());
}

TEST_F(MeasureTest, PairsAreMeasuredAloneBesideEachOtherAndAloneAgain) {
  FakeDevice device;
  Faults faults;
  read_pairs({{"m1+m2"}, {}, {}}, plan_, faults);
  faults.throw_if_any();
  const std::vector<Profile> profiles = run(device);
  ASSERT_EQ(profiles[0].co_runs.size(), 2U);  // two batches
  const CoRun& beside = profiles[0].co_runs[1];
  EXPECT_EQ(beside.other, "m2");
  EXPECT_EQ(beside.batch, 4U);
  EXPECT_EQ(beside.share_pct, 50);
  EXPECT_DOUBLE_EQ(beside.slowdown, 1.5);
  ASSERT_EQ(profiles[1].co_runs.size(), 2U);
  EXPECT_EQ(profiles[1].co_runs[0].other, "m1");
  EXPECT_DOUBLE_EQ(profiles[1].co_runs[0].slowdown, 1.5);
}

TEST_F(MeasureTest, PairsMayHaveOtherBatchesAndShares) {
  FakeDevice device;
  Faults faults;
  read_pairs({{"m1+m2"}, {"1/4"}, {"20/80", "50/50"}}, plan_, faults);
  faults.throw_if_any();
  const std::vector<Profile> profiles = run(device);
  ASSERT_EQ(profiles[1].co_runs.size(), 2U);
  const CoRun& second = profiles[1].co_runs[0];
  EXPECT_EQ(second.batch, 4U);
  EXPECT_EQ(second.other_batch, 1U);
  EXPECT_EQ(second.share_pct, 80);
  EXPECT_EQ(second.other_share_pct, 20);
  EXPECT_EQ(profiles[1].co_runs[1].share_pct, 50);
}

TEST_F(MeasureTest, AHogLoadsTheDeviceBesideAModelAndHasNoProfile) {
  FakeDevice device;
  plan_.hogs = {"h3"};
  Faults faults;
  check_plan(plan_, faults);
  read_pairs({{"m1+m2", "m1+h3"}, {"1/1"}, {}}, plan_, faults);
  faults.throw_if_any();
  const std::vector<Profile> profiles = run(device);
  EXPECT_EQ(device.hogs_opened, 1);
  ASSERT_EQ(profiles.size(), 2U);
  ASSERT_EQ(profiles[0].co_runs.size(), 2U);
  EXPECT_EQ(profiles[0].co_runs[0].other, "m2");
  EXPECT_EQ(profiles[0].co_runs[1].other, "h3");
  EXPECT_DOUBLE_EQ(profiles[0].co_runs[1].slowdown, 1.5);
  EXPECT_EQ(profiles[1].co_runs.size(), 1U);
}

TEST_F(MeasureTest, EveryFaultOfTheHogsIsTold) {
  plan_.hogs = {"m1", "h3", "h4"};
  Faults faults;
  check_plan(plan_, faults);
  EXPECT_EQ(faults.size(), 1U);  // m1 is a model
  read_pairs({{"h3+m2", "m1+h3"}, {"1/1"}, {}}, plan_, faults);
  // h3 stands first; m1 and h4 are in no pair as hogs.
  EXPECT_EQ(faults.size(), 4U);
  try {
    faults.throw_if_any();
  } catch (const ConfigError& error) {
    EXPECT_THAT(error.what(), ::testing::HasSubstr("a hog stands second"));
    EXPECT_THAT(error.what(), ::testing::HasSubstr("\"h4\" is in no pair, as MODEL+h4"));
  }
}

TEST_F(MeasureTest, KernelsAreListedForTheBatchesAskedFor) {
  plan_.kernel_batches = {1, 8};
  FakeDevice device;
  const std::string store = folder_.file("p.h5");
  write_profile_store(store, run(device));
  EXPECT_EQ(progress_.back(), 1);
  Faults faults;
  const std::vector<Profile> back = read_profile_file(store, faults);
  faults.throw_if_any();
  ASSERT_EQ(back.size(), 2U);
  ASSERT_EQ(back[1].kernels.size(), 5U);  // two at batch 1, three at batch 8
  EXPECT_EQ(back[1].kernels[1], (Kernel{1, "k", 1, 32, 0, 0, 2}));
  EXPECT_EQ(back[1].kernels[4], (Kernel{8, "k", 8, 32, 0, 0, 3}));
  EXPECT_EQ(back[1].launches, 2);
  EXPECT_EQ(back[0].launches, 1);
}

TEST_F(MeasureTest, ADeviceThatListsNoKernelsLeavesThemOut) {
  plan_.kernel_batches = {1, 8};
  FakeDevice device;
  device.lists_kernels = false;
  const std::vector<Profile> profiles = run(device);
  EXPECT_THAT(profiles[0].kernels, ::testing::IsEmpty());
  EXPECT_EQ(profiles[0].launches, std::nullopt);
  plan_.kernel_batches = {0};
  Faults faults;
  check_plan(plan_, faults);
  EXPECT_EQ(faults.size(), 1U);
}

TEST_F(MeasureTest, EveryFaultOfThePairsIsTold) {
  Faults faults;
  read_pairs({{"m1", "m1+m9"}, {"4", "0/4"}, {"60/50"}}, plan_, faults);
  EXPECT_EQ(faults.size(), 5U);
}

TEST_F(MeasureTest, SamplesAreSummarizedRobustly) {
  // Median 3, deviations 2 1 0 1 97: MAD 1, scaled 1.4826; one lies beyond five of them.
  const SampleSummary s = summarize_samples({1, 2, 3, 4, 100});
  EXPECT_EQ(s.mean, 22);
  EXPECT_EQ(s.median, 3);
  EXPECT_DOUBLE_EQ(s.mad, 1.4826);
  EXPECT_EQ(s.outliers, 1U);
  EXPECT_EQ(summarize_samples({2, 4}).median, 3);
}

TEST_F(MeasureTest, AJournalOfAnotherMeasurementIsRefused) {
  { const MeasureJournal journal(path_, key_of(plan_)); }
  plan_.repetitions = 11;
  EXPECT_THROW(MeasureJournal(path_, key_of(plan_)), ConfigError);
}

TEST_F(MeasureTest, AJournalSurvivesALineThatWasCutShort) {
  {
    MeasureJournal journal(path_, key_of(plan_));
    journal.add("one", {1.5, 2.5});
    journal.add("two", {3});
  }
  const std::string text = testing::content_of(path_);
  folder_.write("p.h5.journal", text.substr(0, text.size() - 3));
  MeasureJournal journal(path_, key_of(plan_));
  ASSERT_NE(journal.find("one"), nullptr);
  EXPECT_THAT(*journal.find("one"), ::testing::ElementsAre(1.5, 2.5));
  EXPECT_EQ(journal.find("two"), nullptr);
  journal.add("two", {4});
  EXPECT_EQ(journal.size(), 2U);
}

TEST_F(MeasureTest, ADamagedJournalNamesItsLine) {
  { const MeasureJournal journal(path_, key_of(plan_)); }
  const std::string head = testing::content_of(path_);
  for (const char* line :
       {"nonsense\n", "{\"visit\": \"a\"}\n", "{\"visit\": \"a\", \"ms\": [-1]}\n"}) {
    folder_.write("p.h5.journal", head + line);
    try {
      const MeasureJournal journal(path_, key_of(plan_));
      ADD_FAILURE() << line;
    } catch (const ConfigError& error) {
      EXPECT_THAT(error.what(), ::testing::HasSubstr("p.h5.journal:2"));
    }
  }
}

TEST_F(MeasureTest, TwoMeasurementsDoNotShareAJournal) {
  const MeasureJournal journal(path_, key_of(plan_));
  EXPECT_THROW(MeasureJournal(path_, key_of(plan_)), ConfigError);
}

}  // namespace
}  // namespace tangram
