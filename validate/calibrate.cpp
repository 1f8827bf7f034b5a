// Runs every candidate through the protocols and draws the conclusions.
#include "validate/calibrate.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <map>
#include <set>
#include <utility>

#include <fmt/format.h>

#include "profiles/profile_io.h"
#include "sim/core/error.h"
#include "validate/validation.h"

namespace tangram {
namespace {

// What all records have, or the first thing that one of them lacks.
std::string lacking(const std::vector<CoRunRecord>& records,
                    const InterferenceCandidate& candidate) {
  for (const CoRunRecord& record : records) {
    const std::string what = candidate.lacking(record);
    if (!what.empty()) {
      return fmt::format("needs {}, which {} beside {} lacks", what, record.victim.model,
                         record.aggressor.model);
    }
  }
  return "";
}

CandidateResult evaluate(const std::vector<CoRunRecord>& records,
                         const InterferenceCandidate& candidate,
                         const CalibrationOptions& options) {
  CandidateResult result;
  result.candidate = &candidate;
  result.skipped = lacking(records, candidate);
  if (!result.skipped.empty()) return result;
  const BootstrapOptions bootstrap{options.seed, options.bootstrap_draws};
  result.pairs = cross_validate(records, leave_pair_out(records), candidate, bootstrap);
  result.models = cross_validate(records, leave_model_out(records), candidate, bootstrap);
  if (candidate.own_co_runs == 0) {
    result.random_pct = random_split_error(records, candidate, options.seed, options.random_splits);
    CoRunRows all;
    for (const CoRunRecord& record : records) all.push_back(&record);
    result.coefficients = candidate.fit(all).coefficients;
  }
  return result;
}

double p95_of(std::vector<double> slowdowns) {
  std::sort(slowdowns.begin(), slowdowns.end());
  const auto rank =
      static_cast<std::size_t>(std::ceil(0.95 * static_cast<double>(slowdowns.size()) - 1e-9));
  return slowdowns[std::max<std::size_t>(rank, 1) - 1];
}

std::vector<double> slowdowns_of(const std::vector<CoRunRecord>& records,
                                 const std::vector<std::size_t>& numbers) {
  std::vector<double> slowdowns;
  for (const std::size_t i : numbers) slowdowns.push_back(records[i].slowdown);
  return slowdowns;
}

void set_coverage(const std::vector<CoRunRecord>& records, CalibrationReport& report) {
  const std::vector<Fold> folds = leave_pair_out(records);
  if (folds.size() < 2) return;
  double sum = 0;
  double worst = 1;
  for (const Fold& fold : folds) {
    const double margin = p95_of(slowdowns_of(records, fold.train));
    const std::vector<double> test = slowdowns_of(records, fold.test);
    const auto below = std::count_if(test.begin(), test.end(),
                                     [&](double slowdown) { return slowdown <= margin; });
    const double covered = static_cast<double>(below) / static_cast<double>(test.size());
    sum += covered;
    worst = std::min(worst, covered);
  }
  report.p95_covers_mean = sum / static_cast<double>(folds.size());
  report.p95_covers_worst = worst;
}

void count(const std::vector<CoRunRecord>& records, CalibrationReport& report) {
  std::set<std::uint32_t> runs;
  std::set<std::string> pairs, models;
  std::vector<double> slowdowns;
  for (const CoRunRecord& record : records) {
    runs.insert(record.run);
    pairs.insert(pair_name(record));
    models.insert({record.victim.model, record.aggressor.model});
    slowdowns.push_back(record.slowdown);
  }
  report.rows = records.size();
  report.runs = runs.size();
  report.pairs = pairs.size();
  report.models = models.size();
  report.p95 = p95_of(std::move(slowdowns));
}

std::string margin_of(const CandidateResult& result) {
  return fmt::format("{:.2f} % mean error on pairs left out, {:.2f} % with one constant",
                     result.pairs->mean.value, result.pairs->constant);
}

// The best of the candidates with or without co-runs of the pair that the rule adopts.
const CandidateResult* best_adopted(const std::vector<CandidateResult>& results, bool own_co_runs) {
  const CandidateResult* best = nullptr;
  for (const CandidateResult& result : results) {
    if (!result.pairs || (result.candidate->own_co_runs > 0) != own_co_runs) continue;
    if (!beats_constant(*result.pairs)) continue;
    if (best == nullptr || result.pairs->mean.value < best->pairs->mean.value) best = &result;
  }
  return best;
}

const CandidateResult* nearest_miss(const std::vector<CandidateResult>& results) {
  const CandidateResult* best = nullptr;
  for (const CandidateResult& result : results) {
    const bool counts = result.pairs && result.candidate->own_co_runs == 0 &&
                        result.candidate != &constant_candidate();
    if (!counts) continue;
    if (best == nullptr || result.pairs->mean.value < best->pairs->mean.value) best = &result;
  }
  return best;
}

Advice advice_for_unseen(const std::vector<CandidateResult>& results) {
  if (const CandidateResult* best = best_adopted(results, false)) {
    return {best->candidate->name, margin_of(*best)};
  }
  const CandidateResult* next = nearest_miss(results);
  if (next == nullptr) {
    return {"constant",
            "with fewer than two pairs that leave others to train on nothing can be judged"};
  }
  std::string why;
  beats_constant(*next->pairs, &why);
  return {"constant", fmt::format("the best of the others, {}, {}", next->candidate->name, why)};
}

Advice advice_for_measured(const std::vector<CandidateResult>& results) {
  if (const CandidateResult* best = best_adopted(results, true)) {
    return {"pair_table", fmt::format("{} co-runs of the pair: {}", best->candidate->own_co_runs,
                                      margin_of(*best))};
  }
  return {"constant", "no number of co-runs of a pair was shown to help"};
}

}  // namespace

bool beats_constant(const ErrorScore& score, std::string* why_not) {
  std::string why;
  const double gain = -score.minus_constant.value;
  const double wins = static_cast<double>(score.wins) / static_cast<double>(score.clusters);
  if (!(gain >= 0.5)) {
    why = fmt::format("gains {:.2f} points, less than 0.5", gain);
  } else if (!(gain >= 0.2 * score.constant)) {
    why = fmt::format("gains {:.0f} %, less than 20 %", 100 * gain / score.constant);
  } else if (!(score.minus_constant.high < 0)) {
    why = fmt::format(
        "may gain nothing: the interval of its difference to the constant ends at {:+.2f}",
        score.minus_constant.high);
  } else if (!(wins >= 0.8)) {
    why = fmt::format("wins only {} of {}", score.wins, score.clusters);
  }
  if (why_not != nullptr) *why_not = why;
  return why.empty();
}

CalibrationReport calibrate(const std::string& gpu,
                            const std::vector<std::string>& models,
                            const std::vector<CoRunRecord>& records,
                            const CalibrationOptions& options) {
  if (records.empty()) {
    throw ConfigError(gpu, "no profile holds co-runs; import or measure some first");
  }
  CalibrationReport report;
  report.gpu = gpu;
  count(records, report);
  set_coverage(records, report);
  for (const InterferenceCandidate& candidate : interference_candidates()) {
    report.results.push_back(evaluate(records, candidate, options));
    if (&candidate == &constant_candidate()) {
      report.factor = std::max(1.0, report.results.back().coefficients.front());
    }
  }
  report.unseen_pairs = advice_for_unseen(report.results);
  report.measured_pairs = advice_for_measured(report.results);
  report.spread = spread_of(records);
  report.next = next_co_runs(models, records, report.spread, options.measure_next);
  return report;
}

CalibrationInputs read_calibration_inputs(const std::vector<std::string>& paths, Faults& faults) {
  CalibrationInputs inputs;
  std::vector<StoredResult> real;
  std::vector<Profile> of_validations;
  std::set<std::string> seen;
  for (const std::string& path : paths) {
    if (!seen.insert(path).second) {
      faults.add(path, "is named twice; what it holds would count twice");
      continue;
    }
    try {
      if (!is_validation_file(path)) {
        inputs.stores.push_back(read_profile_file(path, faults));
        continue;
      }
      Validation validation = read_validation_file(path);
      std::move(validation.real.begin(), validation.real.end(), std::back_inserter(real));
      std::move(validation.profiles.begin(), validation.profiles.end(),
                std::back_inserter(of_validations));
    } catch (const ConfigError& error) {
      faults.append(error);
    }
  }
  std::set<std::string> known;
  for (const std::vector<Profile>& store : inputs.stores) {
    for (const Profile& profile : store) known.insert(profile.model);
  }
  std::vector<Profile> others;
  for (Profile& profile : of_validations) {
    if (known.insert(profile.model).second) others.push_back(std::move(profile));
  }
  if (!others.empty()) inputs.stores.push_back(std::move(others));
  inputs.overheads = fit_overheads(real);
  return inputs;
}

std::vector<Profile> merge_co_runs(const std::vector<std::vector<Profile>>& stores) {
  std::vector<Profile> merged;
  std::map<std::string, std::size_t> places;
  for (const std::vector<Profile>& store : stores) {
    for (const Profile& profile : store) {
      if (!merged.empty() && profile.gpu != merged.front().gpu) {
        throw ConfigError(profile.model,
                          fmt::format("its profile is of {}, others are of {}; calibrate one GPU "
                                      "type at a time",
                                      profile.gpu, merged.front().gpu));
      }
      const auto [place, is_new] = places.try_emplace(profile.model, merged.size());
      if (is_new) {
        merged.push_back(profile);
        continue;
      }
      std::vector<CoRun>& runs = merged[place->second].co_runs;
      runs.insert(runs.end(), profile.co_runs.begin(), profile.co_runs.end());
    }
  }
  return merged;
}

std::vector<Profile> calibrated(std::vector<Profile> profiles, const CalibrationReport& report) {
  for (Profile& profile : profiles) profile.interference_factor = report.factor;
  return profiles;
}

std::vector<Profile> calibrated(std::vector<Profile> profiles, const ModelOverheads& overheads) {
  for (Profile& profile : profiles) {
    const auto found = overheads.find(profile.model);
    if (found != overheads.end()) profile = with_overhead(std::move(profile), found->second);
  }
  return profiles;
}

}  // namespace tangram
