// Expected errors of pairs, and a greedy choice.
#include "validate/next_co_runs.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>
#include <set>
#include <utility>

#include <fmt/format.h>

#include "profiles/least_squares.h"
#include "profiles/pair_table.h"

namespace tangram {
namespace {

constexpr double kSharesPct[] = {50, 20, 80};
constexpr double kNoise = 0.003;  // of one slowdown: smoothness of the V100's over batches

struct Choice {
  std::uint32_t batch_a, batch_b;
  double share_pct;
};

std::vector<Choice> choices_of(const std::vector<CoRunRecord>& records) {
  std::set<std::uint32_t> distinct{};
  for (const CoRunRecord& record : records) distinct.insert(record.victim.batch);
  if (distinct.empty()) distinct = {2, 8, 32};
  const std::vector<std::uint32_t> all(distinct.begin(), distinct.end());
  std::vector<std::uint32_t> batches{all[(all.size() - 1) / 2]};
  for (const std::uint32_t batch : {all.front(), all.back()}) {
    if (std::find(batches.begin(), batches.end(), batch) == batches.end()) batches.push_back(batch);
  }
  std::vector<Choice> choices;
  for (const double share : kSharesPct) {
    for (const std::uint32_t a : batches) {
      for (const std::uint32_t b : batches) choices.push_back({a, b, share});
    }
  }
  return choices;
}

// What is known of one model beside another: the covariances of the residuals at all choices, given
// the co-runs measured so far.
class Knowledge {
 public:
  Knowledge(const CoRunSpread& spread,
            std::vector<CoRunPlace> places,
            const std::vector<CoRunPlace>& measured);
  // Mean over the choices of the expected |error|, and the same after a co-run at the choice.
  double error() const;
  double error_with(std::size_t choice) const;
  void add(std::size_t choice);

 private:
  double before(const CoRunPlace& a, const CoRunPlace& b) const {
    return spread_.between * spread_.between +
           spread_.within * spread_.within * co_run_similarity(a, b);
  }
  double at(std::size_t i, std::size_t j) const { return covariances_[i * places_.size() + j]; }
  double variance_with(std::size_t i, std::size_t choice) const {
    return at(i, i) - at(i, choice) * at(i, choice) / (at(choice, choice) + kNoise * kNoise);
  }
  CoRunSpread spread_;
  std::vector<CoRunPlace> places_;
  std::vector<double> covariances_;
};

// The mean of |x|, x normal with this variance.
double mean_magnitude(double variance) {
  constexpr double kTwoOverPi = 0x1.45f306dc9c883p-1;
  return std::sqrt(kTwoOverPi * std::max(variance, 0.0));
}

Knowledge::Knowledge(const CoRunSpread& spread,
                     std::vector<CoRunPlace> places,
                     const std::vector<CoRunPlace>& measured)
    : spread_(spread), places_(std::move(places)) {
  const std::size_t n = measured.size();
  std::vector<double> known(n * n);
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t j = 0; j < n; ++j) known[i * n + j] = before(measured[i], measured[j]);
    known[i * n + i] += kNoise * kNoise;
  }
  for (const CoRunPlace& a : places_) {
    for (const CoRunPlace& b : places_) covariances_.push_back(before(a, b));
  }
  if (n == 0) return;
  const LeastSquares factored(std::move(known), n);
  for (std::size_t i = 0; i < places_.size(); ++i) {
    std::vector<double> to_measured;
    for (const CoRunPlace& m : measured) to_measured.push_back(before(places_[i], m));
    const std::vector<double> weights = factored.solve(to_measured);
    for (std::size_t j = 0; j < places_.size(); ++j) {
      for (std::size_t k = 0; k < n; ++k) {
        covariances_[i * places_.size() + j] -= weights[k] * before(places_[j], measured[k]);
      }
    }
  }
}

double Knowledge::error() const {
  double sum = 0;
  for (std::size_t i = 0; i < places_.size(); ++i) sum += mean_magnitude(at(i, i));
  return sum / static_cast<double>(places_.size());
}

double Knowledge::error_with(std::size_t choice) const {
  double sum = 0;
  for (std::size_t i = 0; i < places_.size(); ++i) sum += mean_magnitude(variance_with(i, choice));
  return sum / static_cast<double>(places_.size());
}

void Knowledge::add(std::size_t choice) {
  const std::size_t n = places_.size();
  const double scale = 1 / (at(choice, choice) + kNoise * kNoise);
  std::vector<double> to_choice;
  for (std::size_t i = 0; i < n; ++i) to_choice.push_back(at(i, choice));
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t j = 0; j < n; ++j) {
      covariances_[i * n + j] -= scale * to_choice[i] * to_choice[j];
    }
  }
}

// A pair, seen from both sides; from one, when a model stands beside itself.
struct PairState {
  std::string a, b;
  std::vector<Knowledge> sides;
  std::set<std::uint32_t> runs;
  std::size_t listed = 0;

