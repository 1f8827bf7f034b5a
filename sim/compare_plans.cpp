// Plans, measures, simulates, prints.
#include "sim/compare_plans.h"

#include <algorithm>
#include <chrono>
#include <numeric>
#include <utility>

#include <fmt/format.h>

#include "policies/placement.h"
#include "policies/registry.h"
#include "sim/evaluator.h"
#include "sim/results/table.h"
#include "sim/scenario/plan_of_scenario.h"

namespace tangram {
namespace {

// Requests/s of all processes of a replica with full batches; nullopt when the profile does not
// say.
std::optional<double> capacity_rps(const Scenario& scenario,
                                   const PlanGpu& gpu,
                                   const PlanPartition& partition,
                                   const PlanReplica& replica) {
  const Profile* profile = scenario.profiles.find(replica.model, gpu.type);
  if (profile == nullptr) return std::nullopt;
  const std::uint32_t profiled = profiled_processes(gpu.mode, replica.processes);
  const std::uint32_t usable = usable_batch(*profile, partition.share(), profiled);
  const std::uint32_t batch = std::min(replica.batch.value_or(usable), usable);
  const auto latency_ms = profile->latency_ms(partition.share(), profiled, batch);
  if (!latency_ms) return std::nullopt;
  return replica.processes * batch * 1000.0 / std::max(*latency_ms, 1e-6);
}

// Capacity by workload; nullopt where a partition is shared, or a capacity is not known.
std::optional<std::vector<double>> capacities_of(const Scenario& scenario, const Plan& plan) {
  std::vector<double> capacities(scenario.workloads.size(), 0.0);
  for (const PlanGpu& gpu : plan.gpus) {
    if (gpu.mode == GpuMode::kTimeSliced || gpu.mode == GpuMode::kStreams) return std::nullopt;
    for (const PlanPartition& partition : gpu.partitions) {
      if (partition.replicas.size() > 1) return std::nullopt;
      for (const PlanReplica& replica : partition.replicas) {
        const auto workload =
            std::find_if(scenario.workloads.begin(), scenario.workloads.end(),
                         [&](const Workload& w) { return w.name == replica.workload; });
        const auto capacity = capacity_rps(scenario, gpu, partition, replica);
        if (workload == scenario.workloads.end() || !capacity) return std::nullopt;
        capacities[static_cast<std::size_t>(workload - scenario.workloads.begin())] += *capacity;
      }
    }
  }
  return capacities;
}

// Load and internal slack: a slice of a workload that is loaded to 0.8 is idle by a fifth.
void measure_load(const Scenario& scenario, PlanFigures& figures) {
  const auto capacities = capacities_of(scenario, figures.plan);
  if (!capacities) return;
  std::vector<double> loads;
  for (std::size_t w = 0; w < capacities->size(); ++w) {
    const std::optional<double> rate = mean_rate(scenario.workloads[w].arrivals);
    if (!rate) return;
    if ((*capacities)[w] > 0) {
      loads.push_back(std::min(*rate / (*capacities)[w], 1.0));
      figures.load_max = std::max(figures.load_max.value_or(0), *rate / (*capacities)[w]);
    } else {
      loads.push_back(0);
    }
  }
  double slices = 0;
  double idle = 0;
  for (const PlanGpu& gpu : figures.plan.gpus) {
    for (const PlanPartition& partition : gpu.partitions) {
      if (!partition.size || partition.replicas.empty()) continue;
      for (std::size_t w = 0; w < loads.size(); ++w) {
        if (scenario.workloads[w].name != partition.replicas.front().workload) continue;
        slices += *partition.size;
        idle += *partition.size * (1 - loads[w]);
      }
    }
  }
  if (slices > 0) figures.internal_slack = idle / slices;
}

void measure_cut(const Scenario& scenario, PlanFigures& figures) {
  double all = 0;
  for (const PlanGpu& gpu : figures.plan.gpus) {
    const GpuType* type = find_gpu_type(gpu.type, scenario.cluster.own_types);
    if (gpu.mode == GpuMode::kMig && type != nullptr) all += type->mig_slices;
  }
  if (all > 0) figures.fragmentation = 1 - figures.plan.slices_used() / all;
}

PlanFigures figures_of(Scenario scenario, const PlannerEntry& entry) {
  PlanFigures figures;
  figures.planner = entry.info.name;
  if (scenario.plan || scenario.planner.name != entry.info.name) {
    scenario.plan.reset();
    scenario.planner = {entry.info.name, default_params(entry.info)};
  }
  using Clock = std::chrono::steady_clock;
  const Clock::time_point start = Clock::now();
  try {
    figures.plan = plan_scenario(scenario, scenario.notes);
  } catch (const NoAnswer& error) {
    figures.no_answer = error.what();
    return figures;
  }
  figures.planning_s = std::chrono::duration<double>(Clock::now() - start).count();
  measure_load(scenario, figures);
  measure_cut(scenario, figures);
  const std::vector<double> attained = SimulationEvaluator(scenario).attainment(figures.plan);
  figures.attainment_worst = *std::min_element(attained.begin(), attained.end());
  figures.attainment_mean =
      std::accumulate(attained.begin(), attained.end(), 0.0) / static_cast<double>(attained.size());
  return figures;
}

std::string or_dash(const std::optional<double>& value, double scale, int digits) {
  return value ? fmt::format("{:.{}f}", *value * scale, digits) : "-";
}

}  // namespace

std::vector<PlanFigures> compare_plans(const Scenario& scenario,
                                       const std::vector<std::string>& planners) {
  Faults faults;
  for (const std::string& name : planners) {
    if (find_planner(name) == nullptr) {
      faults.add("--compare", unknown_name("planner", name, planner_names()));
    }
  }
  faults.throw_if_any();
  std::vector<PlanFigures> figures;
  for (const std::string& name : planners) {
    figures.push_back(figures_of(scenario, *find_planner(name)));
  }
  return figures;
}

std::string table_of(const std::vector<PlanFigures>& figures) {
  TextTable table({"planner", "GPUs", "slices", "slack %", "frag. %", "max load", "worst %",
                   "mean %", "unserved", "plan ms"});
  std::string notes;
  for (const PlanFigures& f : figures) {
    if (!f.no_answer.empty()) {
      table.add({f.planner, "-", "-", "-", "-", "-", "-", "-", "-", "-"});
      notes += wrapped(f.planner + ": ", "no answer: " + f.no_answer);
      continue;
    }
    table.add(
        {f.planner, fmt::format("{}", f.plan.gpus_used()), fmt::format("{}", f.plan.slices_used()),
         or_dash(f.internal_slack, 100, 1), or_dash(f.fragmentation, 100, 1),
         or_dash(f.load_max, 1, 3), fmt::format("{:.2f}", 100 * f.attainment_worst),
         fmt::format("{:.2f}", 100 * f.attainment_mean), fmt::format("{}", f.plan.unserved.size()),
         fmt::format("{:.1f}", 1000 * f.planning_s)});
    for (const std::string& note : f.plan.notes) notes += wrapped(f.planner + ": ", note);
  }
  return table.text() + notes;
}

}  // namespace tangram
