// MIG-serving's greedy step (Tan et al., 2021): whole-GPU configurations, one after another, each
// the one that brings unmet demand furthest. docs/model/planners/mig_serving.md has what is ours.
#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "policies/planners/detail/mig_demand.h"

namespace tangram {
namespace {

using detail::MigCuts;
using detail::MigDemand;
using detail::MigGpu;

// Workloads on one GPU; one more once some workload is nearly served.
constexpr std::size_t kMixed = 3;
constexpr double kLastMile = 0.1;

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
  Greedy(const MigCuts& cuts, const std::vector<MigDemand>& demands)
      : cuts_(cuts), demands_(demands), maximal_(cuts.maximal()), unmet_(demands.size(), 1.0) {}

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
  bool is_met(std::size_t d) const { return unmet_[d] <= 1e-9; }
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
      if (unmet > 1e-9 && unmet <= kLastMile) mixed = kMixed + 1;
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
    return result;
  }

  const MigCuts& cuts_;
  const std::vector<MigDemand>& demands_;
  std::vector<std::vector<int>> maximal_;
  std::vector<double> unmet_;  // part of each demand
};

class MigServing final : public Planner {
 public:
  Plan plan(const PlanningProblem& problem) const override {
    const GpuType& type = detail::mig_type_of(problem.cluster);
    const MigCuts cuts(type);
    std::vector<std::string> reasons;
    const std::vector<MigDemand> demands =
        detail::mig_demands(problem, type, cuts, {1, problem.params.number("slo_share")}, reasons);
    const std::vector<MigGpu> gpus = Greedy(cuts, demands).run(problem.cluster.size());
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
       "GPU by GPU, the MIG configuration that brings unmet demand furthest (greedy)",
       "MIG-serving (Tan et al., arXiv 2109.11067), greedy step only, from descriptions of it; one "
       "process an instance; docs/model/planners/mig_serving.md",
       {number_param("slo_share", 0.5, 0.01, 1,
                     "part of the SLO that one batch must stay below; ours, the paper plans for a "
                     "measured p99")}},
      []() -> std::unique_ptr<Planner> { return std::make_unique<MigServing>(); }};
}

}  // namespace tangram
