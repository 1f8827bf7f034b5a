// The released gpulet scheduler's main program: rates, layouts, and the way to a plan.
#include "policies/planners/detail/glet_released.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include <fmt/format.h>

#include "policies/planners/detail/glet_scheduler.h"

namespace tangram::detail {
namespace {

constexpr int kMostRps = 10'000'000;
// 4 layouts a GPU: 4^10, a million, is the most that a search in reasonable time goes through.
constexpr std::size_t kMostExhaustive = 10;

const std::vector<int>& sizes_of(bool cuts_gpus) {
  static const std::vector<int> cut{100, 80, 60, 50, 40, 20};
  static const std::vector<int> whole{100};
  return cuts_gpus ? cut : whole;
}

// Rates and SLOs as the original reads them: whole numbers.
std::vector<GletTask> demands_of(const PlanningProblem& problem) {
  std::vector<GletTask> demands;
  std::map<std::string, std::string> workload_of;
  for (std::size_t w = 0; w < problem.workloads.size(); ++w) {
    const Workload& workload = problem.workloads[w];
    const auto [known, is_new] = workload_of.emplace(workload.model, workload.name);
    if (!is_new) {
      throw NoAnswer(fmt::format(
          "the released program plans one demand for each model, and {} belongs to the workloads "
          "\"{}\" and \"{}\"",
          workload.model, known->second, workload.name));
    }
    const std::optional<double> rate = mean_rate(workload.arrivals);
    if (!rate) {
      throw NoAnswer(fmt::format("the workload \"{}\" has no rate to plan for", workload.name));
    }
    if (*rate > kMostRps) {
      throw NoAnswer(
          fmt::format("{} requests/s of \"{}\" are more than the released program counts", *rate,
                      workload.name));
    }
    GletTask demand;
    demand.model = w;
    demand.slo_ms = static_cast<int>(std::min(to_ms(workload.slo), 1e9));
    try {
      demand.rate = glet_inflated_rate(static_cast<int>(*rate));
    } catch (const NoAnswer& error) {
      throw NoAnswer(fmt::format("{} (workload \"{}\")", error.what(), workload.name));
    }
    demands.push_back(demand);
  }
  return demands;
}

// GPU types, by number, in the original's order: by type's name.
std::vector<std::size_t> gpu_types(const Cluster& cluster, const GletCosts& costs) {
  std::vector<std::size_t> types;
  for (const GpuGroup& group : cluster.gpus) {
    const auto type = static_cast<std::size_t>(
        std::find(costs.types().begin(), costs.types().end(), group.type) - costs.types().begin());
    types.insert(types.end(), group.count, type);
  }
  std::sort(types.begin(), types.end());
  return types;
}

// Every layout of every GPU in turn, that of GPU 0 changing fastest, until one takes the demand.
std::unique_ptr<GletScheduler> search(const GletCosts& costs,
                                      const GletSaturation& saturation,
                                      const GletOptions& options,
                                      const std::vector<std::size_t>& types,
                                      const std::vector<GletTask>& demands) {
  static const std::vector<std::vector<int>> cuts{{50, 50}, {60, 40}, {80, 20}, {100}};
  if (costs.types().size() > 1) {
    throw NoAnswer(
        "the released program's exhaustive search numbers the GPUs of each type from 0 again, so "
        "that a second type has none of its own");
  }
  if (types.size() > kMostExhaustive) {
    throw NoAnswer(
        fmt::format("an exhaustive search over {} GPUs has 4^{} layouts; at most {} GPUs",
                    types.size(), types.size(), kMostExhaustive));
  }
  const std::uint64_t layouts = std::uint64_t{1} << (2 * types.size());
  for (std::uint64_t number = 0; number < layouts; ++number) {
    std::vector<std::vector<int>> layout;
    for (std::size_t g = 0; g < types.size(); ++g) layout.push_back(cuts[(number >> (2 * g)) & 3]);
    auto scheduler = std::make_unique<GletScheduler>(costs, saturation, options, types, layout);
    if (scheduler->run(demands)) return scheduler;
  }
  return nullptr;
}

PlanPartition glet_partition(const Glet& glet,
                             const std::vector<Workload>& workloads,
                             std::vector<double>& carried) {
  PlanPartition partition;
  partition.share_pct = glet.size;
  for (const GletTask& task : glet.tasks) {
    PlanReplica replica;
    replica.workload = workloads[task.model].name;
    replica.model = workloads[task.model].model;
    replica.batch = static_cast<std::uint32_t>(task.batch);
    replica.rate_rps = task.rps;
    replica.duty_ms = glet.duty_ms;
    partition.replicas.push_back(std::move(replica));
    carried[task.model] += task.rps;
  }
  return partition;
}

Plan released_plan(const PlanningProblem& problem,
                   const GletRelease& release,
                   const GletCosts& costs,
                   const GletScheduler& scheduler) {
  Plan plan;
  plan.planner = release.name;
  std::vector<double> carried(problem.workloads.size(), 0);
  for (std::size_t g = 0; g < scheduler.gpus().size(); ++g) {
    const GletGpu& gpu = scheduler.gpus()[g];
    PlanGpu& entry = plan.gpus.emplace_back();
    entry.index = static_cast<std::uint32_t>(g);
    entry.type = costs.types()[gpu.type];
    entry.mode = GpuMode::kMps;
    for (const Glet* glet : gpu.glets) {
      entry.partitions.push_back(glet_partition(*glet, problem.workloads, carried));
    }
  }
  std::string unbudgeted;
  for (std::size_t w = 0; w < problem.workloads.size(); ++w) {
    const Workload& workload = problem.workloads[w];
    const double rate = mean_rate(workload.arrivals).value_or(0);
    if (carried[w] < rate * (1 - 1e-6)) {
      plan.unserved.push_back({workload.name, rate - carried[w],
                               "the released program counts it as placed, and carries less"});
    }
    if (costs.batching_ms(0, w, 1) == 0) {
      unbudgeted += (unbudgeted.empty() ? "" : ", ") + workload.model;
    }
  }
  if (!unbudgeted.empty()) {
    plan.notes.push_back("no time to put batches together is budgeted for " + unbudgeted +
                         ": no batching_ms in the profile");
  }
  return plan;
}

}  // namespace

int glet_inflated_rate(int mean_rps) {
  constexpr int kLargestSummed = 550;
  constexpr int kSmallest = 5;  // 1 - exp(-4) < 0.99
  constexpr double kQuantile = 0.99;
  if (mean_rps > kLargestSummed) return static_cast<int>(mean_rps * 1.1);
  if (mean_rps < kSmallest) {
    throw NoAnswer(fmt::format(
        "the released program never ends for a rate of {}/s: it sums Poisson probabilities without "
        "that of no request up to 0.99",
        mean_rps));
  }
  double probability = std::exp(-mean_rps);
  double sum = 0;
  int count = 0;
  while (sum < kQuantile) {
    ++count;
    probability *= mean_rps;
    probability /= count;
    sum += probability;
  }
  return count + 1;
}

Plan glet_released_plan(const PlanningProblem& problem, const GletRelease& release) {
  const std::vector<GletTask> demands = demands_of(problem);
  GletOptions options;
  options.sizes = sizes_of(release.cuts_gpus);
  options.interference = release.interference;
  options.greedy = release.greedy;
  options.may_split = !release.exhaustive;
  options.tasks_per_glet = static_cast<int>(problem.params.integer("max_tasks"));
  const GletCosts costs(problem, options.sizes, problem.params.number("latency_ratio"));
  const GletSaturation saturation(costs, demands, options.sizes);
  const std::vector<std::size_t> types = gpu_types(problem.cluster, costs);
  std::unique_ptr<GletScheduler> found;
  if (release.exhaustive) {
    found = search(costs, saturation, options, types, demands);
  } else {
    found = std::make_unique<GletScheduler>(costs, saturation, options, types,
                                            std::vector<std::vector<int>>(types.size(), {100}));
    if (!found->run(demands)) found = nullptr;
  }
  if (!found) {
    throw NoAnswer(fmt::format("the released program finds no schedule on {} GPU{}", types.size(),
                               types.size() == 1 ? "" : "s"));
  }
  return released_plan(problem, release, costs, *found);
}

std::vector<ParamInfo> glet_released_params() {
  return {number_param("latency_ratio", 1.1, 1, 100,
                       "every latency is multiplied by it; the original's \"Latency Ratio\""),
          integer_param("max_tasks", 3, 1, 1000,
                        "models that share a partition by time, at most; its \"Max Model\"")};
}

}  // namespace tangram::detail
