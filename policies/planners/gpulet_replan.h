// gpulet's planning for given rates, and again when rates have changed (USENIX ATC'22, section on
// reorganisation; constants of the released code). Pure functions: no clock, no state.
#pragma once

#include <cstdint>
#include <vector>

#include "policies/plan.h"
#include "policies/planner.h"

namespace tangram {

// Plans for these mean rates, requests/s by workload, in place of the problem's. The problem's
// parameters are those of `gpulet`.
Plan gpulet_plan(const PlanningProblem& problem, const std::vector<double>& rates_rps);

// The smallest k with P(N <= k) >= quantile for N Poisson; the mean itself for quantile 0.
// Requires: mean >= 0, 0 <= quantile < 1.
double poisson_quantile(double mean, double quantile);

struct GpuletReplan {
  enum class Kind : std::uint8_t {
    kKept,           // nothing to do, or no plan carries the targets: the old one stays
    kExtended,       // risen workloads placed again on the partitions that there are
    kRepartitioned,  // planned from nothing
  };
  Kind kind = Kind::kKept;
  Plan plan;
};

// Plans again for these target rates, by workload. A workload whose target is more than 5 % or 10/s
// above the sum of its rates in `previous` is placed again on the current partitions; one that is
// more than 10 % below or zero, or finds no place, has everything planned anew; when that leaves
// demand unserved the old plan stays. Targets are planned for as they are, without rate_quantile.
// Requires: `previous` from gpulet_plan or this function.
GpuletReplan gpulet_replan(const PlanningProblem& problem,
                           const Plan& previous,
                           const std::vector<double>& target_rps);

}  // namespace tangram
