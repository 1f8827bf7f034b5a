// From a planning problem to what the released gpulet scheduler makes of it, and on to a plan.
#pragma once

#include "policies/plan.h"
#include "policies/planner.h"
#include "policies/policy_info.h"

namespace tangram::detail {

// Which of the original's configurations runs.
struct GletRelease {
  const char* name;           // of the planner
  bool cuts_gpus = true;      // its option Part
  bool interference = false;  // Interference
  bool greedy = false;        // Self Tuning
  bool exhaustive = false;    // full_search
};

// The number of requests/s that the original plans for: the smallest k with P(1 <= N <= k) >= 0.99
// for N Poisson with that mean, plus 1; above 550 the mean and a tenth. Throws NoAnswer for means
// up to 4, where the sum, which leaves P(N = 0) out, never gets there.
int glet_inflated_rate(int mean_rps);

// Plans by the released scheduler. Throws NoAnswer where it finds no schedule, crashes, or never
// ends. Every GPU of the cluster is in the plan, in the original's order (by type's name); those
// without partitions in use are empty.
Plan glet_released_plan(const PlanningProblem& problem, const GletRelease& release);

// The parameters that its configurations share: latency_ratio, and max_tasks.
std::vector<ParamInfo> glet_released_params();

}  // namespace tangram::detail
