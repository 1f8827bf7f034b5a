// gpulet's elastic partitioning (USENIX ATC'22) done right: neighbours are checked, every rate is
// carried, and partitions are shared by time where that saves one.
#include "policies/planners/gpulet_replan.h"

namespace tangram {
namespace {

class Gpulet final : public Planner {
 public:
  Plan plan(const PlanningProblem& problem) const override {
    std::vector<double> rates;
    for (const Workload& workload : problem.workloads) {
      const auto mean = mean_rate(workload.arrivals);
      if (!mean) {
        throw NoAnswer("the workload \"" + workload.name + "\" has no rate to plan for");
      }
      rates.push_back(*mean);
    }
    if (problem.previous != nullptr && problem.previous->planner == "gpulet") {
      return gpulet_replan(problem, *problem.previous, rates).plan;
    }
    return gpulet_plan(problem, rates);
  }
};

}  // namespace

PlannerEntry gpulet_planner() {
  return {{"gpulet",
           "at most two MPS partitions a GPU, each of the most efficient size or the smallest that "
           "carries what is left, checked against interference both ways",
           "gpulet (USENIX ATC 2022), Algorithm 1 as the specification of its released code tells "
           "it, with that code's defects mended; departures in docs/model/planners/gpulet.md",
           {bool_param("interference", true,
                       "slow latencies down by gpulet's linear model of L2 and DRAM use"),
            bool_param("time_sharing", true, "let workloads share a partition by time"),
            number_param("latency_ratio", 1.1, 1, 100, "every latency is multiplied by it"),
            number_param("rate_quantile", 0.99, 0, 0.999999,
                         "plan for this quantile of the Poisson count in a second; 0: the mean"),
            integer_param("max_batch", 32, 1, 1024, "largest batch"),
            integer_param("max_tasks", 3, 1, 1000,
                          "workloads that share a partition by time, at most")}},
          []() -> std::unique_ptr<Planner> { return std::make_unique<Gpulet>(); }};
}

}  // namespace tangram
