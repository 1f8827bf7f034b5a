// Planning for given rates, and incremental planning.
#include "policies/planners/gpulet_replan.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "policies/planners/detail/glet_packer.h"

namespace tangram {
namespace {

using detail::GletPacker;
using detail::PackedGlet;
using detail::PackedGpu;

detail::PackOptions options_of(const Params& params) {
  detail::PackOptions options;
  options.latency_ratio = params.number("latency_ratio");
  options.interference = params.boolean("interference");
  options.may_share = params.boolean("time_sharing");
  options.max_batch = static_cast<std::uint32_t>(params.integer("max_batch"));
  options.tasks_per_glet = static_cast<std::size_t>(params.integer("max_tasks"));
  return options;
}

std::vector<PackedGpu> whole_gpus(const Cluster& cluster) {
  std::vector<PackedGpu> gpus;
  for (const GpuGroup& group : cluster.gpus) {
    for (std::uint32_t i = 0; i < group.count; ++i) {
      gpus.push_back({group.type, {PackedGlet{}}});
    }
  }
  return gpus;
}

// Plans from nothing for `wanted`; what of `rates` is not carried is unserved.
Plan plan_for(const PlanningProblem& problem,
              const std::vector<double>& wanted,
              const std::vector<double>& rates) {
  GletPacker packer(problem, options_of(problem.params), whole_gpus(problem.cluster));
  std::vector<double> left = packer.place(wanted);
  // A margin that finds no place is no demand.
  for (std::size_t w = 0; w < left.size(); ++w) {
    left[w] = std::max(0.0, rates[w] - (wanted[w] - left[w]));
  }
  return plan_of_glets(problem, "gpulet", packer, left);
}

std::uint32_t index_of(const PlanningProblem& problem, const std::string& workload) {
  const auto found = std::find_if(problem.workloads.begin(), problem.workloads.end(),
                                  [&](const Workload& w) { return w.name == workload; });
  TANGRAM_CHECK(found != problem.workloads.end(), "unknown workload ", workload);
  return static_cast<std::uint32_t>(found - problem.workloads.begin());
}

// What a plan gives each workload.
std::vector<double> rates_of(const PlanningProblem& problem, const Plan& plan) {
  std::vector<double> rates(problem.workloads.size(), 0);
  for (const PlanGpu& gpu : plan.gpus) {
    for (const PlanPartition& partition : gpu.partitions) {
      for (const PlanReplica& replica : partition.replicas) {
        rates[index_of(problem, replica.workload)] += replica.rate_rps.value_or(0);
      }
    }
  }
  return rates;
}

// The layout of a plan, on the cluster's GPUs.
std::vector<PackedGpu> layout_of(const PlanningProblem& problem, const Plan& plan) {
  std::vector<PackedGpu> gpus = whole_gpus(problem.cluster);
  for (const PlanGpu& gpu : plan.gpus) {
    PackedGpu& entry = gpus.at(gpu.index);
    entry.glets.clear();
    for (const PlanPartition& partition : gpu.partitions) {
      PackedGlet glet;
      glet.size = static_cast<int>(std::lround(partition.share_pct.value_or(100)));
      for (const PlanReplica& replica : partition.replicas) {
        glet.duty_ms = replica.duty_ms.value_or(0);
        glet.tasks.push_back({index_of(problem, replica.workload), replica.rate_rps.value_or(0),
                              replica.batch.value_or(1)});
      }
      entry.glets.push_back(std::move(glet));
    }
  }
  return gpus;
}

}  // namespace

double poisson_quantile(double mean, double quantile) {
  constexpr double kSpread = 12;  // standard deviations below which nothing is left
  if (quantile <= 0 || mean <= 0) return mean;
  double count = std::max(0.0, std::floor(mean - kSpread * std::sqrt(mean)));
  const double log_mean = std::log(mean);
  double sum = 0;
  while (true) {
    sum += std::exp(count * log_mean - mean - std::lgamma(count + 1));
    if (sum >= quantile || count > mean + kSpread * std::sqrt(mean) + 100) return count;
    ++count;
  }
}

Plan gpulet_plan(const PlanningProblem& problem, const std::vector<double>& rates_rps) {
  std::vector<double> wanted;
  for (const double rate : rates_rps) {
    wanted.push_back(
        std::max(rate, poisson_quantile(rate, problem.params.number("rate_quantile"))));
  }
  return plan_for(problem, wanted, rates_rps);
}

GpuletReplan gpulet_replan(const PlanningProblem& problem,
                           const Plan& previous,
                           const std::vector<double>& target_rps) {
  constexpr double kRise = 1.05;
  constexpr double kRiseRps = 10;
  constexpr double kFall = 0.9;
  const std::vector<double> planned = rates_of(problem, previous);
  std::vector<double> again(planned.size(), 0);
  bool falls = false;
  bool rises = false;
  for (std::size_t w = 0; w < planned.size(); ++w) {
    const double target = target_rps[w];
    falls = falls || target < planned[w] * kFall || (target <= 0 && planned[w] > 0);
    if (target > planned[w] * kRise || target > planned[w] + kRiseRps) {
      again[w] = target;
      rises = true;
    }
  }
  if (!falls && !rises) return {GpuletReplan::Kind::kKept, previous};
  if (!falls) {
    detail::PackOptions options = options_of(problem.params);
    options.may_split = false;
    GletPacker packer(problem, options, layout_of(problem, previous));
    for (std::uint32_t w = 0; w < again.size(); ++w) {
      if (again[w] > 0) packer.remove(w);
    }
    const std::vector<double> left = packer.place(again);
    if (std::all_of(left.begin(), left.end(), [](double rate) { return rate <= 0; })) {
      return {GpuletReplan::Kind::kExtended, plan_of_glets(problem, "gpulet", packer, left)};
    }
  }
  Plan plan = plan_for(problem, target_rps, target_rps);
  const bool is_short = std::any_of(plan.unserved.begin(), plan.unserved.end(),
                                    [](const Unserved& entry) { return entry.rate_rps > 0; });
  if (is_short) return {GpuletReplan::Kind::kKept, previous};
  return {GpuletReplan::Kind::kRepartitioned, std::move(plan)};
}

}  // namespace tangram
