// gpulet: the paper's elastic partitioning done right, and its incremental planning.
#include <cmath>
#include <optional>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "policies/planners/detail/glet_costs.h"
#include "policies/planners/gpulet_replan.h"
#include "tests/policies/planners/gpulet_cases.h"

namespace tangram {
namespace {

using ::testing::IsEmpty;
using ::testing::SizeIs;

// latency(b, p) = (4 + b) * 100 / p ms, every batch to 32, on the sizes of a cut GPU.
Profile every_batch_profile(const std::string& model, double use = 0) {
  std::vector<LatencyPoint> points;
  for (const int size : {20, 40, 50, 60, 80, 100}) {
    for (std::uint32_t batch = 1; batch <= 32; ++batch) {
      LatencyPoint point = point_of({ShareKind::kPercent, static_cast<double>(size)}, 1, batch,
                                    (4.0 + batch) * 100 / size);
      if (size == 100) point.l2_utilisation = point.dram_utilisation = use;
      points.push_back(point);
    }
  }
  return table_profile(model, "2080ti", std::move(points));
}

GletWorld glet_world_of(std::vector<Workload> workloads, std::uint32_t gpus, double use = 0) {
  GletWorld world;
  world.cluster.gpus[0].count = gpus;
  for (const Workload& workload : workloads) {
    world.profiles.add(every_batch_profile(workload.model, use));
  }
  world.workloads = std::move(workloads);
  return world;
}

constexpr const char* kNoMargins = R"({"latency_ratio": 1, "rate_quantile": 0})";

TEST(Gpulet, ASmallRateGetsTheSmallestSizeThatCarriesIt) {
  // On 20 %: L(b) = 5 (4 + b). 20/s within 150 ms: b = 2 gives 30 + 100 <= 150; b = 3 gives 185.
  EXPECT_EQ(glet_text(glet_world_of({demand("a", 20, 150)}, 1).plan("gpulet", kNoMargins)),
            "G0[20 a:b2@100.00 | 80 -]");
}

TEST(Gpulet, WorkloadsShareAPartitionByTimeWhenItCarriesBoth) {
  // Both 20/s within 200 ms on 20 %: duty 100 has 2 items each, 30 + 30 + 100 <= 200; duty 150
  // has 3 items each, 35 + 35 + 150 > 200.
  const GletWorld world = glet_world_of({demand("a", 20, 200), demand("b", 20, 200)}, 1);
  EXPECT_EQ(glet_text(world.plan("gpulet", kNoMargins)), "G0[20 a:b2@100.00 + b:b2@100.00 | 80 -]");
  // Alone each has duty 150 and 3 items: 35 + 150 <= 200, and 4 items 40 + 200 > 200.
  EXPECT_EQ(glet_text(world.plan(
                "gpulet", R"({"latency_ratio": 1, "rate_quantile": 0, "time_sharing": false})")),
            "G0[20 a:b3@150.00 | 80 b:b3@150.00]");
}

TEST(Gpulet, ALargeRateGetsSaturatedPartitionsAndARest) {
  // SLO 100: 2 L <= 100 on p %: b <= p / 2 - 4, so 6, 16, 21, 26, 36 -> 32 and 32; they carry 120,
  // 320, 420, 520, 711 and 889/s. From 20 to 60 % each percent adds 10/s, and the first pair stays:
  // 40 % with 16 at 50 ms is the efficient size.
  // 700/s: 320, then 380 left: the 60 % beside it carries that whole rate: d = b / 380, L = (4 + b)
  // 5/3, L + d <= 100: b = 21 gives 41.7 + 55.3 = 96.9, b = 22 101.2.
  const Plan plan = glet_world_of({demand("a", 700, 100)}, 1).plan("gpulet", kNoMargins);
  EXPECT_EQ(glet_text(plan), "G0[40 a:b16@50.00 | 60 a:b21@55.26]");
  EXPECT_THAT(plan.unserved, IsEmpty());
}

TEST(Gpulet, WhatFindsNoPlaceIsUnserved) {
  // After 320 and 520/s nothing is left of 1000/s.
  const Plan plan = glet_world_of({demand("a", 1000, 100)}, 1).plan("gpulet", kNoMargins);
  ASSERT_THAT(plan.unserved, SizeIs(1));
  EXPECT_NEAR(plan.unserved[0].rate_rps, 160, 1e-9);
}

// The slowdown of the published linear model for equal use everywhere.
double slowdown(double use, double part, double other_part) {
  const auto& c = detail::glet_coefficients("2080ti");
  return std::max(1.0,
                  use * (c[0] * part + c[1] * other_part + c[2] * part + c[3] * other_part) + c[4]);
}

// Every task of a plan within its SLO and every rate carried, with interference both ways.
void expect_valid(const Plan& plan, double use, double ratio) {
  for (const PlanGpu& gpu : plan.gpus) {
    for (std::size_t p = 0; p < gpu.partitions.size(); ++p) {
      const PlanPartition& own = gpu.partitions[p];
      double other = 0;
      if (gpu.partitions.size() == 2 && !gpu.partitions[1 - p].replicas.empty()) {
        other = *gpu.partitions[1 - p].share_pct / 100;
      }
      const double part = *own.share_pct / 100;
      double sum = 0;
      for (const PlanReplica& replica : own.replicas) {
        const double factor = other > 0 ? slowdown(use, part, other) : 1;
        sum += (4 + *replica.batch) / part * factor * ratio;
        EXPECT_LE(*replica.rate_rps * *replica.duty_ms, *replica.batch * 1000 * (1 + 1e-9));
      }
      for (const PlanReplica& replica : own.replicas) {
        EXPECT_LE(sum, *replica.duty_ms + 1e-6);
        EXPECT_LE(sum + *replica.duty_ms, 100 + 1e-6) << glet_text(plan);
      }
    }
  }
}

TEST(Gpulet, EveryPlanHoldsUnderInterferenceBothWays) {
  constexpr double kUse = 0.9;  // makes 0.8953 + 0.9 * (..) > 1
  EXPECT_GT(slowdown(kUse, 0.4, 0.6), 1.2);
  for (double rate = 30; rate < 1200; rate += 37) {
    const GletWorld world = glet_world_of(
        {demand("a", rate, 100), demand("b", 0.7 * rate, 100), demand("c", 0.2 * rate, 100)}, 4,
        kUse);
    const Plan plan = world.plan("gpulet");
    SCOPED_TRACE(rate);
    expect_valid(plan, kUse, 1.1);
    std::map<std::string, double> carried;
    for (const PlanGpu& gpu : plan.gpus) {
      for (const PlanPartition& partition : gpu.partitions) {
        for (const PlanReplica& replica : partition.replicas) {
          carried[replica.workload] += *replica.rate_rps;
        }
      }
    }
    for (const Unserved& entry : plan.unserved) carried[entry.workload] += entry.rate_rps;
    for (const Workload& workload : world.workloads) {
      EXPECT_GE(carried[workload.name], workload.arrivals.rate_rps * (1 - 1e-6)) << workload.name;
    }
  }
}

TEST(Gpulet, PoissonQuantiles) {
  // Mean 1: P(N <= 3) = 8 / (3 e) = 0.98101, P(N <= 4) = 65 / (24 e) = 0.99634.
  EXPECT_EQ(poisson_quantile(1, 0.98), 3);
  EXPECT_EQ(poisson_quantile(1, 0.99), 4);
  EXPECT_EQ(poisson_quantile(0.7, 0), 0.7);
  // Close to the normal one for a large mean: 1e6 + 2.3263 * 1e3.
  EXPECT_NEAR(poisson_quantile(1e6, 0.99), 1'002'326, 3);
}

class GpuletReplanning : public ::testing::Test {
 protected:
  GpuletReplanning()
      : world_(glet_world_of({demand("a", 20, 150), demand("b", 20, 150)}, 1)),
        params_([] {
          Faults faults;
          const std::optional<Json> json = parse_json(
              R"({"latency_ratio": 1, "rate_quantile": 0, "time_sharing": false})", "p", faults);
          return read_params(find_planner("gpulet")->info, JsonNode(*json, "p", faults), faults);
        }()),
        problem_{world_.workloads, world_.profiles, world_.cluster, params_, nullptr} {}

