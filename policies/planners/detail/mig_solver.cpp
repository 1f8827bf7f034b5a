// Variables: x = segments of a size for an option, y = GPUs of a maximal cut, z = whether an option
// is used. Minimise sum y with: capacity of x >= rate * z for each option; one z per choice; for
// each size no more x than the cuts y have places.
#include "policies/planners/detail/mig_solver.h"

#include <algorithm>
#include <cmath>
#include <memory>
#include <utility>

#include <fmt/format.h>

#ifdef TANGRAM_HAS_CBC
#include <coin/Cbc_C_Interface.h>
#endif

#include "sim/core/check.h"
#include "sim/core/random.h"

namespace tangram::detail {

#ifdef TANGRAM_HAS_CBC

namespace {

// Bounds are sums of floating-point numbers: 11.0000001 is no proof of 12.
constexpr double kBoundSlack = 1e-6;

constexpr int kAllNodes = 2'000'000'000;
constexpr int kFewNodes = 300;
// Of the search among equals.
constexpr int kTieNodes = 2000;
constexpr double kTieTimeLimitS = 10;
constexpr std::uint32_t kTieCosts = 1024;

struct Row {
  std::vector<int> columns;
  std::vector<double> coefficients;
  void add(int column, double coefficient) {
    columns.push_back(column);
    coefficients.push_back(coefficient);
  }
};

// What is minimised: GPUs, of which at least some number are needed; or, with just that number of
// GPUs, slices and then a cost of each column's own, so that no two plans cost the same.
enum class Aim { kGpus, kSettle };

class Program {
 public:
  Program(const MigCuts& cuts,
          const std::vector<MigChoice>& choices,
          std::uint32_t gpus_needed,
          Aim aim = Aim::kGpus)
      : cuts_(cuts), choices_(choices), patterns_(cuts.maximal()), model_(Cbc_newModel()) {
    const bool settles = aim == Aim::kSettle;
    // One slice outweighs all that tells plans apart: there are no more segments than slices.
    const double slice_cost = static_cast<double>(kTieCosts) * gpus_needed * cuts.slices();
    for (std::size_t p = 0; p < patterns_.size(); ++p) {
      y_.push_back(add_column(settles ? tie_cost() : 1));
    }
    for (const MigChoice& choice : choices) {
      std::vector<int>& z = z_.emplace_back();
      std::vector<std::vector<int>>& x = x_.emplace_back();
      for (const MigDemand& option : choice.options) {
        z.push_back(add_column(settles ? tie_cost() : 0));
        Cbc_setColUpper(model_.get(), z.back(), 1);
        std::vector<int>& of_size = x.emplace_back(cuts.sizes().size(), -1);
        for (std::size_t s = 0; s < of_size.size(); ++s) {
          if (!option.best[s]) continue;
          of_size[s] = add_column(settles ? cuts.sizes()[s] * slice_cost + tie_cost() : 0);
        }
      }
    }
    add_rows();
    Row gpus;
    for (const int y : y_) gpus.add(y, 1);
    add_row(gpus, settles ? 'E' : 'G', gpus_needed);
  }

  MigSolution solve(double time_limit_s, int node_limit) {
    Cbc_setObjSense(model_.get(), 1);
    Cbc_setLogLevel(model_.get(), 0);
    Cbc_setParameter(model_.get(), "log", "0");
    Cbc_setParameter(model_.get(), "threads", "0");
    Cbc_setParameter(model_.get(), "timeMode", "elapsed");
    Cbc_setMaximumSeconds(model_.get(), time_limit_s);
    Cbc_setMaximumNodes(model_.get(), node_limit);
    Cbc_solve(model_.get());
    MigSolution solution;
    const double bound = Cbc_getBestPossibleObjValue(model_.get());
    if (std::isfinite(bound) && bound > 0 && bound < 1e9) {
      solution.lower_bound = static_cast<std::uint32_t>(std::ceil(bound - kBoundSlack));
    }
    if (Cbc_numberSavedSolutions(model_.get()) > 0 || Cbc_isProvenOptimal(model_.get()) != 0) {
      const double* values = Cbc_getColSolution(model_.get());
      if (values != nullptr) fill(values, solution);
    }
    return solution;
  }
  // Whether the search has come to its end.
  bool is_proven() const { return Cbc_isProvenOptimal(model_.get()) != 0; }

