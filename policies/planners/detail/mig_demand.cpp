// The densest points of each workload.
#include "policies/planners/detail/mig_demand.h"

#include <algorithm>

#include <fmt/format.h>

namespace tangram::detail {

MigSegment MigDemand::segment(std::size_t size) const {
  const MigPoint& point = *best[size];
  return {workload, point.size, point.batch, point.processes, point.total_rps(), std::nullopt};
}

bool choose_best(MigDemand& demand, const std::vector<MigPoint>& points, const MigCuts& cuts) {
  demand.best.assign(cuts.sizes().size(), std::nullopt);
  double density = 0;
  for (const MigPoint& p : points) {
    const auto s = static_cast<std::size_t>(
        std::find(cuts.sizes().begin(), cuts.sizes().end(), p.size) - cuts.sizes().begin());
    std::optional<MigPoint>& best = demand.best[s];
    if (!best || p.total_rps() > best->total_rps()) best = p;
    if (p.total_rps() / p.size > density) {
      density = p.total_rps() / p.size;
      demand.densest = s;
    }
  }
  return density > 0;
}

std::vector<MigDemand> mig_demands(const PlanningProblem& problem,
                                   const GpuType& type,
                                   const MigCuts& cuts,
                                   const MigTarget& target,
                                   std::vector<std::string>& reasons) {
  const std::vector<std::optional<double>> rates = mean_rates(problem.workloads);
  reasons.assign(problem.workloads.size(), "");
  std::vector<MigDemand> demands;
  for (std::uint32_t w = 0; w < problem.workloads.size(); ++w) {
    const Workload& workload = problem.workloads[w];
    std::vector<MigPoint> points =
        runnable_points(problem.profiles, workload.model, type, target.max_processes);
    if (points.empty()) {
      reasons[w] =
          fmt::format("no measured point of {} on an instance of {}", workload.model, type.name);
      continue;
    }
    const double limit_ms = target.slo_share * to_ms(workload.slo);
    std::erase_if(points, [&](const MigPoint& p) { return !(p.latency_ms < limit_ms); });
    MigDemand demand;
    demand.workload = w;
    demand.rate_rps = rates[w].value_or(0);
    if (!choose_best(demand, points, cuts)) {
      reasons[w] = fmt::format(
          "no measured point of {} on {} takes less than {:.6g} ms, {:.6g} of "
          "the SLO",
          workload.model, type.name, limit_ms, target.slo_share);
    } else if (rates[w]) {
      demands.push_back(std::move(demand));
    }
  }
  return demands;
}

}  // namespace tangram::detail