  double error() const {
    double sum = 0;
    for (const Knowledge& side : sides) sum += side.error();
    return sum / static_cast<double>(sides.size());
  }
  double error_with(std::size_t choice) const {
    double sum = 0;
    for (const Knowledge& side : sides) sum += side.error_with(choice);
    return sum / static_cast<double>(sides.size());
  }
};

PairState state_of(const std::string& a,
                   const std::string& b,
                   const std::vector<CoRunRecord>& records,
                   const CoRunSpread& spread,
                   const std::vector<Choice>& choices) {
  PairState state{a, b, {}, {}, 0};
  std::vector<CoRunPlace> measured_a, measured_b, places_a, places_b;
  for (const CoRunRecord& r : records) {
    const CoRunPlace place = place_of(r);
    const bool is_a = r.victim.model == a && r.aggressor.model == b;
    const bool is_b = r.victim.model == b && r.aggressor.model == a;
    if (is_a) measured_a.push_back(place);
    if (is_b) measured_b.push_back(place);
    if (is_a || is_b) state.runs.insert(r.run);
  }
  for (const Choice& c : choices) {
    places_a.push_back(place_of(c.batch_a, c.batch_b, c.share_pct, 100 - c.share_pct));
    places_b.push_back(place_of(c.batch_b, c.batch_a, 100 - c.share_pct, c.share_pct));
  }
  state.sides.emplace_back(spread, std::move(places_a), measured_a);
  if (a != b) state.sides.emplace_back(spread, std::move(places_b), measured_b);
  return state;
}

std::string reason_of(const PairState& pair) {
  const std::size_t measured = pair.runs.size();
  if (measured == 0 && pair.listed == 0) return "no co-run of this pair yet";
  std::string reason = measured == 0 ? std::string() : fmt::format("{} measured", measured);
  if (pair.listed > 0) {
    reason += fmt::format("{}{} above in this list", reason.empty() ? "" : ", ", pair.listed);
  }
  return reason + "; least known here";
}

}  // namespace

std::vector<NextCoRun> next_co_runs(const std::vector<std::string>& models,
                                    const std::vector<CoRunRecord>& records,
                                    const CoRunSpread& spread,
                                    std::size_t count) {
  const std::vector<Choice> choices = choices_of(records);
  const std::set<std::string> names(models.begin(), models.end());
  std::vector<PairState> pairs;
  for (auto a = names.begin(); a != names.end(); ++a) {
    for (auto b = a; b != names.end(); ++b)
      pairs.push_back(state_of(*a, *b, records, spread, choices));
  }
  std::vector<NextCoRun> list;
  while (list.size() < count && !pairs.empty()) {
    PairState* best = nullptr;
    std::size_t best_choice = 0;
    double best_gain = 0;
    for (PairState& pair : pairs) {
      const double before = pair.error();
      for (std::size_t c = 0; c < choices.size(); ++c) {
        const double gain = before - pair.error_with(c);
        // Rounding must not decide between mirror images.
        if (gain <= best_gain * (1 + 1e-9)) continue;
        best = &pair;
        best_choice = c;
        best_gain = gain;
      }
    }
    if (best == nullptr) break;
    const Choice& c = choices[best_choice];
    const double before = best->error();
    const std::string reason = reason_of(*best);
    for (Knowledge& side : best->sides) side.add(best_choice);
    ++best->listed;
    list.push_back({best->a, best->b, c.batch_a, c.batch_b, c.share_pct, 100 - c.share_pct,
                    100 * before, 100 * best->error(), reason});
  }
  return list;
}

CoRunSpread spread_of(const std::vector<CoRunRecord>& records) {
  std::vector<CoRunSample> samples;
  double mean = 0;
  for (const CoRunRecord& r : records) {
    samples.push_back({r.victim.model, r.aggressor.model, place_of(r), r.slowdown});
    mean += r.slowdown / static_cast<double>(records.size());
  }
  const PairTable table(samples, [mean](const std::string&) { return mean; });
  std::map<std::pair<std::string, std::string>, std::vector<double>> cells;
  for (const CoRunSample& s : samples) {
    cells[{s.victim, s.aggressor}].push_back(
        s.slowdown / table.prior(s.victim, s.aggressor, s.place) - 1);
  }
  std::erase_if(cells, [](const auto& cell) { return cell.second.size() < 2; });
  if (cells.size() < 3) return {};
  double between = 0, within = 0, degrees = 0;
  for (const auto& [cell, residuals] : cells) {
    const auto n = static_cast<double>(residuals.size());
    const double offset = std::accumulate(residuals.begin(), residuals.end(), 0.0) / n;
    between += offset * offset;
    for (const double r : residuals) within += (r - offset) * (r - offset);
    degrees += n - 1;
  }
  return {std::sqrt(between / static_cast<double>(cells.size() - 1)), std::sqrt(within / degrees)};
}

}  // namespace tangram
