// The interference models that calibration compares, the trivial ones among them: each is fitted to
// co-runs and then predicts a slowdown. One table holds them all.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

#include "validate/co_runs.h"

namespace tangram {

using CoRunRows = std::vector<const CoRunRecord*>;

struct FittedInterference {
  std::vector<double> coefficients;  // in the order of the form; empty where it has none
  std::function<double(const CoRunRecord&)> predict;
};

struct InterferenceCandidate {
  std::string name;       // "kernel_length", "pair_table +3"
  std::string form;       // "c + k t_o / (t_o + t_v)"
  int parameters = 0;     // fitted, not counting those of a table
  bool post_hoc = false;  // form or scales were chosen with the V100 co-runs in view
  // Co-runs of each held-out pair that the fit may see; they are not judged.
  std::size_t own_co_runs = 0;
  // What it needs that the record lacks ("kernel counts"), or "".
  std::function<std::string(const CoRunRecord&)> lacking;
  // Least squares over the rows, or a table of them. Requires: rows, none of them lacking anything.
  std::function<FittedInterference(const CoRunRows&)> fit;
};

// `none` first, then `constant`, then the others.
const std::vector<InterferenceCandidate>& interference_candidates();
// What the others have to beat.
const InterferenceCandidate& constant_candidate();

}  // namespace tangram
