// What a device used and counted while points were measured.
#include <gmock/gmock.h>

#include "tests/validate/measure_fixture.h"

namespace tangram {
namespace {

using MeasureUse = MeasureTest;

TEST_F(MeasureUse, UseIsThatOfTheMeasuredBatchesOverWhatWasGranted) {
  FakeDevice device;
  device.processors = 0.8;
  for (const Profile& profile : run(device)) {
    for (const LatencyPoint& point : profile.points) {
      // Half a millisecond on a processor in 1.25 ms of 0.8 processors; 200 W throughout.
      ASSERT_TRUE(point.sm_occupancy && point.power_w);
      EXPECT_NEAR(*point.sm_occupancy, 0.5, 1e-9);
      EXPECT_NEAR(*point.power_w, 200, 1e-6);
    }
  }
  // The same from the journal, without a run.
  FakeDevice again;
  const std::vector<Profile> profiles = run(again);
  EXPECT_THAT(again.runs, ::testing::IsEmpty());
  EXPECT_NEAR(profiles[0].points[0].sm_occupancy.value_or(0), 0.5, 1e-9);
}

TEST_F(MeasureUse, UseIsAtMostAllAndUnknownWhereNothingCounts) {
  FakeDevice device;
  device.processors = 0.1;
  EXPECT_EQ(run(device)[0].points[0].sm_occupancy, 1);
  FakeDevice blind;
  MeasureJournal journal(folder_.file("blind.journal"), key_of(plan_));
  const std::vector<Profile> profiles = measure(blind, plan_, journal, {});
  EXPECT_EQ(profiles[0].points[0].sm_occupancy, std::nullopt);
  EXPECT_EQ(profiles[0].points[0].power_w, std::nullopt);
}

TEST_F(MeasureUse, CountersTellOfTheModelThatIsVisitedAlone) {
  plan_.min_time_s = 0.5;  // visits of 100 ms
  FakeDevice device;
  device.counter_age_s = 0.1;
  Faults faults;
  read_pairs({{"m1+m2"}, {"1/1"}, {}}, plan_, faults);
  faults.throw_if_any();
  const auto check = [](const std::vector<Profile>& profiles) {
    for (std::size_t m = 0; m < 2; ++m) {
      for (const LatencyPoint& point : profiles[m].points) {
        ASSERT_TRUE(point.dram_utilisation && point.sm_occupancy);
        EXPECT_NEAR(*point.dram_utilisation, 0.2 * double(m + 1), 1e-9);
        EXPECT_NEAR(*point.sm_occupancy, 0.1 * double(m + 1), 1e-9);
        EXPECT_FALSE(point.l2_utilisation);
      }
    }
  };
  check(run(device));
  EXPECT_THAT(device.notes, ::testing::IsEmpty());
  // Two readings for each of five visits of eight points; none for pairs.
  EXPECT_EQ(device.readings, 80U);
  FakeDevice again;  // the same from the journal, without a run
  again.counter_age_s = 0.1;
  check(run(again));
  EXPECT_THAT(again.runs, ::testing::IsEmpty());
}

TEST_F(MeasureUse, CountersSurviveAnInterruption) {
  plan_.min_time_s = 0.5;
  FakeDevice first;
  first.counter_age_s = 0.1;
  first.dies_at = 1500;
  EXPECT_THROW(run(first), SystemError);
  FakeDevice second;
  second.counter_age_s = 0.1;
  for (const Profile& profile : run(second)) {
    for (const LatencyPoint& point : profile.points) {
      const double expected = profile.model == "m1" ? 0.2 : 0.4;
      EXPECT_NEAR(point.dram_utilisation.value_or(0), expected, 1e-9);
    }
  }
  EXPECT_GT(second.readings, 0U);
  EXPECT_LT(second.readings, 80U);
}

TEST_F(MeasureUse, VisitsTooShortForTheCountersAreNotCountedNorMadeLonger) {
  FakeDevice plain;
  {
    MeasureJournal journal(folder_.file("plain.journal"), key_of(plan_));
    measure(plain, plan_, journal, {});
  }
  FakeDevice device;
  device.counter_age_s = 0.1;
  const std::vector<Profile> profiles = run(device);
  EXPECT_EQ(device.runs, plain.runs);
  EXPECT_EQ(profiles[0].points[0].dram_utilisation, std::nullopt);
  EXPECT_EQ(profiles[0].points[0].sm_occupancy, std::nullopt);
  EXPECT_THAT(device.notes, ::testing::ElementsAre(::testing::AllOf(
                                ::testing::HasSubstr("8 of 8 points have no DRAM use"),
                                ::testing::HasSubstr("--min-time 0.5"))));
  EXPECT_THAT(plain.notes, ::testing::IsEmpty());
}

TEST_F(MeasureUse, OneReadingThatFailedCostsItsPointAlone) {
  plan_.min_time_s = 0.5;
  FakeDevice device;
  device.counter_age_s = 0.1;
  device.fails_at = 11;  // after the sixth visit
  int unknown = 0;
  for (const Profile& profile : run(device)) {
    for (const LatencyPoint& point : profile.points) unknown += point.dram_utilisation ? 0 : 1;
  }
  EXPECT_EQ(unknown, 1);
  EXPECT_THAT(device.notes,
              ::testing::ElementsAre(::testing::HasSubstr("1 of 8 points have no DRAM use")));
}

}  // namespace
}  // namespace tangram
