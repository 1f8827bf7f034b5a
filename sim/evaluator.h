// Simulations for planners that check themselves, and for comparing plans.
#pragma once

#include <cstdint>
#include <vector>

#include "policies/planner.h"
#include "sim/scenario/scenario.h"

namespace tangram {

// Simulates the scenario under a plan, each call with streams of its own. None of them is a stream
// of `tangram run`, whose replications count from 0: a plan chosen by its luck on some arrivals is
// not judged on the same ones.
class SimulationEvaluator final : public Evaluator {
 public:
  explicit SimulationEvaluator(const Scenario& scenario);
  // Of the requests offered in [warmup, duration); 1 where none was. Throws ConfigError for a plan
  // that breaks a rule.
  std::vector<double> attainment(const Plan& plan) override;

 private:
  Scenario scenario_;
  std::uint64_t replication_;
};

// The plan of a scenario, with an evaluator at the planner's disposal (see make_plan).
Plan plan_scenario(const Scenario& scenario, std::vector<std::string>& notes);

}  // namespace tangram
