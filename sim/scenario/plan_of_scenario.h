// From a scenario to the plan that its run starts with; for every runtime.
#pragma once

#include <string>
#include <vector>

#include "policies/plan.h"
#include "policies/planner.h"
#include "sim/scenario/scenario.h"

namespace tangram {

// Makes the plan of a scenario: by its planner, or the given one, checked. Appends notes. Throws
// ConfigError for a plan that breaks a rule, NoAnswer when the planner cannot plan at all. Without
// an evaluator, planners that check themselves by simulation do not.
Plan make_plan(const Scenario& scenario,
               std::vector<std::string>& notes,
               Evaluator* evaluator = nullptr);
// Makes the plan again during a run: `demand` are the scenario's workloads with the arrivals to
// plan for, `previous` is the plan in force. Without an evaluator. Throws as make_plan.
Plan make_plan_again(const Scenario& scenario,
                     const std::vector<Workload>& demand,
                     const Plan& previous);

}  // namespace tangram
