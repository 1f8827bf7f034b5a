// none, linear forms, and the table of pairs.
#include "validate/candidates.h"

#include <array>
#include <memory>
#include <utility>

#include "profiles/interference.h"
#include "profiles/least_squares.h"
#include "profiles/pair_table.h"

namespace tangram {
namespace {

using Features = std::function<std::vector<double>(const CoRunRecord&)>;
using Lacking = std::function<std::string(const CoRunRecord&)>;

std::string nothing(const CoRunRecord&) {
  return "";
}

std::string use_of_both(const CoRunRecord& r) {
  const bool known = r.victim.l2 && r.victim.dram && r.aggressor.l2 && r.aggressor.dram;
  return known ? "" : "L2 and DRAM use";
}

std::string kernels_of_both(const CoRunRecord& r) {
  const bool known =
      r.victim.kernels && r.victim.solo_ms && r.aggressor.kernels && r.aggressor.solo_ms;
  return known ? "" : "kernel counts and latencies alone";
}

std::vector<double> gpulet_features(const CoRunRecord& r) {
  return {1, *r.victim.l2, *r.aggressor.l2, *r.victim.dram, *r.aggressor.dram};
}

// 1, the four uses, their squares and products.
std::vector<double> quadratic_features(const CoRunRecord& r) {
  std::vector<double> features = gpulet_features(r);
  const std::vector<double> uses(features.begin() + 1, features.end());
  for (std::size_t i = 0; i < uses.size(); ++i) {
    for (std::size_t j = i; j < uses.size(); ++j) features.push_back(uses[i] * uses[j]);
  }
  return features;
}

double kernel_ms(const CoRunSide& side) {
  return *side.solo_ms / *side.kernels;
}

std::vector<double> kernel_length_features(const CoRunRecord& r) {
  return {1, kernel_length_share(kernel_ms(r.victim), kernel_ms(r.aggressor))};
}

FittedInterference fit_linear(const Features& features, const CoRunRows& rows) {
  std::vector<double> matrix;
  std::vector<double> slowdowns;
  for (const CoRunRecord* row : rows) {
    const std::vector<double> of_row = features(*row);
    matrix.insert(matrix.end(), of_row.begin(), of_row.end());
    slowdowns.push_back(row->slowdown);
  }
  const std::size_t columns = matrix.size() / rows.size();
  const std::vector<double> c = LeastSquares(std::move(matrix), columns).solve(slowdowns);
  return {c, [features, c](const CoRunRecord& record) {
            const std::vector<double> x = features(record);
            double sum = 0;
            for (std::size_t i = 0; i < c.size(); ++i) sum += c[i] * x[i];
            return sum;
          }};
}

InterferenceCandidate linear(
    std::string name, std::string form, int parameters, Lacking lacking, Features features) {
  InterferenceCandidate candidate;
  candidate.name = std::move(name);
  candidate.form = std::move(form);
  candidate.parameters = parameters;
  candidate.lacking = std::move(lacking);
  candidate.fit = [features = std::move(features)](const CoRunRows& rows) {
    return fit_linear(features, rows);
  };
  return candidate;
}

FittedInterference fit_pair_table(const CoRunRows& rows) {
  std::vector<CoRunSample> samples;
  double mean = 0;
  for (const CoRunRecord* row : rows) {
    samples.push_back({row->victim.model, row->aggressor.model, place_of(*row), row->slowdown});
    mean += row->slowdown / static_cast<double>(rows.size());
  }
  const auto table =
      std::make_shared<PairTable>(samples, [mean](const std::string&) { return mean; });
  return {{}, [table](const CoRunRecord& r) {
            return table->slowdown(r.victim.model, r.aggressor.model, place_of(r));
          }};
}

InterferenceCandidate pair_table(std::size_t own_co_runs) {
  InterferenceCandidate candidate;
  candidate.name = "pair_table";
  if (own_co_runs > 0) candidate.name += " +" + std::to_string(own_co_runs);
  candidate.form = "constant, pressure of the aggressor, " + std::to_string(own_co_runs) +
                   " co-runs of the pair";
  candidate.post_hoc = true;
  candidate.own_co_runs = own_co_runs;
  candidate.lacking = nothing;
  candidate.fit = fit_pair_table;
  return candidate;
}

InterferenceCandidate none() {
  InterferenceCandidate candidate;
  candidate.name = "none";
  candidate.form = "1";
  candidate.lacking = nothing;
  candidate.fit = [](const CoRunRows&) {
    return FittedInterference{{}, [](const CoRunRecord&) { return 1.0; }};
  };
  return candidate;
}

// Nothing to fit: its coefficients come from its own profiling (solo runs and one self-pair).
InterferenceCandidate igniter() {
  InterferenceCandidate candidate;
  candidate.name = "igniter";
  candidate.form = "scheduler, L2, clock, as profiled";
  candidate.lacking = [](const CoRunRecord& r) {
    return r.victim.igniter && r.aggressor.igniter ? "" : "iGniter coefficients";
  };
  candidate.fit = [](const CoRunRows&) {
    return FittedInterference{
        {}, [](const CoRunRecord& r) {
          const auto load = [](const CoRunSide& side) {
            return IgniterLoad{&*side.igniter, static_cast<double>(side.batch), side.share_pct};
          };
          const std::array<IgniterLoad, 2> both{load(r.victim), load(r.aggressor)};
          return igniter_slowdown(both);
        }};
  };
  return candidate;
}

std::vector<InterferenceCandidate> make_candidates() {
  std::vector<InterferenceCandidate> all{none()};
  all.push_back(linear("constant", "c", 1, nothing,
                       [](const CoRunRecord&) { return std::vector<double>{1}; }));
  all.push_back(
      linear("gpulet", "c + l2_v, l2_o, dram_v, dram_o", 5, use_of_both, gpulet_features));
  all.push_back(linear("quadratic", "the same with squares and products", 15, use_of_both,
                       quadratic_features));
  all.push_back(linear("aggressor_dram", "c + d dram_o", 2, use_of_both, [](const CoRunRecord& r) {
    return std::vector<double>{1, *r.aggressor.dram};
  }));
  all.push_back(linear("launch_delay", "c + d / t_v", 2, kernels_of_both, [](const CoRunRecord& r) {
    return std::vector<double>{1, 1 / kernel_ms(r.victim)};
  }));
  all.push_back(linear("kernel_length", "c + k t_o / (t_o + t_v)", 2, kernels_of_both,
                       kernel_length_features));
  all.back().post_hoc = true;
  all.push_back(igniter());
  for (const std::size_t own : {0, 1, 3, 9}) all.push_back(pair_table(own));
  return all;
}

}  // namespace

const std::vector<InterferenceCandidate>& interference_candidates() {
  static const std::vector<InterferenceCandidate> candidates = make_candidates();
  return candidates;
}

const InterferenceCandidate& constant_candidate() {
  return interference_candidates()[1];
}

}  // namespace tangram
