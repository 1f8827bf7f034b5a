// Each workload has whole GPUs of its own, as many as its rate needs.
#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "policies/placement.h"
#include "policies/planner.h"

namespace tangram {
namespace {

struct FreeGpu {
  std::uint32_t index;
  const GpuType* type;
  bool taken = false;
};

// Sustained requests/s of a whole GPU with the largest batch b whose latency is at most half the
// SLO (a request may just miss one batch and then wait for the next: 2 l(b) <= SLO, Nexus, SOSP'19
// section 4.1), or with batch 1 where even that is slower.
double capacity_rps(const Profile& profile, Duration slo) {
  const std::uint32_t largest = usable_batch(profile, Share{}, 1);
  double latency_ms = *profile.latency_ms(Share{}, 1, 1);
  double best = 1;
  for (std::uint32_t batch = 2; batch <= largest; ++batch) {
    const double here_ms = *profile.latency_ms(Share{}, 1, batch);
    if (2 * here_ms > to_ms(slo)) continue;
    best = batch;
    latency_ms = here_ms;
  }
  return best / (std::max(latency_ms, 1e-6) * 1e-3);
}

class Dedicated final : public Planner {
 public:
  Plan plan(const PlanningProblem& problem) const override {
    Plan result;
    result.planner = "dedicated";
    std::vector<FreeGpu> gpus = gpus_of(problem.cluster);
    for (const Workload& workload : problem.workloads) assign(problem, workload, gpus, result);
    std::sort(result.gpus.begin(), result.gpus.end(),
              [](const PlanGpu& a, const PlanGpu& b) { return a.index < b.index; });
    return result;
  }

 private:
  static std::vector<FreeGpu> gpus_of(const Cluster& cluster) {
    std::vector<FreeGpu> gpus;
    for (const GpuGroup& group : cluster.gpus) {
      const GpuType* type = find_gpu_type(group.type, cluster.own_types);
      TANGRAM_CHECK(type != nullptr, "unknown GPU type ", group.type);
      for (std::uint32_t i = 0; i < group.count; ++i) {
        gpus.push_back({static_cast<std::uint32_t>(gpus.size()), type});
      }
    }
    return gpus;
  }

  // Takes free GPUs in order until they carry the rate. A workload without a known rate gets one
  // GPU.
  static void assign(const PlanningProblem& problem,
                     const Workload& workload,
                     std::vector<FreeGpu>& gpus,
                     Plan& result) {
    const double max_load = problem.params.number("max_load");
    const std::optional<double> rate = mean_rate(workload.arrivals);
    std::vector<std::pair<const FreeGpu*, double>> taken;  // with the load it may carry, requests/s
    double carried = 0;
    std::string why = "no GPU is left";
    for (FreeGpu& gpu : gpus) {
      if (!taken.empty() && (!rate || carried >= *rate)) break;
      if (gpu.taken) continue;
      if (const auto reason = why_not_run(problem.profiles, workload.model, *gpu.type, Share{})) {
        why = *reason;
        continue;
      }
      gpu.taken = true;
      const Profile& profile = *problem.profiles.find(workload.model, gpu.type->name);
      taken.emplace_back(&gpu, max_load * capacity_rps(profile, workload.slo));
      carried += taken.back().second;
    }
    for (const auto& [gpu, load] : taken) {
      PlanReplica replica;
      replica.workload = workload.name;
      replica.model = workload.model;
      if (rate) replica.rate_rps = std::min(load, *rate * load / carried);
      PlanPartition partition;
      partition.replicas.push_back(std::move(replica));
      result.gpus.push_back({gpu->index, gpu->type->name, GpuMode::kWhole, {std::move(partition)}});
    }
    if (taken.empty()) {
      result.unserved.push_back({workload.name, rate.value_or(0), why});
    } else if (rate && carried < *rate) {
      result.unserved.push_back(
          {workload.name, *rate - carried,
           fmt::format("needs more GPUs: {} carry {:.6g} of {:.6g} requests/s", taken.size(),
                       carried, *rate)});
    }
  }
};

}  // namespace

PlannerEntry dedicated_planner() {
  return {
      {"dedicated",
       "each workload has whole GPUs of its own, as many as its rate needs",
       "sized with the largest batch that takes at most half the SLO (Nexus, SOSP'19); GPUs are "
       "assigned in the order of the workloads",
       {number_param("max_load", 0.9, 0.01, 1, "largest part of a GPU's capacity that is used")}},
      []() -> std::unique_ptr<Planner> { return std::make_unique<Dedicated>(); }};
}

}  // namespace tangram
