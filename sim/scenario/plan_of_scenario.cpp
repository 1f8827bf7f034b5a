#include "sim/scenario/plan_of_scenario.h"

#include "policies/plan_io.h"
#include "policies/registry.h"

namespace tangram {

Plan make_plan(const Scenario& scenario, std::vector<std::string>& notes, Evaluator* evaluator) {
  Plan plan;
  std::string where = "the plan of " + scenario.planner.name;
  if (scenario.plan) {
    plan = *scenario.plan;
    where = "the plan";
  } else {
    const PlannerEntry* entry = find_planner(scenario.planner.name);
    TANGRAM_CHECK(entry != nullptr, "unknown planner ", scenario.planner.name);
    plan = entry->make()->plan({scenario.workloads, scenario.profiles, scenario.cluster,
                                scenario.planner.params, evaluator});
    plan.planner = scenario.planner.name;
  }
  Faults faults;
  const std::vector<std::string> found =
      check_plan(plan, scenario.workloads, scenario.profiles, scenario.cluster, where, faults);
  faults.throw_if_any();
  notes.insert(notes.end(), plan.notes.begin(), plan.notes.end());
  notes.insert(notes.end(), found.begin(), found.end());
  return plan;
}

}  // namespace tangram
