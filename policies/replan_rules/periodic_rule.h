// A rule that plans at equal intervals for smoothed rates with a margin.
#pragma once

#include "policies/replan_rule.h"
#include "policies/replan_rules/smoothed_rates.h"

namespace tangram {

class PeriodicRule final : public ReplanRule {
 public:
  struct Margins {
    double slow_rps = 0;  // rates below it have the margin `slow`, others `fast`
    double slow = 1, fast = 1;
  };
  // Requires parameters sample_ms, period_s and weight (of a new sample).
  PeriodicRule(const Params& params, const Margins& margins)
      : sample_(params.ms("sample_ms")),
        period_(from_seconds(params.number("period_s"))),
        margins_(margins),
        smoothed_(params.number("weight")) {}

  Duration sample_every() const override { return sample_; }

  void start(TimePoint now, const std::vector<double>& planned_rps) override {
    smoothed_.start(planned_rps);
    last_ = now;
  }

  std::optional<std::vector<double>> sample(TimePoint now,
                                            const std::vector<double>& rates_rps) override {
    smoothed_.add(rates_rps);
    if (now - last_ < period_) return std::nullopt;
    std::vector<double> targets;
    for (const double rate : smoothed_.rates_rps()) {
      targets.push_back(rate * (rate < margins_.slow_rps ? margins_.slow : margins_.fast));
    }
    return targets;
  }

  void planned(TimePoint now, const std::vector<double>&) override { last_ = now; }

 private:
  Duration sample_;
  Duration period_;
  Margins margins_;
  SmoothedRates smoothed_;
  TimePoint last_;
};

}  // namespace tangram
