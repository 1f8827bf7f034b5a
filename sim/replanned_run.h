// A run whose plan is made again by an epoch rule. docs/model/replanning.md says what is charged.
#pragma once

#include <functional>

#include "policies/plan.h"
#include "sim/results/result.h"
#include "sim/scenario/scenario.h"
#include "sim/shard_result.h"

namespace tangram {

struct ReplannedRun {
  // The first plan and, without partitions, the GPUs that only later plans used.
  Plan plan;
  ShardResult result;  // of everything in that plan
  ReplanningCounts counts;
};

// Requires: scenario.replanning, and what its reader allows. `plan` is the first plan. Throws
// ConfigError when the planner makes a plan that breaks a rule.
ReplannedRun run_replanned(const Scenario& scenario,
                           const Plan& plan,
                           StreamKey key,
                           const std::function<void(double)>& progress);

}  // namespace tangram
