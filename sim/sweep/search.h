// Capacity search: the largest value of one number for which a run meets its target.
#pragma once

#include <functional>
#include <optional>
#include <vector>

#include "sim/sweep/sweep_spec.h"

namespace tangram {

// One value that was tried.
struct Probe {
  double value = 0;
  double metric = 0;
  bool passed = false;
};

struct Capacity {
  std::optional<double> highest_pass;  // the largest value that passed
  std::optional<double> first_fail;    // the smallest value that failed
  // Whether no value failed below one that passed. A capacity is a single number only then.
  bool monotone = true;
  std::vector<Probe> probes;  // in the order in which they were tried; each value once
};

// Tries `probes` values across the range, then bisects the crossing above the highest value that
// passed and the one below the lowest that failed until a gap is at most `tolerance` of its upper
// end (1 for integers). `measure` gives the metric at a value. What lies between two probes of
// equal outcome is not seen.
Capacity find_capacity(const SearchSpec& spec, const std::function<double(double)>& measure);

// The metric of a summary. For a pointer with "*" the worst over the workloads: the least for
// at_least, the largest for at_most. Throws ConfigError with the known keys where the summary has
// no such number.
double metric_of(const SearchSpec& spec, const Json& summary);

}  // namespace tangram
