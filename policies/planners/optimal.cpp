// The fewest GPUs, proven: an integer program over the legal cuts of a MIG GPU.
#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "policies/planners/detail/mig_solver.h"
#include "policies/registry.h"

namespace tangram {
namespace {

// What a proven plan does not need; a time-out's second best does.
Plan heuristic_plan(const PlanningProblem& problem) {
  const Params params({{"max_processes", problem.params.integer("max_processes")},
                       {"slo_share", problem.params.number("slo_share")},
                       {"split_at_most", std::int64_t{4}}});
  return find_planner("parvagpu")
      ->make()
      ->plan({problem.workloads, problem.profiles, problem.cluster, params});
}

class Optimal final : public Planner {
 public:
  Plan plan(const PlanningProblem& problem) const override {
    const GpuType& type = detail::mig_type_of(problem.cluster);
    const detail::MigCuts cuts(type);
    std::vector<std::string> reasons;
    std::vector<detail::MigChoice> choices;
    for (detail::MigDemand& demand :
         detail::mig_demands(problem, type, cuts,
                             {static_cast<std::uint32_t>(problem.params.integer("max_processes")),
                              problem.params.number("slo_share")},
                             reasons)) {
      choices.push_back({{std::move(demand)}});
    }
    const double time_limit_s = problem.params.number("time_limit_s");
    const detail::MigSolution solution = detail::settle_ties(
        cuts, choices, time_limit_s, detail::solve_mig(cuts, choices, time_limit_s));
    Plan plan = detail::plan_of(problem, type, solution.gpus, reasons);
    auto gpus = static_cast<std::uint32_t>(solution.gpus.size());
    if (!solution.is_proven()) {
      Plan other = heuristic_plan(problem);
      if (solution.gpus.empty() || other.gpus_used() < gpus) {
        plan = std::move(other);
        gpus = plan.gpus_used();
      }
    }
    plan.planner = "optimal";
    plan.notes.push_back(sentence(gpus, solution.lower_bound));
    return plan;
  }

 private:
  static std::string sentence(std::uint32_t gpus, std::uint32_t bound) {
    if (gpus == bound) return fmt::format("{} GPUs is the proven minimum", gpus);
    return fmt::format(
        "{} GPUs is not proven to be the minimum within the time limit: at least {} "
        "are needed, a gap of {:.1f} %",
        gpus, bound, 100.0 * (gpus - bound) / gpus);
  }
};

}  // namespace

PlannerEntry optimal_planner() {
  return {
      {"optimal",
       "the fewest GPUs over all legal MIG cuts, proven by an integer program",
       "the best point of each size as parvagpu chooses it; solved by CBC (COIN-OR); "
       "docs/model/planners/optimal.md",
       {integer_param("max_processes", 3, 1, 1024, "processes on one instance, at most"),
        number_param("slo_share", 0.45, 0.01, 1, "part of the SLO that one batch must stay below"),
        number_param("time_limit_s", 60, 0.1, 1e6,
                     "search time; at its end the best plan so far and the gap are given")}},
      []() -> std::unique_ptr<Planner> { return std::make_unique<Optimal>(); }};
}

}  // namespace tangram
