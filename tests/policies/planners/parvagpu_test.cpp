// parvagpu: by hand, and never more GPUs than the released program.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/policies/planners/parvagpu_cases.h"

namespace tangram {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

// Batch 1 on each size: 1000 / latency items/s.
MigWorld mig_world_of(std::vector<LatencyPoint> points, double rate_rps, double slo_ms = 100) {
  MigWorld world;
  world.profiles.add(table_profile("m", "a100-80gb", std::move(points)));
  world.workloads = {workload_of("w", "m", slo_ms, rate_rps)};
  world.cluster.gpus = {{"a100-80gb", 50}};
  return world;
}

std::vector<std::vector<int>> sorted_cuts_of(const Plan& plan) {
  std::vector<std::vector<int>> cuts;
  for (const PlanGpu& gpu : plan.gpus) {
    std::vector<int>& sizes = cuts.emplace_back();
    for (const PlanPartition& p : gpu.partitions) sizes.push_back(*p.size);
    std::sort(sizes.rbegin(), sizes.rend());
  }
  return cuts;
}

TEST(Parvagpu, FillsTheDensestSizeAndEndsWithTheSmallestThatCoversTheRest) {
  // 100, 220 and 390 items/s: 130 per slice on 3, the most. 900 = 2 x 390 + 120: then size 2. On
  // one GPU that is 3 + 3 + 2; legal are 3 + 3, or 3 + 2 + 2.
  const MigWorld world =
      mig_world_of({point_of(kMig1, 1, 1, 1000.0 / 100), point_of(kMig2, 1, 1, 1000.0 / 220),
                    point_of(kMig3, 1, 1, 1000.0 / 390)},
                   900);
  const Plan plan = world.plan("parvagpu");
  EXPECT_THAT(plan.unserved, IsEmpty());
  EXPECT_EQ(plan.gpus_used(), 2u);
  EXPECT_EQ(plan.slices_used(), 8u);
}

TEST(Parvagpu, SplitsASegmentIntoHolesWhereThatFreesAGpu) {
  // 650 = 2 x 300 + 50: sizes 3, 3 and 1 on two GPUs. Without one of the 3, the demand lacks 260: a
  // piece of 2 (190, the densest that fits beside 3 + 1) and one of 1 for the remaining 70.
  const MigWorld world =
      mig_world_of({point_of(kMig1, 1, 1, 1000.0 / 90), point_of(kMig2, 1, 1, 1000.0 / 190),
                    point_of(kMig3, 1, 1, 1000.0 / 300)},
                   650);
  const Plan plan = world.plan("parvagpu");
  EXPECT_THAT(plan.unserved, IsEmpty());
  EXPECT_THAT(sorted_cuts_of(plan), ElementsAre(ElementsAre(3, 2, 1, 1)));
}

TEST(Parvagpu, ServesAModelThatNeedsMoreThanOneSlice) {
  // Nothing on 1 slice is fast enough: the released program crashes here.
  const MigWorld world =
      mig_world_of({point_of(kMig1, 1, 1, 50), point_of(kMig2, 1, 1, 20)}, 120, 100);
  EXPECT_THAT(sorted_cuts_of(world.plan("parvagpu")), ElementsAre(ElementsAre(2, 2, 2)));
  try {
    world.plan("parvagpu_released");
    FAIL() << "the released program crashes";
  } catch (const NoAnswer& error) {
    EXPECT_THAT(error.what(), HasSubstr("crashes in demand matching: w has no point of 1 slice"));
  }
}

TEST(Parvagpu, ARateBelowOneIsServed) {
  const MigWorld world = mig_world_of({point_of(kMig1, 1, 1, 10)}, 0.5);
  EXPECT_THAT(sorted_cuts_of(world.plan("parvagpu")), ElementsAre(ElementsAre(1)));
  EXPECT_THAT(world.plan("parvagpu_released").unserved,
              ElementsAre(Unserved{
                  "w", 0.5, "the released program reads its rate as an integer, 0, and skips it"}));
}

TEST(Parvagpu, AnSloThatNoPointMeetsIsUnserved) {
  const MigWorld world = mig_world_of({point_of(kMig1, 1, 1, 45)}, 10, 100);
  const Plan plan = world.plan("parvagpu");  // 45 ms is not below 0.45 of 100 ms
  EXPECT_THAT(plan.gpus, IsEmpty());
  ASSERT_THAT(plan.unserved, SizeIs(1));
  EXPECT_THAT(plan.unserved[0].reason, HasSubstr("takes less than 45 ms"));
  EXPECT_THAT(sorted_cuts_of(world.plan("parvagpu", R"({"slo_share": 0.5})")),
              ElementsAre(ElementsAre(1)));
}

TEST(Parvagpu, PointsThatDoNotFitTheMemoryAreNotUsed) {
  // An instance of 1 slice has 10 GiB, one of 2 has 20.
  MigWorld world = mig_world_of({}, 100);
  Profile profile =
      table_profile("m", "a100-80gb", {point_of(kMig1, 1, 1, 5), point_of(kMig2, 1, 1, 5)});
  profile.memory_mib = 15'000;
  world.profiles = ProfileSet();
  world.profiles.add(profile);
  EXPECT_THAT(sorted_cuts_of(world.plan("parvagpu")), ElementsAre(ElementsAre(2)));
}

TEST(Parvagpu, WhatTheClusterCannotHoldIsUnserved) {
  MigWorld world = mig_world_of({point_of(kMig7, 1, 1, 10)}, 450);  // five GPUs of 100 items/s
  world.cluster.gpus = {{"t4", 1}, {"a100-80gb", 3}};
  const Plan plan = world.plan("parvagpu");
  ASSERT_THAT(plan.gpus, SizeIs(3));
  EXPECT_EQ(plan.gpus[0].index, 1u);  // numbers count the whole cluster
  EXPECT_THAT(plan.unserved,
              ElementsAre(Unserved{
                  "w", 150, "the plan needs 5 GPUs, and the cluster has 3 of type a100-80gb"}));
}

TEST(Parvagpu, ACutNeedsOneTypeWithMig) {
  MigWorld world = mig_world_of({point_of(kMig1, 1, 1, 10)}, 10);
  world.cluster.gpus = {{"t4", 1}};
  EXPECT_THROW(world.plan("parvagpu"), NoAnswer);
  world.cluster.gpus = {{"h200", 1}, {"a100-80gb", 1}};
  EXPECT_THROW(world.plan("parvagpu"), NoAnswer);
}

TEST(Parvagpu, NeverTakesMoreGpusThanTheReleasedProgramThatServesAllDemand) {
  if (reference_data() == nullptr) GTEST_SKIP() << "TANGRAM_REFERENCE_DATA is not set";
  MigWorld world;
  world.profiles = parvagpu_profiles();
  for (const Json& one : parvagpu_reference_cases()) {
    world.workloads = parvagpu_workloads(one);
    for (const std::string processes : {"3", "5"}) {
      SCOPED_TRACE(one["id"].get<std::string>() + ", limit " + processes);
      const Plan plan = world.plan("parvagpu", R"({"max_processes": )" + processes + '}');
      for (const Unserved& entry : plan.unserved) {
        EXPECT_THAT(entry.reason, HasSubstr("takes less than"));
      }
      const Json& build = one['P' + processes];
      if (build["rc"] == 0 && !build.contains("unmet_fraction") && !build.contains("unserved")) {
        EXPECT_LE(plan.gpus_used(), build["gpus"].get<std::uint32_t>());
      }
    }
  }
}

}  // namespace
}  // namespace tangram
