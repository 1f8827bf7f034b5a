// Every period, for the smoothed rates with a margin: the plainest rule.
#include "policies/replan_rules/periodic_rule.h"

namespace tangram {

ReplanRuleEntry periodic_replan_rule() {
  return {{"periodic",
           "plans again every period_s, for the smoothed rates times a margin",
           "",
           {number_param("period_s", 30, 0.001, 1e6, "time between two plans"),
            number_param("sample_ms", 1000, 1, 1e6, "arrivals are counted over this long"),
            number_param("weight", 0.2, 1e-6, 1, "of a new sample in the smoothed rate"),
            number_param("margin", 1.1, 0.01, 100, "the smoothed rates are multiplied by it")}},
          [](const Params& params) -> std::unique_ptr<ReplanRule> {
            return std::make_unique<PeriodicRule>(
                params, PeriodicRule::Margins{0, 1, params.number("margin")});
          }};
}

}  // namespace tangram
