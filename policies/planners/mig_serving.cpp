// MIG-serving's greedy step (Tan et al., 2021): whole-GPU configurations, one after another, each
// the one that brings unmet demand furthest; then, if asked for, an improvement phase of our own.
// docs/model/planners/mig_serving.md has what is ours.
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "policies/planners/detail/mig_demand.h"
#include "sim/core/random.h"

namespace tangram {
namespace {

using detail::MigCuts;
using detail::MigDemand;
using detail::MigGpu;

// Workloads on one GPU; one more once some workload is nearly served.
constexpr std::size_t kMixed = 3;
constexpr double kLastMile = 0.1;
constexpr double kMet = 1e-9;  // an unmet part this small is rounding
// Ours, of the improvement phase.
constexpr std::size_t kMostErased = 8;
constexpr double kNoise = 0.15;  // a configuration counts up to so much more than it is worth

// A GPU's cut with the workload of each instance, and what it is worth.
struct Configuration {
  double utility = 0;
  int slices = 0;
  std::vector<std::pair<std::size_t, std::size_t>> instances;  // size, demand

  bool better_than(const Configuration& other) const {
    constexpr double kTie = 1e-12;
    if (utility > other.utility + kTie) return true;
    return utility > other.utility - kTie && slices < other.slices;
  }
};

class Greedy {
 public:
  // With `random`, what configurations are worth is blurred.
  Greedy(const MigCuts& cuts,
         const std::vector<MigDemand>& demands,
         std::vector<double> unmet,
         RandomStream* random = nullptr)
      : cuts_(cuts),
        demands_(demands),
        maximal_(cuts.maximal()),
        unmet_(std::move(unmet)),
        random_(random) {}

  // Adds GPUs until nothing is unmet, at most `most`.
  std::vector<MigGpu> run(std::size_t most) {
    std::vector<MigGpu> gpus;
    while (gpus.size() < most && !all_met()) {
      const Configuration best = best_configuration();
      MigGpu gpu;
      for (const auto& [size, d] : best.instances) {
        // An instance after the one that meets the demand is not needed.
        if (is_met(d)) continue;
        gpu.push_back(demands_[d].segment(size));
        unmet_[d] -= share_of(d, size);
      }
      gpus.push_back(std::move(gpu));
    }
    return gpus;
  }

 private:
  bool is_met(std::size_t d) const { return unmet_[d] <= kMet; }
  bool all_met() const {
    for (std::size_t d = 0; d < unmet_.size(); ++d) {
      if (!is_met(d)) return false;
    }
    return true;
  }
  // The part of the demand that one instance carries.
  double share_of(std::size_t d, std::size_t size) const {
    const auto& best = demands_[d].best[size];
    return best ? best->total_rps() / demands_[d].rate_rps : 0;
  }
  double worth(std::size_t d, std::size_t size) const {
    return is_met(d) ? 0 : share_of(d, size) * unmet_[d];
  }

  // Over all sets of at most kMixed workloads (one more in the last mile) and all cuts. Only the
  // workloads that are worth most at some size are tried.
  Configuration best_configuration() const {
    std::size_t mixed = kMixed;
    for (const double unmet : unmet_) {
      if (unmet > kMet && unmet <= kLastMile) mixed = kMixed + 1;
    }
    Configuration best;
    std::vector<std::size_t> chosen;
    try_sets(candidates(mixed), 0, mixed, chosen, best);
    return best;
  }

  std::vector<std::size_t> candidates(std::size_t mixed) const {
    std::vector<std::size_t> result;
    for (std::size_t s = 0; s < cuts_.sizes().size(); ++s) {
      std::vector<std::pair<double, std::size_t>> ranked;
      for (std::size_t d = 0; d < demands_.size(); ++d) {
        if (worth(d, s) > 0) ranked.emplace_back(-worth(d, s), d);
      }
      std::sort(ranked.begin(), ranked.end());
      for (std::size_t i = 0; i < ranked.size() && i < mixed; ++i) {
        result.push_back(ranked[i].second);
      }
    }
    std::sort(result.begin(), result.end());
    result.erase(std::unique(result.begin(), result.end()), result.end());
    return result;
  }

  void try_sets(const std::vector<std::size_t>& from,
                std::size_t next,
                std::size_t left,
                std::vector<std::size_t>& chosen,
                Configuration& best) const {
    if (!chosen.empty()) {
      for (const std::vector<int>& cut : maximal_) {
        Configuration here = filled(cut, chosen);
        if (here.better_than(best)) best = std::move(here);
      }
    }
    if (left == 0) return;
    for (std::size_t i = next; i < from.size(); ++i) {
      chosen.push_back(from[i]);
      try_sets(from, i + 1, left - 1, chosen, best);
      chosen.pop_back();
    }
  }

  // Each instance goes to the chosen workload for which it is worth most.
  Configuration filled(const std::vector<int>& cut, const std::vector<std::size_t>& chosen) const {
    Configuration result;
    for (std::size_t s = cut.size(); s-- > 0;) {
      if (cut[s] == 0) continue;
      const auto best =
          std::max_element(chosen.begin(), chosen.end(),
                           [&](std::size_t a, std::size_t b) { return worth(a, s) < worth(b, s); });
      if (worth(*best, s) <= 0) continue;
      for (int i = 0; i < cut[s]; ++i) result.instances.emplace_back(s, *best);
      result.utility += cut[s] * worth(*best, s);
      result.slices += cut[s] * cuts_.sizes()[s];
    }
    if (random_ != nullptr) result.utility *= 1 + kNoise * random_->uniform();
    return result;
  }

