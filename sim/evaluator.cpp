// One simulation per call.
#include "sim/evaluator.h"

#include "policies/plan_io.h"
#include "sim/scenario/plan_of_scenario.h"
#include "sim/simulation.h"

namespace tangram {
namespace {

// Far above any number of replications that a user asks for.
constexpr std::uint64_t kFirstReplication = std::uint64_t{1} << 32;

}  // namespace

SimulationEvaluator::SimulationEvaluator(const Scenario& scenario)
    : scenario_(scenario), replication_(kFirstReplication) {
  scenario_.log_requests = false;
  scenario_.log_timeline = false;
  scenario_.replanning.reset();  // the plan is judged, not what follows it
}

std::vector<double> SimulationEvaluator::attainment(const Plan& plan) {
  Faults faults;
  check_plan(plan, scenario_.workloads, scenario_.profiles, scenario_.cluster, "the plan", faults);
  faults.throw_if_any();
  RunOptions options;
  options.replication = replication_++;
  const RunResult result = simulate(scenario_, plan, options);
  std::vector<double> attained;
  for (std::size_t w = 0; w < scenario_.workloads.size(); ++w) {
    const WorkloadMetrics& metrics = result.metrics[w];
    attained.push_back(metrics.offered == 0 ? 1
                                            : static_cast<double>(metrics.good()) /
                                                  static_cast<double>(metrics.offered));
  }
  return attained;
}

Plan plan_scenario(const Scenario& scenario, std::vector<std::string>& notes) {
  SimulationEvaluator evaluator(scenario);
  return make_plan(scenario, notes, &evaluator);
}

}  // namespace tangram
