// Simulations for planners: right figures, fresh arrivals at each call.
#include "sim/evaluator.h"

#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/sim/fixture.h"

namespace tangram {
namespace {

using ::testing::ElementsAre;

// One GPU, 10 ms a request: nobody can meet 5 ms.
Scenario two_workloads() {
  Workload easy = workload_of("easy", "m", 1000, 5);
  Workload hard = workload_of("hard", "m", 5, 5);
  Scenario scenario = scenario_of({linear_profile("m", "ideal", 10, 0, 1)}, {easy, hard}, 50);
  scenario.cluster.gpus = {{"ideal", 1}};
  return scenario;
}

TEST(SimulationEvaluator, GivesTheAttainmentOfEachWorkload) {
  SimulationEvaluator evaluator(two_workloads());
  EXPECT_THAT(evaluator.attainment(whole_gpus(1)), ElementsAre(1, 0));
}

TEST(SimulationEvaluator, AWorkloadWithoutRequestsAttainsEverything) {
  Scenario scenario = two_workloads();
  scenario.workloads[1].arrivals.rate_rps = 1e-6;
  EXPECT_THAT(SimulationEvaluator(scenario).attainment(whole_gpus(1)), ElementsAre(1, 1));
}

// Load 0.8, and an SLO that about half of the requests meet.
Scenario loaded() {
  Scenario scenario =
      scenario_of({linear_profile("m", "ideal", 10, 0, 1)}, {workload_of("w", "m", 30, 80)}, 20);
  scenario.cluster.gpus = {{"ideal", 1}};
  return scenario;
}

TEST(SimulationEvaluator, EachCallHasArrivalsOfItsOwnAndEachEvaluatorTheSameOnes) {
  SimulationEvaluator first(loaded());
  SimulationEvaluator second(loaded());
  std::set<double> seen;
  for (int call = 0; call < 4; ++call) {
    const double attained = first.attainment(whole_gpus(1)).at(0);
    EXPECT_EQ(second.attainment(whole_gpus(1)).at(0), attained);
    seen.insert(attained);
  }
  EXPECT_EQ(seen.size(), 4u);
  // Nor are they those of the scenario's own run.
  const RunResult run = simulate(loaded(), whole_gpus(1));
  EXPECT_FALSE(seen.contains(static_cast<double>(run.metrics[0].good()) /
                             static_cast<double>(run.metrics[0].offered)));
}

TEST(SimulationEvaluator, RefusesAPlanThatBreaksARule) {
  SimulationEvaluator evaluator(loaded());
  EXPECT_THROW(evaluator.attainment(whole_gpus(2)), ConfigError);  // the cluster has one
}

}  // namespace
}  // namespace tangram
