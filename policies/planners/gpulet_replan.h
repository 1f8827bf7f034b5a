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

// The exponentially weighted mean of a rate after one more sample (every 500 ms, weight 2 / 41).
double gpulet_smoothed_rate(double before_rps, double sample_rps);
// What to plan for at a smoothed rate: half as much again below 125/s, a fifth more above.
double gpulet_target_rate(double smoothed_rps);
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
  std::vector<double> planned_rps;  // by workload, what the plan was made for
};

// Plans again. `planned_rps`: what `previous` was made for. A workload whose target rises by more
// than 5 % or 10/s is placed again on the current partitions; one that falls by more than 10 % or
// to zero, or finds no place, has everything planned anew; when that leaves demand unserved the old
// plan stays. Targets are planned for as they are, without rate_quantile.
// Requires: vectors by workload; `previous` from gpulet_plan or this function.
GpuletReplan gpulet_replan(const PlanningProblem& problem,
                           const Plan& previous,
                           const std::vector<double>& planned_rps,
                           const std::vector<double>& smoothed_rps);

}  // namespace tangram
