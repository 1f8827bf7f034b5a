// Small statistics over workloads, batches and replications.
#pragma once

#include <span>

#include "sim/core/histogram.h"

namespace tangram {

// The 97.5 % quantile of Student's t with that many degrees of freedom, to six digits: what a
// two-sided 95 % confidence interval needs. Requires: degrees >= 1.
double student_t(std::size_t degrees);

// The mean and the half width of its 95 % confidence interval, t * s / sqrt(n). Requires: n >= 2.
struct Interval {
  double mean = 0;
  double half_width = 0;
};
Interval confidence_interval(std::span<const double> values);

// Jain's index (sum x)^2 / (n sum x^2): 1 when all are equal, 1/n when one has all. 1 for no values
// and for zeros only. Source: Jain, Chiu, Hawe, "A quantitative measure of fairness", DEC-TR-301,
// 1984.
double jain_index(std::span<const double> values);

// Standard deviation / mean, from the middles of the bins: off by at most the histogram's relative
// error. 0 when all samples are equal or there are none.
double coefficient_of_variation(const Histogram& histogram);

}  // namespace tangram
