// What a workload asks for and the best that each instance size offers it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "policies/planners/detail/mig_cuts.h"
#include "policies/planners/detail/mig_services.h"

namespace tangram::detail {

struct MigDemand {
  std::uint32_t workload = 0;  // index in the problem
  double rate_rps = 0;
  std::vector<std::optional<MigPoint>> best;  // by size, in the order of MigCuts::sizes()
  std::size_t densest = 0;                    // the size with the most items/s per slice

  // A segment of that size. Requires: best[size].
  MigSegment segment(std::size_t size) const;
};

// Which points are considered.
struct MigTarget {
  std::uint32_t max_processes = 3;
  double slo_share = 0.45;  // latencies must be below this part of the SLO
};

// The demands that can be served at all, in the workloads' order; for each size the point with the
// most items/s among those below the target, the first by batch and processes of equals. `reasons`
// gets an entry for each workload: why it is not among them, or "".
std::vector<MigDemand> mig_demands(const PlanningProblem& problem,
                                   const GpuType& type,
                                   const MigCuts& cuts,
                                   const MigTarget& target,
                                   std::vector<std::string>& reasons);

// Puts the point with the most items/s at each size into demand.best, and the densest size into
// demand.densest. Returns false when there is none.
bool choose_best(MigDemand& demand, const std::vector<MigPoint>& points, const MigCuts& cuts);

}  // namespace tangram::detail