 private:
  struct Deleter {
    void operator()(Cbc_Model* model) const { Cbc_deleteModel(model); }
  };

  // The next column's, in [1, kTieCosts]: scattered, so that sums of different columns differ.
  double tie_cost() const {
    RandomStream random{StreamKey(static_cast<std::uint64_t>(columns_))};
    return 1 + static_cast<double>(random.below(kTieCosts));
  }
  int add_column(double cost) {
    const int column = columns_++;
    const std::string name = fmt::format("c{}", column);
    Cbc_addCol(model_.get(), name.c_str(), 0, 1e9, cost, 1, 0, nullptr, nullptr);
    return column;
  }
  void add_row(const Row& row, char sense, double right) {
    const std::string name = fmt::format("r{}", rows_++);
    Cbc_addRow(model_.get(), name.c_str(), static_cast<int>(row.columns.size()), row.columns.data(),
               row.coefficients.data(), sense, right);
  }

  void add_rows() {
    for (std::size_t c = 0; c < choices_.size(); ++c) {
      Row one;
      for (std::size_t o = 0; o < z_[c].size(); ++o) {
        one.add(z_[c][o], 1);
        const MigDemand& option = choices_[c].options[o];
        Row capacity;  // in units of the rate
        capacity.add(z_[c][o], -1);
        for (std::size_t s = 0; s < cuts_.sizes().size(); ++s) {
          if (x_[c][o][s] < 0) continue;
          capacity.add(x_[c][o][s], option.best[s]->total_rps() / option.rate_rps);
        }
        add_row(capacity, 'G', 0);
      }
      add_row(one, 'E', 1);
    }
    for (std::size_t s = 0; s < cuts_.sizes().size(); ++s) {
      Row places;
      for (std::size_t p = 0; p < patterns_.size(); ++p) {
        if (patterns_[p][s] > 0) places.add(y_[p], -patterns_[p][s]);
      }
      for (const auto& options : x_) {
        for (const std::vector<int>& of_size : options) {
          if (of_size[s] >= 0) places.add(of_size[s], 1);
        }
      }
      add_row(places, 'L', 0);
    }
  }

  static std::int64_t rounded(double value) { return std::llround(value); }

  // Reads the solution, leaves out segments that the rate does not need, and fills the GPUs.
  void fill(const double* values, MigSolution& solution) const {
    std::vector<std::vector<MigSegment>> by_size(cuts_.sizes().size());
    for (std::size_t c = 0; c < choices_.size(); ++c) {
      std::size_t used = 0;
      while (rounded(values[z_[c][used]]) == 0) ++used;
      solution.options.push_back(used);
      const MigDemand& option = choices_[c].options[used];
      std::vector<std::int64_t> counts(by_size.size(), 0);
      double capacity = 0;
      for (std::size_t s = 0; s < counts.size(); ++s) {
        if (x_[c][used][s] < 0) continue;
        counts[s] = rounded(values[x_[c][used][s]]);
        capacity += static_cast<double>(counts[s]) * option.best[s]->total_rps();
      }
      for (std::size_t s = counts.size(); s-- > 0;) {
        const double each = counts[s] > 0 ? option.best[s]->total_rps() : 0;
        for (; counts[s] > 0 && covers(capacity - each, option.rate_rps); --counts[s]) {
          capacity -= each;
        }
        by_size[s].insert(by_size[s].end(), static_cast<std::size_t>(counts[s]),
                          counts[s] > 0 ? option.segment(s) : MigSegment{});
      }
    }
    // Segments of each size are handed out from the front, so those of one workload stay together.
    std::vector<std::size_t> next(by_size.size(), 0);
    for (std::size_t p = 0; p < patterns_.size(); ++p) {
      for (std::int64_t i = rounded(values[y_[p]]); i > 0; --i) {
        MigGpu gpu;
        for (std::size_t s = by_size.size(); s-- > 0;) {
          for (int k = 0; k < patterns_[p][s] && next[s] < by_size[s].size(); ++k) {
            gpu.push_back(by_size[s][next[s]++]);
          }
        }
        if (!gpu.empty()) solution.gpus.push_back(std::move(gpu));
      }
    }
    for (std::size_t s = 0; s < by_size.size(); ++s) {
      TANGRAM_CHECK(next[s] == by_size[s].size(), "the solver's cuts do not hold its segments");
    }
  }

