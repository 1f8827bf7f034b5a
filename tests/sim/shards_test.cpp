// Which parts of a scenario can be simulated apart.
#include "sim/shards.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/sim/fixture.h"

namespace tangram {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

const std::vector<Workload> kFour{workload_of("a", "m"), workload_of("b", "m"),
                                  workload_of("c", "m"), workload_of("d", "m")};

// A whole GPU that serves these workloads, each by processes of its own.
PlanGpu serving(std::uint32_t index, const std::vector<std::string>& workloads) {
  std::vector<PlanReplica> replicas;
  for (const std::string& name : workloads) {
    replicas.push_back(replica_of(name, name == "*" ? "*" : "m"));
    replicas.back().group = static_cast<std::uint32_t>(replicas.size());
  }
  return gpu_of(index, GpuMode::kWhole, {whole_partition(replicas)});
}

TEST(Shards, GpusWithoutACommonWorkloadAreApart) {
  Plan plan;
  plan.gpus = {serving(0, {"b"}), serving(1, {"a"}), serving(2, {"d", "c"})};
  const std::vector<Shard> shards = split(plan, kFour);
  // In the order of their first workload, not of their GPUs.
  ASSERT_THAT(shards, SizeIs(3));
  EXPECT_THAT(shards[0].workloads, ElementsAre(0));
  EXPECT_THAT(shards[0].gpus, ElementsAre(1));
  EXPECT_THAT(shards[1].workloads, ElementsAre(1));
  EXPECT_THAT(shards[1].gpus, ElementsAre(0));
  EXPECT_THAT(shards[2].workloads, ElementsAre(2, 3));
  EXPECT_THAT(shards[2].gpus, ElementsAre(2));
}

TEST(Shards, AGpuJoinsItsWorkloadsAndAWorkloadItsGpus) {
  Plan plan;
  // a - gpu 0 - d - gpu 2 - b: one chain; c alone.
  plan.gpus = {serving(0, {"d", "a"}), serving(1, {"c"}), serving(2, {"b", "d"}),
               serving(3, {"c"})};
  const std::vector<Shard> shards = split(plan, kFour);
  ASSERT_THAT(shards, SizeIs(2));
  EXPECT_THAT(shards[0].workloads, ElementsAre(0, 1, 3));
  EXPECT_THAT(shards[0].gpus, ElementsAre(0, 2));
  EXPECT_THAT(shards[1].workloads, ElementsAre(2));
  EXPECT_THAT(shards[1].gpus, ElementsAre(1, 3));
}

TEST(Shards, PartitionsOfOneGpuStayTogether) {
  Plan plan;
  plan.gpus = {gpu_of(0, GpuMode::kMig,
                      {mig_partition(3, 4, {replica_of("a", "m")}),
                       mig_partition(4, 0, {replica_of("c", "m")})},
                      "a100-80gb"),
               serving(1, {"b"}), serving(2, {"d"})};
  const std::vector<Shard> shards = split(plan, kFour);
  ASSERT_THAT(shards, SizeIs(3));
  EXPECT_THAT(shards[0].workloads, ElementsAre(0, 2));
}

TEST(Shards, AStarJoinsEverything) {
  Plan plan;
  plan.gpus = {serving(0, {"b"}), serving(1, {"c"}), serving(2, {"*"})};
  const std::vector<Shard> shards = split(plan, kFour);
  ASSERT_THAT(shards, SizeIs(1));
  EXPECT_THAT(shards[0].workloads, ElementsAre(0, 1, 2, 3));
  EXPECT_THAT(shards[0].gpus, ElementsAre(0, 1, 2));
}

TEST(Shards, AnUnservedWorkloadIsAShardWithoutGpus) {
  Plan plan;
  plan.gpus = {serving(0, {"a", "c"}), serving(1, {"d"})};
  const std::vector<Shard> shards = split(plan, kFour);
  ASSERT_THAT(shards, SizeIs(3));
  EXPECT_THAT(shards[1].workloads, ElementsAre(1));
  EXPECT_THAT(shards[1].gpus, IsEmpty());
}

TEST(Shards, AGpuThatServesNothingBelongsToNone) {
  Plan plan;
  plan.gpus = {gpu_of(0, GpuMode::kWhole, {}), serving(1, {"a", "b", "c", "d"}),
               gpu_of(2, GpuMode::kWhole, {whole_partition({})})};
  const std::vector<Shard> shards = split(plan, kFour);
  ASSERT_THAT(shards, SizeIs(1));
  EXPECT_THAT(shards[0].gpus, ElementsAre(1));
}

TEST(Shards, APlanWithoutGpusLeavesOneShardPerWorkload) {
  EXPECT_THAT(split(Plan{}, kFour), SizeIs(4));
}

}  // namespace
}  // namespace tangram
