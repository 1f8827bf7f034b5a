// tangram: headroom, slack, screening, and the loop through an evaluator.
#include <optional>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/policies/planners/parvagpu_cases.h"

namespace tangram {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;

// 10 ms for one item on a whole GPU of seven slices: 100 items/s.
MigWorld one_size(double rate_rps, double slo_ms) {
  MigWorld world;
  world.profiles.add(table_profile("m", "a100-80gb", {point_of(kMig7, 1, 1, 10)}));
  world.workloads = {workload_of("w", "m", slo_ms, rate_rps)};
  world.cluster.gpus = {{"a100-80gb", 50}};
  return world;
}

std::optional<Plan> plan_of(const MigWorld& world,
                            const std::string& params = "{}",
                            Evaluator* evaluator = nullptr) {
  try {
    return world.plan("tangram", params, evaluator);
  } catch (const NoAnswer& error) {
    if (std::string(error.what()).find("this build has no solver") == std::string::npos) throw;
    return std::nullopt;
  }
}

TEST(TangramPlanner, AddsTheHeadroomOfTheArrivalProcess) {
  // The slack is 100 - 15 ms, s = ln(100) / 0.085 = 54.18. Poisson: 54.18 / ln(1 + 54.18 / rate) is
  // 195.8 for 170/s and 205.9 for 180/s, so the latter needs a third GPU.
  MigWorld world = one_size(170, 100);
  const std::optional<Plan> two = plan_of(world);
  if (!two) GTEST_SKIP() << "built without a solver";
  EXPECT_EQ(two->gpus_used(), 2u);
  world.workloads[0].arrivals.rate_rps = 180;
  EXPECT_EQ(plan_of(world)->gpus_used(), 3u);
  // Constant arrivals need none, bursts need more.
  world.workloads[0].arrivals.process = ArrivalSpec::Process::kConstant;
  EXPECT_EQ(plan_of(world)->gpus_used(), 2u);
  world.workloads[0].arrivals.process = ArrivalSpec::Process::kLognormal;
  world.workloads[0].arrivals.sigma = 2;
  EXPECT_GT(plan_of(world)->gpus_used(), 3u);
}

TEST(TangramPlanner, PredictsAttainmentAndLoad) {
  const std::optional<Plan> plan = plan_of(one_size(170, 100));
  if (!plan) GTEST_SKIP() << "built without a solver";
  // 200 items/s: s = 200 ln(1 + s / 170) has the root 63.3, and e^(-63.3 * 0.085) = 0.46 %.
  EXPECT_THAT(plan->notes, Contains("w: load 0.850, predicted to attain 99.54 %"));
}

TEST(TangramPlanner, ASmallerShareOfTheSloBuysQueueingTime) {
  MigWorld world = one_size(10, 100);
  world.profiles = ProfileSet();
  world.profiles.add(
      table_profile("m", "a100-80gb", {point_of(kMig7, 1, 1, 10), point_of(kMig7, 1, 8, 60)}));
  const std::optional<Plan> plan = plan_of(world);
  if (!plan) GTEST_SKIP() << "built without a solver";
  // 1.5 x 60 ms is more than 60 % of the SLO: the point of batch 1 it is.
  EXPECT_EQ(plan->gpus.at(0).partitions.at(0).replicas.at(0).batch, 1u);
  // With 500 ms the denser batch 8 serves 110/s on one GPU; batch 1 alone would need two.
  world.workloads[0] = workload_of("w", "m", 500, 110);
  EXPECT_EQ(plan_of(world)->gpus_used(), 1u);
}

TEST(TangramPlanner, LeavesSuspiciousRowsOutUnlessToldOtherwise) {
  MigWorld world = one_size(150, 100);
  Profile profile =
      table_profile("m", "a100-80gb", {point_of(kMig7, 1, 1, 10), point_of(kMig7, 2, 1, 10)});
  profile.points[1].suspicion = "a copy of the row with 1 process";
  world.profiles = ProfileSet();
  world.profiles.add(profile);
  const std::optional<Plan> plan = plan_of(world);
  if (!plan) GTEST_SKIP() << "built without a solver";
  EXPECT_EQ(plan->gpus_used(), 2u);
  EXPECT_EQ(plan_of(world, R"({"use_suspect": true})")->gpus_used(), 1u);
}

TEST(TangramPlanner, AnSloWithoutTimeForAQueueIsUnserved) {
  const std::optional<Plan> plan = plan_of(one_size(10, 20));
  if (!plan) GTEST_SKIP() << "built without a solver";
  ASSERT_EQ(plan->unserved.size(), 1u);
  EXPECT_THAT(plan->unserved[0].reason, HasSubstr("leaves enough of the SLO of 20 ms"));
}

// Attains 90 % until the plan has a third GPU.
class Picky final : public Evaluator {
 public:
  std::vector<double> attainment(const Plan& plan) override {
    ++calls;
    return {plan.gpus_used() >= 3 ? 1.0 : 0.9};
  }
  int calls = 0;
};

TEST(TangramPlanner, PlansAgainWhereASimulationMissesTheTarget) {
  Picky evaluator;
  // 195.8 of 200 items/s are needed: one step of 4 % is more than 200.
  const std::optional<Plan> plan = plan_of(one_size(170, 100), R"({"verify_runs": 2})", &evaluator);
  if (!plan) GTEST_SKIP() << "built without a solver";
  EXPECT_EQ(plan->gpus_used(), 3u);
  EXPECT_EQ(evaluator.calls, 4);
  EXPECT_THAT(plan->notes, Contains(HasSubstr("simulated 100.00 %")));
}

TEST(TangramPlanner, APlanThatTheClusterCannotHoldIsNotSimulated) {
  Picky evaluator;
  MigWorld world = one_size(1e9, 100);
  world.cluster.gpus = {{"a100-80gb", 2}};
  const std::optional<Plan> plan = plan_of(world, "{}", &evaluator);
  if (!plan) GTEST_SKIP() << "built without a solver";
  EXPECT_EQ(evaluator.calls, 0);
  EXPECT_EQ(plan->gpus_used(), 2U);
  ASSERT_EQ(plan->unserved.size(), 1U);
  EXPECT_THAT(plan->unserved[0].reason, HasSubstr("and the cluster has 2 of type a100-80gb"));
}

TEST(TangramPlanner, APlanThatMissedStandsWhereMoreDoesNotFit) {
  Picky evaluator;
  MigWorld world = one_size(170, 100);
  world.cluster.gpus = {{"a100-80gb", 2}};
  const std::optional<Plan> plan = plan_of(world, R"({"verify_runs": 2})", &evaluator);
  if (!plan) GTEST_SKIP() << "built without a solver";
  EXPECT_EQ(plan->gpus_used(), 2U);
  EXPECT_TRUE(plan->unserved.empty());
  EXPECT_THAT(plan->notes, Contains(HasSubstr("simulated 90.00 %: below the target")));
  EXPECT_THAT(plan->notes, Contains(HasSubstr("more capacity does not fit")));
}

class Hopeless final : public Evaluator {
 public:
  std::vector<double> attainment(const Plan&) override { return {0.5}; }
};

TEST(TangramPlanner, SaysWhereASimulationStillMissesTheTarget) {
  Hopeless evaluator;
  const std::optional<Plan> plan = plan_of(one_size(100, 100), "{}", &evaluator);
  if (!plan) GTEST_SKIP() << "built without a solver";
  EXPECT_THAT(plan->notes, Contains(HasSubstr("simulated 50.00 %: below the target")));
}

}  // namespace
}  // namespace tangram
