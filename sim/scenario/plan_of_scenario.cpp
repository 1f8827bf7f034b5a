#include "sim/scenario/plan_of_scenario.h"

#include "policies/plan_io.h"
#include "policies/registry.h"

namespace tangram {
namespace {

Plan plan_by(const PolicySpec& spec, const PlanningProblem& problem) {
  const PlannerEntry* entry = find_planner(spec.name);
  TANGRAM_CHECK(entry != nullptr, "unknown planner ", spec.name);
  Plan plan = entry->make()->plan(problem);
  plan.planner = spec.name;
  return plan;
}

// Returns what the user should know about the plan.
std::vector<std::string> check(const Plan& plan,
                               const Scenario& scenario,
                               const std::vector<Workload>& demand,
                               const std::string& where) {
  Faults faults;
  std::vector<std::string> found =
      check_plan(plan, demand, scenario.profiles, scenario.cluster, where, faults);
  if (scenario.beliefs && faults.empty()) {
    check_plan(plan, demand, *scenario.beliefs, scenario.cluster, where + ", as believed", faults);
  }
  faults.throw_if_any();
  return found;
}

}  // namespace

Plan make_plan(const Scenario& scenario, std::vector<std::string>& notes, Evaluator* evaluator) {
  const Plan plan = scenario.plan ? *scenario.plan
                                  : plan_by(scenario.planner,
                                            {scenario.workloads, scenario.believed(),
                                             scenario.cluster, scenario.planner.params, evaluator});
  const std::vector<std::string> found =
      check(plan, scenario, scenario.workloads,
            scenario.plan ? "the plan" : "the plan of " + scenario.planner.name);
  notes.insert(notes.end(), plan.notes.begin(), plan.notes.end());
  notes.insert(notes.end(), found.begin(), found.end());
  return plan;
}

Plan make_plan_again(const Scenario& scenario,
                     const std::vector<Workload>& demand,
                     const Plan& previous) {
  Plan plan = plan_by(scenario.planner, {demand, scenario.believed(), scenario.cluster,
                                         scenario.planner.params, nullptr, &previous});
  check(plan, scenario, demand, "the new plan of " + scenario.planner.name);
  return plan;
}

}  // namespace tangram