  GletWorld world_;
  Params params_;
  PlanningProblem problem_;
};

TEST_F(GpuletReplanning, SmallChangesKeepThePlan) {
  const Plan plan = gpulet_plan(problem_, {30, 30});
  // 2.5 % more, 5 % less.
  const GpuletReplan again = gpulet_replan(problem_, plan, {30.75, 28.5});
  EXPECT_EQ(again.kind, GpuletReplan::Kind::kKept);
  EXPECT_EQ(again.plan, plan);
}

TEST_F(GpuletReplanning, ARiseIsPlacedOnThePartitionsThatThereAre) {
  const Plan plan = gpulet_plan(problem_, {30, 30});
  ASSERT_EQ(plan.gpus.at(0).partitions.size(), 2U);
  const GpuletReplan again = gpulet_replan(problem_, plan, {30, 36});
  EXPECT_EQ(again.kind, GpuletReplan::Kind::kExtended);
  EXPECT_EQ(again.plan.gpus.at(0).partitions.at(0).share_pct, 20);
  EXPECT_THAT(again.plan.unserved, IsEmpty());
  // Planned for 30 and 36 now, so that this is no rise.
  EXPECT_EQ(gpulet_replan(problem_, again.plan, {31, 37}).kind, GpuletReplan::Kind::kKept);
}

TEST_F(GpuletReplanning, AFallRepartitions) {
  const Plan plan = gpulet_plan(problem_, {30, 30});
  const GpuletReplan again = gpulet_replan(problem_, plan, {30, 15});
  EXPECT_EQ(again.kind, GpuletReplan::Kind::kRepartitioned);
  EXPECT_EQ(again.plan, gpulet_plan(problem_, {30, 15}));
}

TEST_F(GpuletReplanning, WhatNoPlanCarriesKeepsTheOldOne) {
  const Plan plan = gpulet_plan(problem_, {30, 30});
  const GpuletReplan again = gpulet_replan(problem_, plan, {7500, 30});
  EXPECT_EQ(again.kind, GpuletReplan::Kind::kKept);
  EXPECT_EQ(again.plan, plan);
}

TEST_F(GpuletReplanning, ThePlannerDoesItForAPreviousPlanOfItsOwn) {
  const Plan plan = gpulet_plan(problem_, {20, 20});
  PlanningProblem again = problem_;
  again.previous = &plan;
  EXPECT_EQ(find_planner("gpulet")->make()->plan(again), plan);
}

}  // namespace
}  // namespace tangram
