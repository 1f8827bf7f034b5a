// The three planners without search: exclusive, dedicated, even.
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "policies/plan_io.h"
#include "policies/registry.h"
#include "tests/policies/plan_fixtures.h"

namespace tangram {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

struct PlannedWorld {
  std::vector<Workload> workloads;
  ProfileSet profiles;
  Cluster cluster;

  Plan plan(const std::string& name, const std::string& params = "{}") const {
    Faults faults;
    const PlannerEntry* entry = find_planner(name);
    const std::optional<Json> json = parse_json(params, "params", faults);
    const Params read = read_params(entry->info, JsonNode(*json, "params", faults), faults);
    faults.throw_if_any();
    const Plan result = entry->make()->plan({workloads, profiles, cluster, read, nullptr});
    // Whatever a planner says must pass the check.
    check_plan(result, workloads, profiles, cluster, name + '#', faults);
    EXPECT_THAT(sentences(faults), IsEmpty());
    EXPECT_EQ(result.planner, name);
    return result;
  }
};

// Indices of the GPUs that serve a workload.
std::vector<std::uint32_t> gpus_of(const Plan& plan, const std::string& workload) {
  std::vector<std::uint32_t> indices;
  for (const PlanGpu& gpu : plan.gpus) {
    for (const PlanPartition& partition : gpu.partitions) {
      for (const PlanReplica& replica : partition.replicas) {
        if (replica.workload == workload) indices.push_back(gpu.index);
      }
    }
  }
  return indices;
}

TEST(Registry, HasEveryPolicyUnderTheNameItGivesItself) {
  EXPECT_THAT(planner_names(), ::testing::IsSupersetOf({"exclusive", "dedicated", "even"}));
  for (const PlannerEntry& entry : planners()) {
    EXPECT_EQ(find_planner(entry.info.name), &entry);  // unique
    EXPECT_NE(entry.info.summary, "");
    EXPECT_NE(entry.info.source, "");
    for (const ParamInfo& param : entry.info.params) EXPECT_NE(param.help, "") << param.name;
  }
  EXPECT_EQ(find_planner("exclusiv"), nullptr);
}

TEST(Exclusive, EveryGpuIsOnePartitionForEveryWorkload) {
  PlannedWorld world;
  world.workloads = {workload_of("a", "m"), workload_of("b", "n")};
  world.profiles.add(linear_profile("m", "ideal", 5, 1, 8));
  world.profiles.add(linear_profile("n", "ideal", 5, 1, 8));
  world.cluster.gpus = {{"ideal", 3}};
  const Plan plan = world.plan("exclusive");
  ASSERT_THAT(plan.gpus, SizeIs(3));
  for (std::uint32_t g = 0; g < 3; ++g) {
    EXPECT_EQ(plan.gpus[g],
              (PlanGpu{g, "ideal", GpuMode::kWhole, {whole_partition({replica_of("*", "*")})}}));
  }
  EXPECT_THAT(plan.unserved, IsEmpty());
}

TEST(Exclusive, AGpuTypeServesTheWorkloadsThatCanRunThere) {
  PlannedWorld world;
  world.workloads = {workload_of("a", "m"), workload_of("b", "n")};
  world.profiles.add(linear_profile("m", "ideal", 5, 1, 8));
  world.profiles.add(linear_profile("n", "ideal", 5, 1, 8));
  world.profiles.add(linear_profile("m", "t4", 9, 1, 8));
  world.cluster.gpus = {{"ideal", 1}, {"t4", 1}, {"v100", 1}};
  const Plan plan = world.plan("exclusive");
  ASSERT_THAT(plan.gpus, SizeIs(2));  // nothing runs on the v100
  EXPECT_EQ(plan.gpus[1].partitions[0].replicas, (std::vector{replica_of("a", "m")}));
  EXPECT_THAT(plan.unserved, IsEmpty());
}

TEST(Exclusive, AModelThatFitsNowhereIsUnservedWithTheReason) {
  PlannedWorld world;
  world.workloads = {workload_of("a", "m"), workload_of("big", "n", 100, 7)};
  world.profiles.add(linear_profile("m", "t4", 5, 1, 8));
  Profile big = linear_profile("n", "t4", 5, 1, 8);
  big.memory_mib = 20'000;
  world.profiles.add(big);
  world.cluster.gpus = {{"t4", 1}, {"v100", 1}};
  EXPECT_THAT(world.plan("exclusive").unserved,
              ElementsAre(Unserved{
                  "big", 7, "n needs 20000 MiB, t4 has 16384 MiB; no profile of n on v100"}));
}

// latency(b) = 5 + b ms, SLO 50 ms: 2 (5 + b) <= 50 gives b = 20, capacity 20 / 25 ms = 800/s, and
// 720/s at the default load of 0.9.
PlannedWorld dedicated_world(double rate_rps, std::uint32_t gpus) {
  PlannedWorld world;
  world.workloads = {workload_of("a", "m", 50, rate_rps), workload_of("b", "m", 50, 100)};
  world.profiles.add(linear_profile("m", "ideal", 5, 1, 64));
  world.cluster.gpus = {{"ideal", gpus}};
  return world;
}

TEST(Dedicated, TakesAsManyGpusAsTheRateNeeds) {
  EXPECT_THAT(gpus_of(dedicated_world(720, 4).plan("dedicated"), "a"), ElementsAre(0));
  const Plan plan = dedicated_world(1441, 4).plan("dedicated");  // ceil(1441 / 720) = 3
  EXPECT_THAT(gpus_of(plan, "a"), ElementsAre(0, 1, 2));
  EXPECT_THAT(gpus_of(plan, "b"), ElementsAre(3));
  EXPECT_THAT(plan.unserved, IsEmpty());
  EXPECT_NEAR(*plan.gpus[0].partitions[0].replicas[0].rate_rps, 1441.0 / 3, 1e-9);
}

TEST(Dedicated, MaxLoadSetsTheHeadroom) {
  // Capacity 800/s: one GPU at load 1, two at load 0.5.
  EXPECT_THAT(gpus_of(dedicated_world(800, 4).plan("dedicated", R"({"max_load": 1})"), "a"),
              ElementsAre(0));
  EXPECT_THAT(gpus_of(dedicated_world(800, 4).plan("dedicated", R"({"max_load": 0.5})"), "a"),
              ElementsAre(0, 1));
}

TEST(Dedicated, ListsTheRateThatDoesNotFit) {
  const Plan plan = dedicated_world(1000, 1).plan("dedicated");
  EXPECT_THAT(plan.unserved,
              ElementsAre(Unserved{"a", 280, "needs more GPUs: 1 carry 720 of 1000 requests/s"},
                          Unserved{"b", 100, "no GPU is left"}));
}

TEST(Dedicated, AModelSlowerThanHalfItsSloRunsOneByOne) {
  PlannedWorld world;
  world.workloads = {workload_of("a", "m", 10, 100)};
  world.profiles.add(linear_profile("m", "ideal", 9, 1, 64));  // 10 ms: 100/s, 90/s at 0.9
  world.cluster.gpus = {{"ideal", 4}};
  EXPECT_THAT(gpus_of(world.plan("dedicated"), "a"), ElementsAre(0, 1));
}

TEST(Dedicated, SkipsGpusOnWhichTheModelCannotRun) {
  PlannedWorld world = dedicated_world(100, 2);
  world.cluster.gpus = {{"t4", 1}, {"ideal", 2}};
  const Plan plan = world.plan("dedicated");
  EXPECT_THAT(gpus_of(plan, "a"), ElementsAre(1));
  EXPECT_THAT(gpus_of(plan, "b"), ElementsAre(2));
}

PlannedWorld even_world(std::uint32_t workloads, std::uint32_t gpus) {
  PlannedWorld world;
  for (std::uint32_t w = 0; w < workloads; ++w) {
    world.workloads.push_back(workload_of(numbered("w", static_cast<int>(w)), "m"));
  }
  std::vector<LatencyPoint> points;
  for (const double percent : {20.0, 50.0, 100.0}) {
    points.push_back(point_of({ShareKind::kPercent, percent}, 1, 1, 500 / percent));
  }
  for (const double sms : {20.0, 40.0}) {
    points.push_back(point_of({ShareKind::kSms, sms}, 1, 1, 200 / sms));
  }
  world.profiles.add(table_profile("m", "a100-80gb", points));
  world.cluster.gpus = {{"a100-80gb", gpus}};
  return world;
}

TEST(Even, GivesEveryWorkloadAnEqualShareOfEveryGpu) {
  const Plan plan = even_world(2, 3).plan("even");
  ASSERT_THAT(plan.gpus, SizeIs(3));
  for (const PlanGpu& gpu : plan.gpus) {
    EXPECT_EQ(gpu.mode, GpuMode::kMps);
    ASSERT_THAT(gpu.partitions, SizeIs(2));
    EXPECT_EQ(gpu.partitions[0].share_pct, 50);
    EXPECT_EQ(gpu.partitions[1].share_pct, 50);
  }
  EXPECT_THAT(gpus_of(plan, "w0"), ElementsAre(0, 1, 2));
}

TEST(Even, RoundsAPartDownToAShareThatTheProfileKnows) {
  // A third of the GPU: 20 % is the largest known share within it; of 108 SMs 36 hold 20.
  EXPECT_EQ(even_world(3, 1).plan("even").gpus[0].partitions[0].share_pct, 20);
  const Plan green = even_world(3, 1).plan("even", R"({"mode": "sm"})");
  EXPECT_EQ(green.gpus[0].mode, GpuMode::kSm);
  EXPECT_EQ(green.gpus[0].partitions[0].sms, 20);
}

TEST(Even, SpreadsManyWorkloadsOverTheGpusRoundRobin) {
  const Plan plan = even_world(5, 3).plan("even", R"({"max_per_gpu": 2})");
  EXPECT_THAT(gpus_of(plan, "w0"), ElementsAre(0, 2));  // w0 w1 | w2 w3 | w4 w0
  EXPECT_THAT(gpus_of(plan, "w1"), ElementsAre(0));
  EXPECT_THAT(gpus_of(plan, "w4"), ElementsAre(2));
  EXPECT_THAT(plan.unserved, IsEmpty());
}

TEST(Even, ListsTheWorkloadsThatFindNoRoom) {
  const Plan plan = even_world(3, 1).plan("even", R"({"max_per_gpu": 2})");
  EXPECT_THAT(plan.unserved, ElementsAre(Unserved{"w2", 100, "no GPU is left"}));
  // A sixth of the GPU is less than every share that the profile knows.
  EXPECT_THAT(even_world(6, 1).plan("even").unserved, SizeIs(6));
}

TEST(Even, TimeSlicedWorkloadsHaveTheWholeGpuInTurn) {
  const Plan plan = even_world(3, 1).plan("even", R"({"mode": "time_sliced"})");
  EXPECT_EQ(plan.gpus[0].mode, GpuMode::kTimeSliced);
  ASSERT_THAT(plan.gpus[0].partitions, SizeIs(3));
  EXPECT_EQ(to_string(plan.gpus[0].partitions[2].share()), "whole");
}

}  // namespace
}  // namespace tangram
