// gpulet's reorganisation: every 20 s, for the smoothed rates with its two margins.
#include "policies/replan_rules/periodic_rule.h"

namespace tangram {

ReplanRuleEntry gpulet_replan_rule() {
  return {{"gpulet",
           "plans again every 20 s, for the smoothed rates times 1.5 below 125/s and 1.2 above",
           "gpulet (USENIX ATC 2022), section on reorganisation; constants of the released code. "
           "The planner gpulet then changes as little as it can: it has the thresholds",
           {number_param("period_s", 20, 0.001, 1e6, "time between two plans"),
            number_param("sample_ms", 500, 1, 1e6, "arrivals are counted over this long"),
            number_param("weight", 2.0 / 41, 1e-6, 1, "of a new sample in the smoothed rate"),
            number_param("slow_rps", 125, 0, 1e9, "rates below it have slow_margin"),
            number_param("slow_margin", 1.5, 0.01, 100, "slow rates are multiplied by it"),
            number_param("margin", 1.2, 0.01, 100, "other rates are multiplied by it")}},
          [](const Params& params) -> std::unique_ptr<ReplanRule> {
            return std::make_unique<PeriodicRule>(
                params,
                PeriodicRule::Margins{params.number("slow_rps"), params.number("slow_margin"),
                                      params.number("margin")});
          }};
}

}  // namespace tangram
