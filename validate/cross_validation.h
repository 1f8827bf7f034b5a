// How well interference models predict co-runs that they have not seen. The unit that is held out
// is a pair of models, or a model: thousands of co-runs of six pairs are six samples, not
// thousands.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "validate/candidates.h"

namespace tangram {

// Rows by their number. `test` is judged. `held` (test is part of it) is out of the training set
// but for the few co-runs that a candidate may see.
struct Fold {
  std::vector<std::size_t> train, held, test;
};

// One fold per pair of models, in the order of their names: all rows of the pair are held and
// judged. A fold without training rows is left out.
std::vector<Fold> leave_pair_out(const std::vector<CoRunRecord>& records);
// One fold per model: the rows that contain it in either role are held, those whose victim it is
// judged.
std::vector<Fold> leave_model_out(const std::vector<CoRunRecord>& records);
// 70 % of the co-runs to train, the others judged, both directions on the same side. For a warning:
// such a split shows every model the pairs that it is judged on.
Fold random_split(const std::vector<CoRunRecord>& records,
                  std::uint64_t seed,
                  std::uint32_t number);

// Co-runs of one pair that tell most about the others: the nearest that were measured to (lowest,
// middle, highest batch) x (20, 50, 80 % for the first model). 1: middle batches at 50 %; 3: at 20,
// 50 and 80 %; 9: batches low, middle and high of both at the three shares. Returns the `run`s.
// Requires: count 1, 3 or 9; `rows` of one pair.
std::vector<std::uint32_t> telling_runs(const CoRunRows& rows, std::size_t count);

struct Band {
  double value = 0, low = 0, high = 0;  // 95 % of the bootstrap draws lie in [low, high]
};

// Errors |predicted / measured - 1| in percent. Percentiles are nearest rank.
struct ErrorScore {
  std::size_t rows = 0;      // judged
  std::size_t clusters = 0;  // folds that were judged: the number of independent samples
  Band mean;
  double p50 = 0, p90 = 0, p95 = 0;
  double constant = 0;      // the mean error of `constant` on the same rows
  Band minus_constant;      // difference of the two means
  std::size_t wins = 0;     // folds with a smaller mean error than the constant's
  std::optional<double> r;  // correlation with the measured; none for 0 or 1 parameters
  double cell_skill = 0;    // 1 - SSE / SST after each (victim, aggressor) lost its means
};

struct BootstrapOptions {
  std::uint64_t seed = 1;
  std::size_t draws = 4000;
};

// Fits the candidate, and the constant, once per fold and judges it on the fold's test rows but
// those that it was shown. The intervals draw whole folds with replacement. nullopt when there are
// fewer than two folds or nothing is left to judge in one of them.
// Requires: no record lacks what the candidate needs.
std::optional<ErrorScore> cross_validate(const std::vector<CoRunRecord>& records,
                                         const std::vector<Fold>& folds,
                                         const InterferenceCandidate& candidate,
                                         const BootstrapOptions& bootstrap = {});

// The candidate's mean error in percent over the test rows of splits number 0 .. splits - 1.
double random_split_error(const std::vector<CoRunRecord>& records,
                          const InterferenceCandidate& candidate,
                          std::uint64_t seed,
                          std::uint32_t splits);

}  // namespace tangram
