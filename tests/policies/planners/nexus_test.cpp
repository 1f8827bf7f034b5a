// nexus: the worked example of the paper, and the rules one by one.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/policies/planners/igniter_world.h"

namespace tangram {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

// As the example counts: profiled latencies, no network.
constexpr const char* kPlain = R"({"profile_multiplier": 1, "network_ms": 0})";

Profile table(const std::string& model, const std::vector<std::pair<std::uint32_t, double>>& rows) {
  std::vector<LatencyPoint> points;
  for (const auto& [batch, latency_ms] : rows) {
    points.push_back(point_of(Share{}, 1, batch, latency_ms));
  }
  return table_profile(model, "v100", points);
}

// Section 4.1 of the paper: batch latencies of three models; the rows for batch 1 are ours.
class NexusPlanner : public ::testing::Test {
 protected:
  NexusPlanner() {
    world_.profiles.add(table("A", {{1, 30}, {4, 50}, {8, 75}, {16, 100}}));
    world_.profiles.add(table("B", {{1, 30}, {4, 50}, {8, 90}, {16, 125}}));
    world_.profiles.add(table("C", {{1, 40}, {4, 60}, {8, 95}, {16, 125}}));
  }
  Plan plan_for(const char* text, const std::string& params = kPlain) {
    world_.workloads = workloads_of(text);
    return world_.plan("nexus", params);
  }
  ShareWorld world_;
};

std::vector<double> duties(const Plan& plan) {
  std::vector<double> result;
  for (const PlanGpu& gpu : plan.gpus) result.push_back(*gpu.partitions[0].replicas[0].duty_ms);
  return result;
}

// Alone: A has batch 8, 7/64 s + 75 <= 200 ms, cycle min(125, 8/64 s) = 125 ms, occupied to 0.6.
// C: 5/32 s + 77.5 <= 250 ms, batch 6, cycle 250 - 77.5 = 172.5 ms, 0.45. B: batch 6, 180 ms, 0.39.
// In A's cycle the others run 125 ms x 32/s = 4: C takes 75 + 60 > 125, B 75 + 50 = 125 and fits.
// B would fit beside C as well, to 0.86: the fuller GPU is taken.
TEST_F(NexusPlanner, PacksTheWorkedExample) {
  const Plan plan = plan_for("A:200:64 B:250:32 C:250:32");
  EXPECT_EQ(words_of(plan), "0: w0 100/8 w1 100/4; 1: w2 100/6");
  EXPECT_THAT(duties(plan), ElementsAre(125, 172.5));
  EXPECT_THAT(plan.unserved, IsEmpty());
  EXPECT_EQ(plan.gpus[0].mode, GpuMode::kWhole);
}

// Saturated: the largest batch that takes half the SLO is 16 for each: 160, 128 and 128/s a GPU.
TEST_F(NexusPlanner, WholeGpusComeFirst) {
  const Plan plan = plan_for("A:200:384 B:250:288 C:250:32");
  EXPECT_EQ(words_of(plan),
            "0: w0 100/16; 1: w0 100/16; 2: w1 100/16; 3: w1 100/16; 4: w0 100/8 w1 100/4; "
            "5: w2 100/6");
  EXPECT_THAT(duties(plan), ElementsAre(100, 100, 125, 125, 125, 172.5));
  EXPECT_DOUBLE_EQ(*plan.gpus[4].partitions[0].replicas[0].rate_rps, 64);
}

// By rate, B (32/s, first of equals) is placed before C.
TEST_F(NexusPlanner, TheReleasedOrderIsByRate) {
  const std::string by_rate = R"({"profile_multiplier": 1, "network_ms": 0, "order": "rate"})";
  EXPECT_EQ(words_of(plan_for("C:250:33 A:200:64 B:250:32", by_rate)),
            "0: w1 100/8 w2 100/4; 1: w0 100/6");
}

// 1.15 x l(b): 16 would take 115 ms of 198: l(b) <= 99 / 1.15 = 86.1 ms gives batch 11 (84.4 ms).
TEST_F(NexusPlanner, LatenciesAreMultipliedAndTheNetworkTakesItsPart) {
  const Plan plan = plan_for("A:200:114", "{}");
  // 11 / (1.15 x 84.375 ms) = 113.4/s a GPU, and the rest of 0.6/s.
  ASSERT_THAT(plan.gpus, SizeIs(2));
  EXPECT_EQ(*plan.gpus[0].partitions[0].replicas[0].batch, 11U);
  EXPECT_NEAR(*plan.gpus[0].partitions[0].replicas[0].rate_rps, 11 / (1.15 * 0.084375), 1e-9);
}

TEST_F(NexusPlanner, AnSloOutOfReachIsUnserved) {
  const Plan plan = plan_for("A:20:10 B:250:32");
  ASSERT_THAT(plan.unserved, SizeIs(1));
  EXPECT_EQ(plan.unserved[0].workload, "w0");
  EXPECT_THAT(plan.unserved[0].reason, HasSubstr("a batch of 1 counts as 30 ms"));
}

// A batch of 1 takes 30 of 40 ms: more than half the SLO, so it runs back to back.
TEST_F(NexusPlanner, ABatchOfOneMayTakeMoreThanHalfTheSlo) {
  const Plan plan = plan_for("A:40:20");
  EXPECT_EQ(words_of(plan), "0: w0 100/1");
  EXPECT_THAT(duties(plan), ElementsAre(30));
}

TEST_F(NexusPlanner, GpusThatTheClusterLacksLeaveDemandUnserved) {
  world_.cluster.gpus = {{"v100", 1}};
  const Plan plan = plan_for("A:200:64 B:250:32 C:250:32");
  ASSERT_THAT(plan.unserved, SizeIs(1));
  EXPECT_EQ(plan.unserved[0], (Unserved{"w2", 32, "the cluster has no more GPUs of type v100"}));
}

}  // namespace
}  // namespace tangram
