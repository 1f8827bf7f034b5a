// mig_serving: the greedy choice, by hand.
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/policies/planners/parvagpu_cases.h"

namespace tangram {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;
using ::testing::SizeIs;
using ::testing::UnorderedElementsAre;

Profile profile_of(const std::string& model, std::vector<std::pair<int, double>> rps) {
  std::vector<LatencyPoint> points;
  for (const auto& [size, items] : rps) {
    points.push_back(point_of({ShareKind::kMig, static_cast<double>(size)}, 1, 1, 1000 / items));
  }
  return table_profile(model, "a100-80gb", std::move(points));
}

std::vector<std::pair<std::string, int>> instances_of(const PlanGpu& gpu) {
  std::vector<std::pair<std::string, int>> found;
  for (const PlanPartition& p : gpu.partitions) {
    found.emplace_back(p.replicas.at(0).workload, *p.size);
  }
  return found;
}

TEST(MigServing, TakesTheConfigurationThatBringsDemandFurthest) {
  // Parts of the demand per instance: a 0.10, 0.25, 0.36 on 1, 2, 3 slices; b 0.55 on 4. 4 + 3 is
  // worth 0.55 + 0.36 = 0.91; 4 + 2 + 1 0.90, 3 + 2 + 2 0.86, 2 + 2 + 2 + 1 0.85.
  MigWorld world;
  world.profiles.add(profile_of("a", {{1, 20}, {2, 50}, {3, 72}}));
  world.profiles.add(profile_of("b", {{4, 110}}));
  world.workloads = {workload_of("a", "a", 200, 200), workload_of("b", "b", 200, 200)};
  const Plan plan = world.plan("mig_serving");
  EXPECT_THAT(plan.unserved, IsEmpty());
  EXPECT_THAT(instances_of(plan.gpus.at(0)), UnorderedElementsAre(Pair("b", 4), Pair("a", 3)));
}

TEST(MigServing, StopsWhenAllIsServedAndLeavesSparePlacesEmpty) {
  MigWorld world;
  world.profiles.add(profile_of("a", {{1, 100}}));
  world.workloads = {workload_of("a", "a", 100, 250)};
  const Plan plan = world.plan("mig_serving");  // three of the seven instances are enough
  ASSERT_THAT(plan.gpus, SizeIs(1));
  EXPECT_THAT(plan.gpus[0].partitions, SizeIs(3));
}

TEST(MigServing, MixesAtMostThreeWorkloadsOnAGpu) {
  MigWorld world;
  for (const std::string name : {"a", "b", "c", "d", "e"}) {
    world.profiles.add(profile_of(name, {{1, 100}}));
    world.workloads.push_back(workload_of(name, name, 100, 1000));
  }
  for (const PlanGpu& gpu : world.plan("mig_serving").gpus) {
    std::set<std::string> names;
    for (const auto& [workload, size] : instances_of(gpu)) names.insert(workload);
    EXPECT_LE(names.size(), 4u);
  }
}

TEST(MigServing, UsesOneProcessPerInstance) {
  MigWorld world;
  world.profiles.add(table_profile(
      "a", "a100-80gb",
      {point_of({ShareKind::kMig, 1}, 1, 1, 10), point_of({ShareKind::kMig, 1}, 2, 1, 12)}));
  world.workloads = {workload_of("a", "a", 100, 150)};
  const Plan plan = world.plan("mig_serving");
  EXPECT_THAT(plan.gpus.at(0).partitions, SizeIs(2));
  EXPECT_EQ(plan.gpus.at(0).partitions.at(0).replicas.at(0).processes, 1u);
}

// Many small workloads, so that the greedy step wastes places. Whatever the improvement phase does,
// it serves all, takes no more GPUs, and does the same for the same seed.
TEST(MigServing, TheImprovementPhaseIsNeverWorseAndRepeatable) {
  MigWorld world;
  for (int i = 0; i < 9; ++i) {
    const std::string name = numbered("m", i);
    world.profiles.add(profile_of(
        name,
        {{1, 20.0 + i}, {2, 45.0 + 3 * i}, {3, 70.0 + 2 * i}, {4, 100.0 + i}, {7, 170.0 + 5 * i}}));
    world.workloads.push_back(workload_of(name, name, 200, 90 + 37 * i));
  }
  const Plan greedy = world.plan("mig_serving");
  const Plan improved = world.plan("mig_serving", R"({"improve_rounds": 300})");
  EXPECT_THAT(improved.unserved, IsEmpty());
  EXPECT_LE(improved.gpus_used(), greedy.gpus_used());
  EXPECT_LT(improved.slices_used(), greedy.slices_used());  // 77 and 90 on 15 GPUs
  EXPECT_EQ(world.plan("mig_serving", R"({"improve_rounds": 300})"), improved);
  EXPECT_NE(world.plan("mig_serving", R"({"improve_rounds": 300, "seed": 2})"), improved);
}

TEST(MigServing, WhatTheClusterCannotHoldIsUnserved) {
  MigWorld world;
  world.profiles.add(profile_of("a", {{7, 100}}));
  world.workloads = {workload_of("a", "a", 100, 350)};
  world.cluster.gpus = {{"a100-80gb", 2}};
  EXPECT_THAT(world.plan("mig_serving").unserved,
              ElementsAre(Unserved{"a", 150, "the cluster has no more GPUs of type a100-80gb"}));
}

}  // namespace
}  // namespace tangram
