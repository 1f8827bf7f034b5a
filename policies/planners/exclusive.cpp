// Every GPU whole: one partition, one process, on which every workload may run, one batch at a
// time.
#include <map>

#include "policies/placement.h"
#include "policies/planner.h"

namespace tangram {
namespace {

PlanReplica replica_of(const std::string& workload, const std::string& model) {
  PlanReplica replica;
  replica.workload = workload;
  replica.model = model;
  return replica;
}

class Exclusive final : public Planner {
 public:
  Plan plan(const PlanningProblem& problem) const override {
    Plan result;
    result.planner = "exclusive";
    std::vector<bool> served(problem.workloads.size(), false);
    std::map<std::string, PlanPartition> by_type;
    std::uint32_t index = 0;
    for (const GpuGroup& group : problem.cluster.gpus) {
      if (!by_type.contains(group.type)) {
        by_type.emplace(group.type, partition_on(problem, group.type, served));
      }
      const PlanPartition& partition = by_type.at(group.type);
      for (std::uint32_t i = 0; i < group.count; ++i, ++index) {
        if (partition.replicas.empty()) continue;
        result.gpus.push_back({index, group.type, GpuMode::kWhole, {partition}});
      }
    }
    for (std::size_t w = 0; w < served.size(); ++w) {
      if (!served[w]) result.unserved.push_back(unserved(problem, problem.workloads[w]));
    }
    return result;
  }

 private:
  // One replica "*" where every workload can run; else one for each that can.
  static PlanPartition partition_on(const PlanningProblem& problem,
                                    const std::string& type_name,
                                    std::vector<bool>& served) {
    PlanPartition partition;
    const GpuType* type = find_gpu_type(type_name, problem.cluster.own_types);
    TANGRAM_CHECK(type != nullptr, "unknown GPU type ", type_name);
    for (std::size_t w = 0; w < problem.workloads.size(); ++w) {
      const Workload& workload = problem.workloads[w];
      if (why_not_run(problem.profiles, workload.model, *type, Share{})) continue;
      served[w] = true;
      partition.replicas.push_back(replica_of(workload.name, workload.model));
    }
    if (partition.replicas.size() == problem.workloads.size() && !partition.replicas.empty()) {
      partition.replicas = {replica_of("*", "*")};
    }
    return partition;
  }

  static Unserved unserved(const PlanningProblem& problem, const Workload& workload) {
    std::string reasons;
    for (const GpuGroup& group : problem.cluster.gpus) {
      const GpuType* type = find_gpu_type(group.type, problem.cluster.own_types);
      const auto why = why_not_run(problem.profiles, workload.model, *type, Share{});
      if (why && reasons.find(*why) == std::string::npos) {
        reasons += (reasons.empty() ? "" : "; ") + *why;
      }
    }
    if (reasons.empty()) reasons = "the cluster has no GPU";
    return {workload.name, mean_rate(workload.arrivals).value_or(0), reasons};
  }
};

}  // namespace

PlannerEntry exclusive_planner() {
  return {
      {"exclusive",
       "every GPU is one whole partition on which every workload may run, one batch at a time",
       "the plan for central dispatchers (fifo, Symphony, Clockwork); no sizing by rate or SLO, "
       "memory only so far as each model alone fits",
       {}},
      []() -> std::unique_ptr<Planner> { return std::make_unique<Exclusive>(); }};
}

}  // namespace tangram
