// Folds, what a candidate is shown of a held-out pair, and the scores.
#include "validate/cross_validation.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <string>
#include <utility>

#include "profiles/pair_table.h"
#include "sim/core/check.h"
#include "sim/core/random.h"

namespace tangram {
namespace {

// One judged row.
struct Outcome {
  std::size_t cluster = 0;
  const CoRunRecord* record = nullptr;
  double predicted = 1;
  double error = 0, constant_error = 0;  // percent
};

double error_pct(double predicted, double measured) {
  return 100 * std::abs(predicted / measured - 1);
}

double rank_at(std::vector<double> values, double fraction) {
  std::sort(values.begin(), values.end());
  const auto rank =
      static_cast<std::size_t>(std::ceil(fraction * static_cast<double>(values.size()) - 1e-9));
  return values[std::max<std::size_t>(rank, 1) - 1];
}

std::vector<Fold> folds_of(
    const std::vector<CoRunRecord>& records,
    const std::set<std::string>& names,
    const std::function<bool(const CoRunRecord&, const std::string&)>& is_held,
    const std::function<bool(const CoRunRecord&, const std::string&)>& is_judged) {
  std::vector<Fold> folds;
  for (const std::string& name : names) {
    Fold fold;
    for (std::size_t i = 0; i < records.size(); ++i) {
      (is_held(records[i], name) ? fold.held : fold.train).push_back(i);
      if (is_judged(records[i], name)) fold.test.push_back(i);
    }
    if (!fold.train.empty() && !fold.test.empty()) folds.push_back(std::move(fold));
  }
  return folds;
}

// The runs of the held-out pairs that the candidate may see; nullopt when a pair has too few to
// leave any to judge.
std::optional<std::set<std::uint32_t>> shown_runs(const std::vector<CoRunRecord>& records,
                                                  const Fold& fold,
                                                  std::size_t count) {
  std::set<std::uint32_t> shown;
  if (count == 0) return shown;
  std::map<std::string, CoRunRows> pairs;
  for (const std::size_t i : fold.held) pairs[pair_name(records[i])].push_back(&records[i]);
  for (const auto& [name, rows] : pairs) {
    const std::vector<std::uint32_t> runs = telling_runs(rows, count);
    if (runs.size() < count) return std::nullopt;
    shown.insert(runs.begin(), runs.end());
  }
  return shown;
}

// Judges one fold. False when nothing is left to judge.
bool judge(const std::vector<CoRunRecord>& records,
           const Fold& fold,
           std::size_t cluster,
           const InterferenceCandidate& candidate,
           std::vector<Outcome>& outcomes) {
  const auto shown = shown_runs(records, fold, candidate.own_co_runs);
  if (!shown) return false;
  CoRunRows train;
  for (const std::size_t i : fold.train) train.push_back(&records[i]);
  // The constant is what is known without a look at the pair.
  const FittedInterference constant = constant_candidate().fit(train);
  for (const std::size_t i : fold.held) {
    if (shown->contains(records[i].run)) train.push_back(&records[i]);
  }
  const FittedInterference fitted = candidate.fit(train);
  const std::size_t before = outcomes.size();
  for (const std::size_t i : fold.test) {
    const CoRunRecord& record = records[i];
    if (shown->contains(record.run)) continue;
    const double predicted = fitted.predict(record);
    outcomes.push_back({cluster, &record, predicted, error_pct(predicted, record.slowdown),
                        error_pct(constant.predict(record), record.slowdown)});
  }
  return outcomes.size() > before;
}

// Sums of one fold: all that a bootstrap draw needs of it.
struct ClusterSums {
  double error = 0, constant_error = 0, rows = 0;
};

void set_intervals(const std::vector<ClusterSums>& clusters,
                   const BootstrapOptions& options,
                   ErrorScore& score) {
  RandomStream random(StreamKey(options.seed).with("cluster bootstrap"));
  std::vector<double> means, differences;
  for (std::size_t draw = 0; draw < options.draws; ++draw) {
    ClusterSums sum;
    for (std::size_t i = 0; i < clusters.size(); ++i) {
      const ClusterSums& one = clusters[random.below(clusters.size())];
      sum.error += one.error;
      sum.constant_error += one.constant_error;
      sum.rows += one.rows;
    }
    means.push_back(sum.error / sum.rows);
    differences.push_back((sum.error - sum.constant_error) / sum.rows);
  }
  score.mean.low = rank_at(means, 0.025);
  score.mean.high = rank_at(means, 0.975);
  score.minus_constant.low = rank_at(differences, 0.025);
  score.minus_constant.high = rank_at(std::move(differences), 0.975);
}

struct Means {
  double predicted = 0, measured = 0, count = 0;
};

// Pearson's correlation of predicted and measured.
double correlation(const std::vector<Outcome>& outcomes) {
  Means mean;
  const auto n = static_cast<double>(outcomes.size());
  for (const Outcome& o : outcomes) {
    mean.predicted += o.predicted / n;
    mean.measured += o.record->slowdown / n;
  }
  double xy = 0, xx = 0, yy = 0;
  for (const Outcome& o : outcomes) {
    const double x = o.predicted - mean.predicted;
    const double y = o.record->slowdown - mean.measured;
    xy += x * y;
    xx += x * x;
    yy += y * y;
  }
  return xx > 0 && yy > 0 ? xy / std::sqrt(xx * yy) : 0;
}

double cell_skill(const std::vector<Outcome>& outcomes) {
  std::map<std::pair<std::string, std::string>, Means> cells;
  for (const Outcome& o : outcomes) {
    Means& cell = cells[{o.record->victim.model, o.record->aggressor.model}];
    cell.predicted += o.predicted;
    cell.measured += o.record->slowdown;
    cell.count += 1;
  }
  double wrong = 0, total = 0;
  for (const Outcome& o : outcomes) {
    const Means& cell = cells.at({o.record->victim.model, o.record->aggressor.model});
    const double predicted = o.predicted - cell.predicted / cell.count;
    const double measured = o.record->slowdown - cell.measured / cell.count;
    wrong += (measured - predicted) * (measured - predicted);
    total += measured * measured;
  }
  return total > 0 ? 1 - wrong / total : 0;
}

ErrorScore score_of(const std::vector<Outcome>& outcomes,
                    std::size_t clusters,
                    const InterferenceCandidate& candidate,
                    const BootstrapOptions& bootstrap) {
  ErrorScore score;
  score.rows = outcomes.size();
  score.clusters = clusters;
  std::vector<ClusterSums> sums(clusters);
  std::vector<double> errors;
  ClusterSums all;
  for (const Outcome& o : outcomes) {
    errors.push_back(o.error);
    for (ClusterSums* sum : {&sums[o.cluster], &all}) {
      sum->error += o.error;
      sum->constant_error += o.constant_error;
      sum->rows += 1;
    }
  }
  score.mean.value = all.error / all.rows;
  score.constant = all.constant_error / all.rows;
  score.minus_constant.value = score.mean.value - score.constant;
  for (const ClusterSums& sum : sums) score.wins += sum.error < sum.constant_error ? 1U : 0U;
  set_intervals(sums, bootstrap, score);
  score.p50 = rank_at(errors, 0.5);
  score.p90 = rank_at(errors, 0.9);
  score.p95 = rank_at(std::move(errors), 0.95);
  // Without a feature the prediction varies only because the training sets do.
  if (candidate.parameters != 1 && candidate.name != "none") score.r = correlation(outcomes);
  score.cell_skill = cell_skill(outcomes);
  return score;
}

}  // namespace

std::vector<Fold> leave_pair_out(const std::vector<CoRunRecord>& records) {
  std::set<std::string> pairs;
  for (const CoRunRecord& record : records) pairs.insert(pair_name(record));
  const auto is_of = [](const CoRunRecord& record, const std::string& pair) {
    return pair_name(record) == pair;
  };
  return folds_of(records, pairs, is_of, is_of);
}

std::vector<Fold> leave_model_out(const std::vector<CoRunRecord>& records) {
  std::set<std::string> models;
  for (const CoRunRecord& record : records) models.insert(record.victim.model);
  return folds_of(
      records, models,
      [](const CoRunRecord& r, const std::string& model) {
        return r.victim.model == model || r.aggressor.model == model;
      },
      [](const CoRunRecord& r, const std::string& model) { return r.victim.model == model; });
}

Fold random_split(const std::vector<CoRunRecord>& records,
                  std::uint64_t seed,
                  std::uint32_t number) {
  std::set<std::uint32_t> distinct;
  for (const CoRunRecord& record : records) distinct.insert(record.run);
  std::vector<std::uint32_t> runs(distinct.begin(), distinct.end());
  RandomStream random(StreamKey(seed).with("random split").with(number));
  for (std::size_t left = runs.size(); left > 1; --left) {
    std::swap(runs[left - 1], runs[random.below(left)]);
  }
  const std::size_t trained = runs.size() * 7 / 10;
  const std::set<std::uint32_t> train(runs.begin(),
                                      runs.begin() + static_cast<std::ptrdiff_t>(trained));
  Fold fold;
  for (std::size_t i = 0; i < records.size(); ++i) {
    (train.contains(records[i].run) ? fold.train : fold.test).push_back(i);
  }
  fold.held = fold.test;
  return fold;
}

std::vector<std::uint32_t> telling_runs(const CoRunRows& rows, std::size_t count) {
  TANGRAM_CHECK(!rows.empty() && (count == 1 || count == 3 || count == 9), "1, 3 or 9; ", count);
  // Places are seen from the first model of the pair's name.
  const std::string first = std::min(rows.front()->victim.model, rows.front()->aggressor.model);
  std::set<std::uint32_t> distinct;
  std::map<std::uint32_t, CoRunPlace> places;
  for (const CoRunRecord* row : rows) {
    const bool from_victim = row->victim.model == first;
    const CoRunSide& a = from_victim ? row->victim : row->aggressor;
    const CoRunSide& b = from_victim ? row->aggressor : row->victim;
    distinct.insert({a.batch, b.batch});
    places.try_emplace(row->run, place_of(a.batch, b.batch, a.share_pct, b.share_pct));
  }
  const std::vector<std::uint32_t> batches(distinct.begin(), distinct.end());
  const std::uint32_t middle = batches[(batches.size() - 1) / 2];
  std::vector<CoRunPlace> wanted;
  for (const double share : {50.0, 20.0, 80.0}) {
    if (wanted.size() < count) wanted.push_back(place_of(middle, middle, share, 100 - share));
  }
  for (const std::uint32_t batch : {batches.front(), batches.back()}) {
    for (const double share : {20.0, 50.0, 80.0}) {
      if (wanted.size() < count) wanted.push_back(place_of(batch, batch, share, 100 - share));
    }
  }
  std::vector<std::uint32_t> chosen;
  for (const CoRunPlace& place : wanted) {
    const auto nearest =
        std::max_element(places.begin(), places.end(), [&](const auto& a, const auto& b) {
          return co_run_similarity(place, a.second) < co_run_similarity(place, b.second);
        });
    if (nearest == places.end()) break;
    chosen.push_back(nearest->first);
    places.erase(nearest);
  }
  return chosen;
}

std::optional<ErrorScore> cross_validate(const std::vector<CoRunRecord>& records,
                                         const std::vector<Fold>& folds,
                                         const InterferenceCandidate& candidate,
                                         const BootstrapOptions& bootstrap) {
  if (folds.size() < 2) return std::nullopt;
  std::vector<Outcome> outcomes;
  for (std::size_t i = 0; i < folds.size(); ++i) {
    if (!judge(records, folds[i], i, candidate, outcomes)) return std::nullopt;
  }
  return score_of(outcomes, folds.size(), candidate, bootstrap);
}

double random_split_error(const std::vector<CoRunRecord>& records,
                          const InterferenceCandidate& candidate,
                          std::uint64_t seed,
                          std::uint32_t splits) {
  std::vector<Outcome> outcomes;
  for (std::uint32_t number = 0; number < splits; ++number) {
    judge(records, random_split(records, seed, number), number, candidate, outcomes);
  }
  double sum = 0;
  for (const Outcome& o : outcomes) sum += o.error;
  return outcomes.empty() ? 0 : sum / static_cast<double>(outcomes.size());
}

}  // namespace tangram
