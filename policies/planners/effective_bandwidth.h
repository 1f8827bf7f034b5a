// How much capacity random arrivals need so that few requests miss their SLO.
#pragma once

#include <vector>

#include "workloads/workload.h"

namespace tangram {

// The gaps A between the arrivals of one workload, by d(s) = -ln E[exp(-s A)]. Exact for constant,
// Poisson and gamma arrivals, by quadrature for lognormal ones; for all others averaged over their
// first gaps, which are taken to be independent: where bursts come in clusters the result is too
// small. A closed loop counts as Poisson at its upper bound, a stage of an application as Poisson.
class ArrivalGaps {
 public:
  // Requires: rate_rps > 0, the workload's mean rate.
  ArrivalGaps(const ArrivalSpec& spec, double rate_rps);

  double decay(double s) const;  // d(s), s >= 0 in 1/s

  // The capacity (items/s) at which a queue keeps its work below what is cleared in `slack_s`, but
  // for a fraction `miss`: s / d(s) with s = ln(1 / miss) / slack_s (effective bandwidth; Kelly,
  // "Notes on effective bandwidths", 1996). Requires: slack_s > 0, 0 < miss < 1.
  double capacity_for(double slack_s, double miss) const;
  // The inverse: the fraction of misses expected at that capacity, 1 where it does not exceed the
  // rate.
  double miss_at(double capacity_rps, double slack_s) const;

 private:
  ArrivalSpec::Process process_;
  double rate_rps_;
  double shape_;
  double sigma_;
  std::vector<double> gaps_s_;  // where they are averaged
};

}  // namespace tangram