  const MigCuts& cuts_;
  const std::vector<MigDemand>& demands_;
  std::vector<std::vector<int>> maximal_;
  std::vector<double> unmet_;  // part of each demand
  RandomStream* random_;
};

// What matters about a set of GPUs, in this order; smaller is better.
struct Score {
  double unmet = 0;
  std::size_t gpus = 0;
  int slices = 0;
  bool no_worse_than(const Score& other) const {
    if (std::abs(unmet - other.unmet) > kMet) return unmet < other.unmet;
    return gpus != other.gpus ? gpus < other.gpus : slices <= other.slices;
  }
};

// The improvement phase. The paper's erases GPUs of a solution and fills the gap by a tree search
// inside a genetic algorithm, whose details are not public; ours erases a few GPUs at random, fills
// the gap by the greedy step with blurred worths, and keeps the result unless it is worse.
class Improvement {
 public:
  Improvement(const MigCuts& cuts, const std::vector<MigDemand>& demands, std::uint64_t seed)
      : cuts_(cuts), demands_(demands), random_(StreamKey(seed).with("mig_serving")) {}

  std::vector<MigGpu> run(std::vector<MigGpu> best, std::size_t most, std::int64_t rounds) {
    Score score = score_of(best);
    for (std::int64_t round = 0; round < rounds && best.size() > 1; ++round) {
      std::vector<MigGpu> tried = best;
      const std::size_t erased = 2 + random_.below(std::min(best.size(), kMostErased) - 1);
      for (std::size_t i = 0; i < erased; ++i) {
        const auto at = static_cast<std::ptrdiff_t>(random_.below(tried.size()));
        tried.erase(tried.begin() + at);
      }
      Greedy greedy(cuts_, demands_, unmet_of(tried), &random_);
      for (MigGpu& gpu : greedy.run(most - tried.size())) tried.push_back(std::move(gpu));
      const Score here = score_of(tried);
      if (!here.no_worse_than(score)) continue;
      score = here;
      best = std::move(tried);
    }
    return best;
  }

 private:
  std::vector<double> unmet_of(const std::vector<MigGpu>& gpus) const {
    std::vector<double> unmet;
    for (const MigDemand& demand : demands_) {
      double carried = 0;
      for (const MigGpu& gpu : gpus) {
        for (const detail::MigSegment& segment : gpu) {
          if (segment.workload == demand.workload) carried += segment.capacity_rps;
        }
      }
      unmet.push_back(1 - carried / demand.rate_rps);
    }
    return unmet;
  }
  Score score_of(const std::vector<MigGpu>& gpus) const {
    Score score;
    for (const double unmet : unmet_of(gpus)) score.unmet += std::max(0.0, unmet);
    score.gpus = gpus.size();
    for (const MigGpu& gpu : gpus) {
      for (const detail::MigSegment& segment : gpu) score.slices += segment.size;
    }
    return score;
  }

  const MigCuts& cuts_;
  const std::vector<MigDemand>& demands_;
  RandomStream random_;
};

class MigServing final : public Planner {
 public:
  Plan plan(const PlanningProblem& problem) const override {
    const GpuType& type = detail::mig_type_of(problem.cluster);
    const MigCuts cuts(type);
    std::vector<std::string> reasons;
    const std::vector<MigDemand> demands =
        detail::mig_demands(problem, type, cuts, {1, problem.params.number("slo_share")}, reasons);
    const std::size_t most = problem.cluster.size();
    std::vector<MigGpu> gpus =
        Greedy(cuts, demands, std::vector<double>(demands.size(), 1.0)).run(most);
    const auto seed = static_cast<std::uint64_t>(problem.params.integer("seed"));
    gpus = Improvement(cuts, demands, seed)
               .run(std::move(gpus), most, problem.params.integer("improve_rounds"));
    for (const MigDemand& demand : demands) {
      reasons[demand.workload] = fmt::format("the cluster has no more GPUs of type {}", type.name);
    }
    Plan plan = detail::plan_of(problem, type, gpus, reasons);
    plan.planner = "mig_serving";
    return plan;
  }
};

}  // namespace

PlannerEntry mig_serving_planner() {
  return {
      {"mig_serving",
       "GPU by GPU, the MIG configuration that brings unmet demand furthest (greedy), and on "
       "demand "
       "an improvement phase of our own",
       "MIG-serving (Tan et al., arXiv 2109.11067), greedy step from descriptions of it; its slow "
       "phase (genetic algorithm, tree search) is not public, and improve_rounds is ours in its "
       "place; one process an instance; docs/model/planners/mig_serving.md",
       {number_param("slo_share", 0.5, 0.01, 1,
                     "part of the SLO that one batch must stay below; ours, the paper plans for a "
                     "measured p99"),
        integer_param("improve_rounds", 0, 0, 1'000'000,
                      "ours: rounds that erase some GPUs and fill the gap anew; 0 is greedy alone"),
        integer_param("seed", 1, 0, 1'000'000'000, "of the improvement phase")}},
      []() -> std::unique_ptr<Planner> { return std::make_unique<MigServing>(); }};
}

}  // namespace tangram
