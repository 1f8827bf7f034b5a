// Which SMs partitions get: the deal of groups, and what the driver makes of it.
#include "engine/cuda/partition.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/engine/cuda/fake_driver.h"

namespace tangram {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

using Groups = std::vector<unsigned>;

TEST(PlanSms, MultiplesOfAGroupAreDealtExactly) {
  // H200: 132 SMs are 16 groups of 8, and 4. 32 + 24 + 72 SMs = 4 + 3 + 9 groups.
  const SmPlan plan = plan_sms({32, 24, 72}, 8, 16, 4);
  EXPECT_EQ(plan.groups, (Groups{4, 3, 9}));
  EXPECT_FALSE(plan.with_remainder);
}

TEST(PlanSms, TheLargestFractionsGetTheGroupsThatAreLeft) {
  // 40 % and 60 % of 132: 52.8 = 6.6 groups, 79.2 = 9.9 groups; 16.5 groups rounded, at most 16.
  // Down: 6 + 9; one more to .9. Missing then: 4.8 and -0.8 SMs, so the 4 SMs go to the first.
  const SmPlan plan = plan_sms({52.8, 79.2}, 8, 16, 4);
  EXPECT_EQ(plan.groups, (Groups{6, 10}));
  EXPECT_EQ(plan.with_remainder, 0U);
}

TEST(PlanSms, AWishBetweenGroupsGoesToTheNearest) {
  EXPECT_EQ(plan_sms({30}, 8, 16, 0).groups, Groups{4});  // 3.75
  EXPECT_EQ(plan_sms({27}, 8, 16, 0).groups, Groups{3});  // 3.375
}

TEST(PlanSms, TheWholeDeviceIncludesTheRemainder) {
  const SmPlan plan = plan_sms({132}, 8, 16, 4);
  EXPECT_EQ(plan.groups, Groups{16});
  EXPECT_EQ(plan.with_remainder, 0U);
}

TEST(PlanSms, ARemainderThatNobodyMissesStaysIdle) {
  EXPECT_FALSE(plan_sms({64, 64}, 8, 16, 4).with_remainder);
}

TEST(PlanSms, EveryPartitionGetsAGroupAndTheLargestGivesWay) {
  EXPECT_EQ(plan_sms({1, 1, 130}, 8, 16, 4).groups, (Groups{1, 1, 14}));
}

TEST(PlanSms, MorePartitionsThanGroupsAreRefused) {
  EXPECT_THAT(
      [] { plan_sms(std::vector<double>(17, 8.0), 8, 16, 4); },
      ThrowsMessage<RunnerError>(HasSubstr("17 partitions, but the device splits into 16")));
}

TEST(PlanSms, NeverDealsMoreThanThereIs) {
  for (unsigned count = 1; count <= 16; ++count) {
    for (double share = 0.1; share <= 1.0; share += 0.1) {
      std::vector<double> wanted(count, 132 * share);
      wanted.front() = 3;
      const SmPlan plan = plan_sms(wanted, 8, 16, 4);
      unsigned sum = 0;
      for (const unsigned groups : plan.groups) {
        EXPECT_GE(groups, 1U);
        sum += groups;
      }
      EXPECT_LE(sum, 16U) << count << " partitions of " << share;
    }
  }
}

TEST(SmGranularity, FollowsTheComputeCapability) {
  EXPECT_EQ(sm_granularity(7), (SmGranularity{2, 2}));
  EXPECT_EQ(sm_granularity(8), (SmGranularity{4, 2}));
  EXPECT_EQ(sm_granularity(9), (SmGranularity{8, 8}));
  EXPECT_EQ(sm_granularity(10), (SmGranularity{8, 8}));
}

std::vector<unsigned> granted(const fake::Settings& settings, const std::vector<double>& wanted) {
  const fake::Driver fake(settings);
  const CudaDriver driver = fake.table();
  std::vector<unsigned> sms;
  for (const GreenPartition& partition : make_green_partitions(driver, 0, wanted)) {
    sms.push_back(partition.granted_sms);
  }
  return sms;
}

TEST(GreenPartitions, UnequalPartitionsComeFromOneSplit) {
  EXPECT_THAT(granted({}, {32, 24, 76}), ElementsAre(32, 24, 76));
}

TEST(GreenPartitions, AreFinerOnOlderDevices) {
  fake::Settings a100;
  a100.compute_major = 8;
  a100.sms = 108;
  EXPECT_THAT(granted(a100, {20, 88}), ElementsAre(20, 88));
}

TEST(GreenPartitions, SayWhatWasGrantedNotWhatWasAsked) {
  fake::Settings settings;
  settings.sms = 142;
  settings.compute_major = 8;
  settings.withhold_from = 120;
  settings.withheld_sms = 6;
  EXPECT_THAT(granted(settings, {120}), ElementsAre(114));
}

TEST(GreenPartitions, GoAwayWithTheirOwners) {
  const fake::Driver fake({});
  const CudaDriver driver = fake.table();
  { const auto partitions = make_green_partitions(driver, 0, {64, 64}); }
  EXPECT_EQ(fake.live_objects(), 0U);
}

TEST(GreenPartitions, AContextThatCannotBeMadeIsAnErrorWithItsName) {
  fake::Settings settings;
  settings.contexts_fail = true;
  EXPECT_THAT(
      [&] { granted(settings, {64}); },
      ThrowsMessage<RunnerError>("cuGreenCtxCreate: CUDA_ERROR_OUT_OF_MEMORY (out of memory)"));
}

TEST(GreenPartitions, AnOldDriverIsUnsupported) {
  fake::Settings settings;
  settings.green_contexts = false;
  EXPECT_THAT([&] { granted(settings, {64}); },
              ThrowsMessage<RunnerError>(HasSubstr("no green contexts")));
}

TEST(ProbeSplits, TellsTheGroupsOfEveryMinimum) {
  const fake::Driver fake({});
  const CudaDriver driver = fake.table();
  const std::vector<SplitProbe> probes = probe_splits(driver, 0, 0);
  ASSERT_EQ(probes.size(), 132U);
  // 132 / 8 = 16.5; 132 / 16 = 8.25; 132 / 72 = 1.8 (66 is rounded up to 72).
  EXPECT_EQ(probes[7].groups, 16U);
  EXPECT_EQ(probes[8].groups, 8U);
  EXPECT_EQ(probes[65].groups, 1U);
  const auto fine = probe_splits(driver, 0, CU_DEV_SM_RESOURCE_SPLIT_IGNORE_SM_COSCHEDULING);
  EXPECT_EQ(fine[65].groups, 2U);
}

}  // namespace
}  // namespace tangram
