// nexus: the worked example of the paper, and the rules one by one.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/policies/planners/igniter_world.h"

namespace tangram {
namespace {

using ::testing::DoubleNear;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

// As the example counts: profiled latencies, no network.
constexpr const char* kNoNetwork = R"({"profile_multiplier": 1, "network_ms": 0})";

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
  Plan plan_for(const char* text, const std::string& params = kNoNetwork) {
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

// Planning again from a plan. All latencies and SLOs are those of the worked example: a GPU of A's
// alone carries 160/s, one of B's or C's 128/s.
class NexusEpoch : public NexusPlanner {
 protected:
  Plan again(const Plan& previous, const char* text, const std::string& params = kNoNetwork) {
    world_.workloads = workloads_of(text);
    return world_.plan("nexus", params, &previous);
  }
  // "0: w0 100/8 w1 100/4; 1: w2 100/6", cycles 125 and 172.5 ms, of the example.
  const Plan example_ = plan_for("A:200:64 B:250:32 C:250:32");
};

std::vector<double> rates_of(const Plan& plan, const std::string& workload) {
  std::vector<double> result;
  for (const PlanGpu& gpu : plan.gpus) {
    for (const PlanReplica& replica : gpu.partitions[0].replicas) {
      if (replica.workload == workload) result.push_back(*replica.rate_rps);
    }
  }
  return result;
}

// 62.1 of 64/s is 0.9703, 31.1 of 32/s is 0.972.
TEST_F(NexusEpoch, RatesAtMost3PercentBelowKeepThePlan) {
  EXPECT_EQ(again(example_, "A:200:62.1 B:250:32 C:250:31.1"), example_);
}

// A at 62/s (0.969): batch 8, 7/62 s + 75 = 187.9 <= 200 ms, cycle min(125, 8/62 s = 129.0) = 125
// ms as before, in which 7.75 requests gather. All that changes is its rate.
TEST_F(NexusEpoch, BelowThatTheShareShrinks) {
  const Plan plan = again(example_, "A:200:62 B:250:32 C:250:32");
  EXPECT_EQ(words_of(plan), words_of(example_));
  EXPECT_THAT(duties(plan), ElementsAre(125, 172.5));
  EXPECT_THAT(rates_of(plan, "w0"), ElementsAre(62));
}

// A at 48/s: batch 7, 6/48 s + 68.75 <= 200 ms (8: 145.8 + 75 is more), cycle min(131.25, 145.8).
// In it B has ceil(4.2) = 5 requests, l(5) = 60: 68.75 + 60 <= 131.25 ms.
TEST_F(NexusEpoch, CycleAndNeighboursFollowAShareThatShrinks) {
  const Plan plan = again(example_, "A:200:48 B:250:32 C:250:32");
  EXPECT_EQ(words_of(plan), "0: w0 100/7 w1 100/5; 1: w2 100/6");
  EXPECT_THAT(duties(plan), ElementsAre(131.25, 172.5));
}

// A has 160, 160 and 64/s. Of 200 the first keeps 160, the next 40: batch 6, 5/40 s + 62.5 <= 200
// ms, cycle min(137.5, 150). The third goes, and leaves B alone: batch 6 in 180 ms. From nothing
// A's 40/s and B would share a GPU: an epoch does not bring GPUs together.
TEST_F(NexusEpoch, TheSmallestSharesGoFirst) {
  const Plan before = plan_for("A:200:384 B:250:32");
  ASSERT_EQ(words_of(before), "0: w0 100/16; 1: w0 100/16; 2: w0 100/8 w1 100/4");
  const Plan plan = again(before, "A:200:200 B:250:32");
  EXPECT_EQ(words_of(plan), "0: w0 100/16; 1: w0 100/6; 2: w1 100/6");
  EXPECT_THAT(duties(plan), ElementsAre(100, 137.5, 180));
  EXPECT_THAT(rates_of(plan, "w0"), ElementsAre(160, 40));
  EXPECT_EQ(words_of(plan_for("A:200:200 B:250:32")), "0: w0 100/16; 1: w0 100/6 w1 100/5");
  EXPECT_EQ(again(before, "A:200:200 B:250:32",
                  R"({"profile_multiplier": 1, "network_ms": 0, "incremental": false})"),
            plan_for("A:200:200 B:250:32"));
}

// C at 40/s: batch 7, 6/40 s + 86.25 <= 250 ms, cycle min(163.75, 175).
TEST_F(NexusEpoch, AShareGrowsWhereItIs) {
  const Plan plan = again(example_, "A:200:64 B:250:32 C:250:40");
  EXPECT_EQ(words_of(plan), "0: w0 100/8 w1 100/4; 1: w2 100/7");
  EXPECT_THAT(duties(plan), ElementsAre(125, 163.75));
}

// A at 65/s: batch 8 (9: 8/65 s + 78.1 is above 200 ms), cycle min(125, 8/65 s) = 123.08 ms, in
// which B has ceil(3.94) = 4 requests: 75 + 50 = 125 ms, 1.6 % too much, which the released code
// puts up with. At `spill_above` 1 B goes to C: 77.5 + 70 <= 172.5 ms.
TEST_F(NexusEpoch, AGpuMayBeALittleOverFull) {
  const char* const text = "A:200:65 B:250:32 C:250:32";
  const Plan plan = again(example_, text);
  EXPECT_EQ(words_of(plan), "0: w0 100/8 w1 100/4; 1: w2 100/6");
  EXPECT_NEAR(duties(plan)[0], 8 / 0.065, 1e-9);
  const Plan strict =
      again(example_, text, R"({"profile_multiplier": 1, "network_ms": 0, "spill_above": 1})");
  EXPECT_EQ(words_of(strict), "0: w0 100/8; 1: w2 100/6 w1 100/6");
}

// A at 80/s: batch 10, 9/80 s + 81.25 <= 200 ms, cycle min(118.75, 125), and B's 4 take 50 ms:
// 131.25 of 118.75 ms is 10.5 % too much. A's batch takes longer and stays, B goes to C.
TEST_F(NexusEpoch, AGpuThatIsOverFullKeepsTheLongestBatches) {
  const Plan plan = again(example_, "A:200:80 B:250:32 C:250:32");
  EXPECT_EQ(words_of(plan), "0: w0 100/10; 1: w2 100/6 w1 100/6");
  EXPECT_THAT(duties(plan), ElementsAre(118.75, 172.5));
}

// C at 300/s: its GPU grows to 128/s, one more takes 128/s, and the rest of 44/s has batch 7 (6/44
// s + 86.25 <= 250 ms) in min(163.75, 159.1) ms: no room beside A and B.
TEST_F(NexusEpoch, WhatDoesNotFitTakesNewGpus) {
  const Plan plan = again(example_, "A:200:64 B:250:32 C:250:300");
  EXPECT_EQ(words_of(plan), "0: w0 100/8 w1 100/4; 1: w2 100/16; 2: w2 100/16; 3: w2 100/7");
  EXPECT_THAT(rates_of(plan, "w2"), ElementsAre(128, 128, DoubleNear(44, 1e-9)));
}

// As in the released code, a rise to 75/s is put on the share of 40/s, which carries it alone, and
// the other one goes. A at 75/s: batch 9, 8/75 s + 78.125 <= 200 ms, cycle min(121.875, 120).
TEST_F(NexusEpoch, ARiseMayBringSharesTogether) {
  Plan before = plan_for("A:200:40");
  PlanGpu second = before.gpus[0];
  second.index = 5;
  second.partitions[0].replicas[0].rate_rps = 30;
  before.gpus.push_back(second);
  const Plan plan = again(before, "A:200:75");
  EXPECT_EQ(words_of(plan), "0: w0 100/9");
  EXPECT_THAT(duties(plan), ElementsAre(DoubleNear(120, 1e-9)));
}

TEST_F(NexusEpoch, NewGpusTakeTheFirstFreePlaces) {
  Plan before = plan_for("A:200:40");
  before.gpus[0].index = 1;
  // The rest of 20/s has batch 4: 3/20 s + 50 <= 200 ms.
  EXPECT_EQ(words_of(again(before, "A:200:340")), "0: w0 100/16; 1: w0 100/16; 2: w0 100/4");
}

// Three GPUs that hold A's 160 and 40/s and B's 32/s. C's 100/s would need a fourth (batch 14 takes
// 117.5 of 132.5 ms). From nothing B shares the GPU of A's 40/s, and all find room.
TEST_F(NexusEpoch, WhereTheClusterIsFullItPlansFromNothing) {
  world_.cluster.gpus = {{"v100", 3}};
  const Plan apart = again(plan_for("A:200:384 B:250:32 C:250:0"), "A:200:200 B:250:32 C:250:0");
  ASSERT_EQ(words_of(apart), "0: w0 100/16; 1: w0 100/6; 2: w1 100/6");
  const char* const text = "A:200:200 B:250:32 C:250:100";
  const Plan plan = again(apart, text);
  EXPECT_THAT(plan.unserved, IsEmpty());
  EXPECT_EQ(plan, plan_for(text));
  EXPECT_EQ(words_of(plan), "0: w0 100/16; 1: w2 100/14; 2: w0 100/6 w1 100/5");
}

TEST_F(NexusEpoch, APlanOfAnotherPlannerIsNotGoneOnFrom) {
  Plan before = plan_for("A:200:384 B:250:32");
  before.planner = "dedicated";
  EXPECT_EQ(again(before, "A:200:200 B:250:32"), plan_for("A:200:200 B:250:32"));
}

}  // namespace
}  // namespace tangram
