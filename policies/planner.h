// A planner decides, seconds to minutes ahead, how GPUs are cut and what runs where.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "policies/cluster.h"
#include "policies/plan.h"
#include "policies/policy_info.h"
#include "profiles/profile.h"
#include "workloads/workload.h"

namespace tangram {

// What a planner may ask of a simulation: the attainment of each workload under a plan, on fresh
// seeds. Implemented by sim/, seeded; a fake in tests.
class Evaluator {
 public:
  virtual ~Evaluator() = default;
  // Returns the SLO attainment in [0, 1] of each workload, in the problem's order. Each call uses
  // another seed, derived from the scenario's, so that repeated calls are independent runs.
  virtual std::vector<double> attainment(const Plan& plan) = 0;
};

// References outlive the call.
struct PlanningProblem {
  const std::vector<Workload>& workloads;
  const ProfileSet& profiles;
  const Cluster& cluster;
  const Params& params;
  Evaluator* evaluator = nullptr;  // null where no simulation is at hand
  const Plan* previous = nullptr;  // in force, where one is made during a run
};

class Planner {
 public:
  virtual ~Planner() = default;
  // A pure function of the problem. Demand that cannot be served is listed in Plan::unserved;
  // throws NoAnswer when nothing can be planned at all. A planner may use the previous plan to
  // change little; to change nothing it returns it.
  virtual Plan plan(const PlanningProblem& problem) const = 0;
};

struct PlannerEntry {
  PolicyInfo info;
  std::unique_ptr<Planner> (*make)();
};

}  // namespace tangram
