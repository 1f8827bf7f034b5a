// optimal: by hand, and against minima proven elsewhere.
#include <cmath>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/policies/planners/parvagpu_cases.h"

namespace tangram {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

// A build without a solver throws; every other answer is tested.
std::optional<Plan> optimal_plan(const MigWorld& world, const std::string& params = "{}") {
  try {
    return world.plan("optimal", params);
  } catch (const NoAnswer& error) {
    if (std::string(error.what()).find("this build has no solver") == std::string::npos) throw;
    return std::nullopt;
  }
}

TEST(Optimal, FindsTheMixOfSizesThatFillsOneGpu) {
  // Per GPU: 7 gives 650; 4 + 3 gives 400 + 290; 3 + 3 gives 580; 2 + 2 + 2 + 1 gives 640. Only
  // 4 + 3 serves 690.
  MigWorld world;
  std::vector<LatencyPoint> points;
  for (const auto& [size, rps] :
       std::vector<std::pair<int, double>>{{1, 80}, {2, 186}, {3, 290}, {4, 400}, {7, 650}}) {
    points.push_back(point_of({ShareKind::kMig, double(size)}, 1, 1, 1000 / rps));
  }
  world.profiles.add(table_profile("m", "a100-80gb", points));
  world.workloads = {workload_of("w", "m", 100, 690)};
  const std::optional<Plan> plan = optimal_plan(world);
  if (!plan) GTEST_SKIP() << "built without a solver";
  EXPECT_THAT(plan->unserved, IsEmpty());
  EXPECT_EQ(plan->gpus_used(), 1u);
  EXPECT_EQ(plan->slices_used(), 7u);
  EXPECT_THAT(plan->notes, ElementsAre("1 GPUs is the proven minimum"));
  world.workloads = {workload_of("w", "m", 100, 691)};
  EXPECT_EQ(optimal_plan(world)->gpus_used(), 2u);
}

TEST(Optimal, NothingToServeIsZeroGpus) {
  MigWorld world;
  world.profiles.add(table_profile("m", "a100-80gb", {point_of({ShareKind::kMig, 1}, 1, 1, 90)}));
  world.workloads = {workload_of("w", "m", 100, 1)};
  const std::optional<Plan> plan = optimal_plan(world);
  if (!plan) GTEST_SKIP() << "built without a solver";
  EXPECT_THAT(plan->gpus, IsEmpty());
  EXPECT_EQ(plan->unserved.size(), 1u);
}

// The published scenarios and random ones, with minima that another solver proved over the same
// points; rates and SLOs are integers there.
TEST(Optimal, ProvesTheKnownMinima) {
  if (reference_data() == nullptr) GTEST_SKIP() << "TANGRAM_REFERENCE_DATA is not set";
  MigWorld world;
  world.profiles = parvagpu_profiles();
  int compared = 0;
  for (const Json& one : parvagpu_reference_cases()) {
    world.workloads = parvagpu_workloads(one);
    for (Workload& w : world.workloads) {
      w.slo = from_ms(std::trunc(to_ms(w.slo)));
      w.arrivals.rate_rps = std::trunc(w.arrivals.rate_rps);
    }
    std::erase_if(world.workloads, [](const Workload& w) { return w.arrivals.rate_rps == 0; });
    for (const std::string processes : {"3", "5"}) {
      const Json& build = one['P' + processes];
      // The larger ones take minutes to prove.
      if (!build.contains("ilp_min_gpus") || build["ilp_min_gpus"] > 20) continue;
      SCOPED_TRACE(one["id"].get<std::string>() + ", limit " + processes);
      const std::optional<Plan> plan =
          optimal_plan(world, R"({"time_limit_s": 60, "max_processes": )" + processes + '}');
      if (!plan) GTEST_SKIP() << "built without a solver";
      EXPECT_EQ(plan->gpus_used(), build["ilp_min_gpus"].get<std::uint32_t>());
      EXPECT_THAT(plan->notes, ElementsAre(HasSubstr("proven minimum")));
      ++compared;
    }
  }
  EXPECT_GE(compared, 100);
}

}  // namespace
}  // namespace tangram
