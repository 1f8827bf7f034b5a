// Nexus' epochs: every 30 s, or sooner when some rate has left what its share can carry.
#include <cmath>

#include "policies/replan_rule.h"
#include "policies/replan_rules/smoothed_rates.h"

namespace tangram {
namespace {

class NexusEpochs final : public ReplanRule {
 public:
  explicit NexusEpochs(const Params& params)
      : beacon_(params.ms("beacon_ms")),
        epoch_(from_seconds(params.number("epoch_s"))),
        soonest_(from_seconds(params.number("soonest_s"))),
        low_(params.number("low")),
        high_(params.number("high")),
        smoothed_(-std::expm1(-params.number("beacon_ms") / 1e3 / params.number("window_s"))) {}

  Duration sample_every() const override { return beacon_; }

  void start(TimePoint now, const std::vector<double>& planned_rps) override {
    smoothed_.start(planned_rps);
    planned(now, planned_rps);
  }

  std::optional<std::vector<double>> sample(TimePoint now,
                                            const std::vector<double>& rates_rps) override {
    smoothed_.add(rates_rps);
    const Duration since = now - last_;
    if (since < epoch_ && (since < soonest_ || !any_left_its_share(rates_rps))) return std::nullopt;
    return smoothed_.rates_rps();
  }

  void planned(TimePoint now, const std::vector<double>& planned_rps) override {
    last_ = now;
    planned_ = planned_rps;
  }

 private:
  bool any_left_its_share(const std::vector<double>& rates_rps) const {
    for (std::size_t w = 0; w < rates_rps.size(); ++w) {
      if (rates_rps[w] < low_ * planned_[w] || rates_rps[w] > high_ * planned_[w]) return true;
    }
    return false;
  }

  Duration beacon_;
  Duration epoch_;
  Duration soonest_;
  double low_, high_;
  SmoothedRates smoothed_;
  TimePoint last_;
  std::vector<double> planned_;
};

}  // namespace

ReplanRuleEntry nexus_replan_rule() {
  return {{"nexus",
           "plans again every epoch, or sooner when some workload's last rate is beyond 0.8 to 1.1 "
           "times what it was planned for",
           "Nexus (SOSP 2019; code b436191). Departs: a rate is compared with what was planned "
           "for, not with the throughput of the assigned GPUs; the weight of a sample in the mean "
           "over window_s is 1 - exp(-beacon / window)",
           {number_param("epoch_s", 30, 0.001, 1e6, "longest time between two plans"),
            number_param("soonest_s", 10, 0, 1e6, "shortest time between two plans"),
            number_param("beacon_ms", 1000, 1, 1e6, "arrivals are counted over this long"),
            number_param("window_s", 10, 0.001, 1e6, "the smoothed rate remembers this long"),
            number_param("low", 0.8, 0, 1, "a last rate below this share of the planned one"),
            number_param("high", 1.1, 1, 100, "a last rate above this multiple of it")}},
          [](const Params& params) -> std::unique_ptr<ReplanRule> {
            return std::make_unique<NexusEpochs>(params);
          }};
}

}  // namespace tangram
