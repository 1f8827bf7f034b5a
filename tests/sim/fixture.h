// Scenarios and plans in code, for the tests of the simulation.
#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "policies/registry.h"
#include "sim/scenario/plan_of_scenario.h"
#include "sim/simulation.h"
#include "tests/policies/plan_fixtures.h"

namespace tangram {

inline Profile with_scatter(Profile profile, Variability::Kind kind, double cv = 0) {
  profile.variability.kind = kind;
  profile.variability.cv = cv;
  return profile;
}

// A dispatcher with its defaults, but for `given` ({"max_batch": 32}).
inline PolicySpec dispatcher_of(const std::string& name, const Json& given = Json::object()) {
  Faults faults;
  const JsonNode node(given, "test", faults);
  PolicySpec spec{name, read_params(find_dispatcher(name)->info, node, faults)};
  faults.throw_if_any();
  return spec;
}

inline Scenario scenario_of(const std::vector<Profile>& profiles,
                            std::vector<Workload> workloads,
                            double duration_s) {
  Scenario scenario;
  for (const Profile& profile : profiles) scenario.profiles.add(profile);
  scenario.workloads = std::move(workloads);
  scenario.duration_s = duration_s;
  scenario.dispatcher = dispatcher_of("fifo");
  return scenario;
}

inline PlanGpu gpu_of(std::uint32_t index,
                      GpuMode mode,
                      std::vector<PlanPartition> partitions,
                      const std::string& type = "ideal") {
  return {index, type, mode, std::move(partitions)};
}

inline PlanPartition percent_partition(double percent, std::vector<PlanReplica> replicas) {
  PlanPartition partition = whole_partition(std::move(replicas));
  partition.share_pct = percent;
  return partition;
}

inline PlanPartition sm_partition(int sms, std::vector<PlanReplica> replicas) {
  PlanPartition partition = whole_partition(std::move(replicas));
  partition.sms = sms;
  return partition;
}

// `count` whole GPUs that serve every workload, one batch at a time each.
inline Plan whole_gpus(std::uint32_t count) {
  Plan plan;
  for (std::uint32_t g = 0; g < count; ++g) {
    plan.gpus.push_back(gpu_of(g, GpuMode::kWhole, {whole_partition({replica_of("*", "*")})}));
  }
  return plan;
}

// Checks the plan as a scenario's own plan is checked, on a cluster of just its GPUs, and
// simulates.
inline RunResult run(Scenario scenario, const Plan& plan, const RunOptions& options = {}) {
  std::map<std::string, std::uint32_t> counts;
  for (const PlanGpu& gpu : plan.gpus) ++counts[gpu.type];
  scenario.cluster.gpus.clear();
  for (const auto& [type, count] : counts) scenario.cluster.gpus.push_back({type, count});
  scenario.plan = plan;
  std::vector<std::string> notes;
  return simulate(scenario, make_plan(scenario, notes), options);
}

}  // namespace tangram
