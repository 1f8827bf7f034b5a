// Calibration: from measured co-runs to the interference that a simulation uses, with the error
// that it is to be expected to have on pairs that were not measured.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "validate/cross_validation.h"
#include "validate/next_co_runs.h"
#include "validate/overhead.h"

namespace tangram {

struct CalibrationOptions {
  std::uint64_t seed = 1;
  std::size_t bootstrap_draws = 4000;
  std::uint32_t random_splits = 20;
  std::size_t measure_next = 5;
};

struct CandidateResult {
  const InterferenceCandidate* candidate = nullptr;
  std::string skipped;               // why it was not evaluated, or ""
  std::optional<ErrorScore> pairs;   // one pair of models left out
  std::optional<ErrorScore> models;  // one model left out
  std::optional<double> random_pct;  // 70/30 by co-run: misleading, shown as a warning
  std::vector<double> coefficients;  // fitted to all records
};

struct Advice {
  std::string name;    // of the interference model
  std::string reason;  // one sentence
};

struct CalibrationReport {
  std::string gpu;
  std::size_t rows = 0, runs = 0, pairs = 0, models = 0;
  double factor = 1;  // the constant: the mean slowdown of all rows
  double p95 = 1;     // of the measured slowdowns: a margin for SLOs
  // Of the rows of a pair left out, the part below the 95th percentile of the others: the mean over
  // pairs, and the worst. Absent with fewer than two pairs.
  std::optional<double> p95_covers_mean, p95_covers_worst;
  std::vector<CandidateResult> results;  // as interference_candidates()
  Advice unseen_pairs;                   // which model for pairs without a co-run
  Advice measured_pairs;                 // and for those with some
  CoRunSpread spread;
  std::vector<NextCoRun> next;
};

// Fits and judges every candidate. `records` are of one GPU type; `models` are those that the list
// of next co-runs is about. Throws ConfigError when there is no record.
CalibrationReport calibrate(const std::string& gpu,
                            const std::vector<std::string>& models,
                            const std::vector<CoRunRecord>& records,
                            const CalibrationOptions& options = {});

// The rule, fixed before the data are seen: beats the constant by at least 0.5 points and 20 % on
// folds it has not seen, with the bootstrap interval of the difference below 0, and wins at least
// 80 % of the folds. `why_not` then says what it misses.
bool beats_constant(const ErrorScore& score, std::string* why_not = nullptr);

// What a calibration is made from.
struct CalibrationInputs {
  std::vector<std::vector<Profile>> stores;
  ModelOverheads overheads;  // of the real runs
};
// Reads profile stores and validation files, in any order. The profiles of a validation count where
// no store has the model; its real runs give the overheads. Adds faults.
CalibrationInputs read_calibration_inputs(const std::vector<std::string>& paths, Faults& faults);

// One profile per model: those of the first store that has it, with the co-runs of all stores.
// Throws ConfigError when the stores are of different GPU types.
std::vector<Profile> merge_co_runs(const std::vector<std::vector<Profile>>& stores);

// The profiles with the report's factor in every one of them; co-runs stay for pair_table.
std::vector<Profile> calibrated(std::vector<Profile> profiles, const CalibrationReport& report);
// The profiles with the overhead of their model.
std::vector<Profile> calibrated(std::vector<Profile> profiles, const ModelOverheads& overheads);

// The report for people, at most 100 columns.
std::string text_of(const CalibrationReport& report);

}  // namespace tangram