  const MigCuts& cuts_;
  const std::vector<MigChoice>& choices_;
  std::vector<std::vector<int>> patterns_;
  std::unique_ptr<Cbc_Model, Deleter> model_;
  int columns_ = 0;
  int rows_ = 0;
  std::vector<int> y_;                            // by pattern
  std::vector<std::vector<int>> z_;               // by choice, option
  std::vector<std::vector<std::vector<int>>> x_;  // by choice, option, size; -1: no such point
};

// One option for each choice, with the largest part of the need that any option's segment of a size
// carries.
std::vector<MigChoice> relaxed(const std::vector<MigChoice>& choices) {
  std::vector<MigChoice> result;
  for (const MigChoice& choice : choices) {
    MigDemand all = choice.options.front();
    std::fill(all.best.begin(), all.best.end(), std::nullopt);
    all.rate_rps = 1;
    for (const MigDemand& option : choice.options) {
      for (std::size_t s = 0; s < all.best.size(); ++s) {
        if (!option.best[s]) continue;
        MigPoint part = *option.best[s];
        part.process_rps /= option.rate_rps;
        if (!all.best[s] || part.total_rps() > all.best[s]->total_rps()) all.best[s] = part;
      }
    }
    result.push_back({{std::move(all)}});
  }
  return result;
}

}  // namespace

MigSolution solve_mig(const MigCuts& cuts,
                      const std::vector<MigChoice>& choices,
                      double time_limit_s) {
  if (choices.empty()) return {};
  if (std::all_of(choices.begin(), choices.end(),
                  [](const MigChoice& choice) { return choice.options.size() == 1; })) {
    return Program(cuts, choices, 0).solve(time_limit_s, kAllNodes);
  }
  // With the bound as a row, the search either ends at once or loses its way; without it, it may
  // find the plan soon and prove nothing. So a short search with it, then a long one without.
  const std::uint32_t bound =
      Program(cuts, relaxed(choices), 0).solve(time_limit_s, kAllNodes).lower_bound;
  MigSolution first = Program(cuts, choices, bound).solve(time_limit_s, kFewNodes);
  first.lower_bound = std::max(first.lower_bound, bound);
  if (!first.gpus.empty() && first.is_proven()) return first;
  MigSolution second = Program(cuts, choices, 0).solve(time_limit_s, kAllNodes);
  second.lower_bound = std::max(second.lower_bound, first.lower_bound);
  if (second.gpus.empty() || (!first.gpus.empty() && first.gpus.size() <= second.gpus.size())) {
    first.lower_bound = second.lower_bound;
    return first;
  }
  return second;
}

MigSolution settle_ties(const MigCuts& cuts,
                        const std::vector<MigChoice>& choices,
                        double time_limit_s,
                        MigSolution found) {
  if (found.gpus.empty() || !found.is_proven()) return found;
  const auto gpus = static_cast<std::uint32_t>(found.gpus.size());
  Program program(cuts, choices, gpus, Aim::kSettle);
  MigSolution solution = program.solve(std::min(time_limit_s, kTieTimeLimitS), kTieNodes);
  if (!program.is_proven() || solution.gpus.size() != gpus) return found;
  solution.lower_bound = found.lower_bound;
  return solution;
}

#else

MigSolution solve_mig(const MigCuts&, const std::vector<MigChoice>&, double) {
  throw NoAnswer(
      "this build has no solver for integer programs: install coinor-libcbc-dev and "
      "build again");
}

MigSolution settle_ties(const MigCuts&, const std::vector<MigChoice>&, double, MigSolution found) {
  return found;
}

#endif

}  // namespace tangram::detail
