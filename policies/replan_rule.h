// A policy that says, during a run, when the plan is made again and for which rates. The planner
// then makes it; the runtime puts it in place and charges what that costs.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "policies/policy_info.h"
#include "sim/core/time.h"

namespace tangram {

class ReplanRule {
 public:
  virtual ~ReplanRule() = default;
  // How often arrivals are counted; > 0, the same for the whole run.
  virtual Duration sample_every() const = 0;
  // Before the first sample. Rates here and below are requests/s, by workload of the scenario.
  virtual void start(TimePoint now, const std::vector<double>& planned_rps) = 0;
  // The mean rates since the sample before. Returns what to plan for when it is time to plan; while
  // a plan is being put in place the answer is ignored.
  virtual std::optional<std::vector<double>> sample(TimePoint now,
                                                    const std::vector<double>& rates_rps) = 0;
  // The planner was asked: the plan in force is now made for these rates (the old ones where it
  // kept its plan).
  virtual void planned(TimePoint now, const std::vector<double>& planned_rps) = 0;
};

struct ReplanRuleEntry {
  PolicyInfo info;
  std::unique_ptr<ReplanRule> (*make)(const Params&);
};

}  // namespace tangram
