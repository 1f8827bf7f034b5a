// Planners side by side: the figures of a plan, worked out by hand.
#include "sim/compare_plans.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/sim/fixture.h"

namespace tangram {
namespace {

using ::testing::HasSubstr;

// On 1, 2 and 3 slices: 50, 105 and 200 items/s.
Scenario mig_scenario(double rate_rps) {
  Profile profile;
  for (const auto& [size, rps] : std::vector<std::pair<int, double>>{{1, 50}, {2, 105}, {3, 200}}) {
    profile.points.push_back(
        point_of({ShareKind::kMig, static_cast<double>(size)}, 1, 1, 1000 / rps));
  }
  profile = table_profile("m", "a100-80gb", profile.points);
  Workload workload = workload_of("w", "m", 1000, rate_rps);
  workload.arrivals.process = ArrivalSpec::Process::kConstant;
  Scenario scenario = scenario_of({profile}, {workload}, 10);
  scenario.cluster.gpus = {{"a100-80gb", 4}};
  return scenario;
}

TEST(ComparePlans, MeasuresLoadSlackAndFragmentation) {
  // 160 items/s: the densest size carries 200, so one instance of 3 slices on one GPU.
  const std::vector<PlanFigures> figures = compare_plans(mig_scenario(160), {"parvagpu"});
  ASSERT_EQ(figures.size(), 1u);
  EXPECT_EQ(figures[0].plan.gpus_used(), 1u);
  EXPECT_NEAR(figures[0].load_max.value(), 0.8, 1e-9);
  EXPECT_NEAR(figures[0].internal_slack.value(), 0.2, 1e-9);
  EXPECT_NEAR(figures[0].fragmentation.value(), 4.0 / 7, 1e-9);
  EXPECT_EQ(figures[0].attainment_worst, 1);
  EXPECT_EQ(figures[0].attainment_mean, 1);
}

TEST(ComparePlans, FiguresThatMeanNothingAreAbsent) {
  const Scenario scenario = [] {
    Scenario s = scenario_of({linear_profile("m", "ideal", 10, 0, 1)},
                             {workload_of("a", "m", 1000, 5), workload_of("b", "m", 1000, 5)}, 10);
    s.cluster.gpus = {{"ideal", 1}};
    return s;
  }();
  const std::vector<PlanFigures> figures = compare_plans(scenario, {"exclusive", "parvagpu"});
  EXPECT_EQ(figures[0].load_max, std::nullopt);  // both workloads share the GPU
  EXPECT_EQ(figures[0].fragmentation, std::nullopt);
  EXPECT_THAT(figures[1].no_answer, HasSubstr("cuts GPUs by MIG"));
  const std::string table = table_of(figures);
  EXPECT_THAT(table, HasSubstr("\nexclusive"));
  EXPECT_THAT(table, HasSubstr("parvagpu: no answer: this planner cuts GPUs by MIG"));
}

TEST(ComparePlans, RefusesUnknownNamesAllAtOnce) {
  try {
    compare_plans(mig_scenario(10), {"parvagp", "parvagpu", "optima"});
    FAIL() << "unknown names";
  } catch (const ConfigError& error) {
    ASSERT_EQ(error.faults().size(), 2u);
    EXPECT_THAT(error.faults()[0].what, HasSubstr("did you mean \"parvagpu\""));
    EXPECT_THAT(error.faults()[1].what, HasSubstr("did you mean \"optimal\""));
  }
}

}  // namespace
}  // namespace tangram
