// Nexus' dynamic program: the split that needs the fewest GPUs.
#include <algorithm>
#include <limits>

#include <fmt/format.h>

#include "policies/slo_split.h"
#include "sim/core/error.h"

namespace tangram {
namespace {

constexpr double kImpossible = std::numeric_limits<double>::infinity();

// f(v, t), the GPUs for stage v and all that follows it with t steps of time:
//   f(v, t) = min over 1 <= k <= t of  r_v / T_v(k) + sum over successors c of f(c, t - k)
// T_v(k): requests/s of a GPU with the largest batch b whose latency is at most half of k steps
// (2 l(b) <= k, section 4.1), none where even batch 1 is slower.
class Program {
 public:
  Program(const SloSplitProblem& problem, std::uint32_t steps)
      : problem_(problem),
        steps_(steps),
        step_ms_(to_ms(problem.slo) / steps),
        requests_(problem.graph.mean_requests(problem.stages)),
        cost_(problem.stages.size(), std::vector<double>(steps + 1, kImpossible)),
        own_(problem.stages.size(), std::vector<std::uint32_t>(steps + 1, 0)) {
    const std::vector<std::uint32_t>& order = problem.graph.order();
    for (std::size_t i = order.size(); i-- > 0;) solve(order[i]);
  }

  std::vector<Duration> split() const {
    std::vector<Duration> result(cost_.size());
    std::vector<std::uint32_t> left(cost_.size(), steps_);
    for (const std::uint32_t v : problem_.graph.order()) {
      const std::uint32_t k = own_[v][left[v]];
      if (k == 0) {
        throw NoAnswer(fmt::format(
            "nexus finds no split of {:g} ms in which each stage has twice the latency of "
            "its batch of 1",
            to_ms(problem_.slo)));
      }
      result[v] = Duration(problem_.slo.count() * k / steps_);
      for (const std::uint32_t c : problem_.graph.successors(v)) left[c] = left[v] - k;
    }
    return result;
  }

 private:
  // GPUs for one request/s of the application at stage v, by its own steps.
  std::vector<double> gpus_of(std::uint32_t v) const {
    const Profile& profile = profile_for_split(problem_, problem_.stages[v].model);
    const SplitShare at = share_for_split(profile);
    std::vector<double> gpus(steps_ + 1, kImpossible);
    double best_rps = 0;
    std::uint32_t batch = 1;
    for (std::uint32_t k = 1; k <= steps_; ++k) {
      for (; batch <= at.max_batch; ++batch) {
        const double ms = *profile.latency_ms(at.share, at.processes, batch);
        if (2 * ms > k * step_ms_) break;
        best_rps = std::max(best_rps, 1000 * batch / std::max(ms, 1e-6));
      }
      if (best_rps > 0) gpus[k] = requests_[v] / best_rps;
    }
    return gpus;
  }

  void solve(std::uint32_t v) {
    const std::vector<double> gpus = gpus_of(v);
    for (std::uint32_t t = 1; t <= steps_; ++t) {
      for (std::uint32_t k = 1; k <= t; ++k) {
        double sum = gpus[k];
        for (const std::uint32_t c : problem_.graph.successors(v)) sum += cost_[c][t - k];
        // Of equal splits the one with the longest own time: it leaves no time unused at a leaf.
        if (sum > cost_[v][t] || sum == kImpossible) continue;
        cost_[v][t] = sum;
        own_[v][t] = k;
      }
    }
  }

  const SloSplitProblem& problem_;
  std::uint32_t steps_;
  double step_ms_;
  std::vector<double> requests_;                 // of each stage for one of the application
  std::vector<std::vector<double>> cost_;        // f(v, t)
  std::vector<std::vector<std::uint32_t>> own_;  // the k that reached it; 0: none does
};

class NexusSplit final : public SloSplit {
 public:
  std::vector<Duration> split(const SloSplitProblem& problem) const override {
    for (std::uint32_t v = 0; v < problem.stages.size(); ++v) {
      const std::size_t before = problem.graph.predecessors(v).size();
      if (before <= 1) continue;
      throw NoAnswer(
          fmt::format("nexus splits trees, and \"{}\" follows {} stages: use proportional or equal",
                      problem.stages[v].name, before));
    }
    const auto steps = static_cast<std::uint32_t>(problem.params.integer("steps"));
    return Program(problem, steps).split();
  }
};

}  // namespace

SloSplitEntry nexus_slo_split() {
  return {
      {"nexus",
       "the split of a tree of stages that needs the fewest GPUs, by a dynamic program over steps "
       "of time",
       "Shen et al., SOSP'19, section 6.2; the released code leaves a leaf's last step unused "
       "and charges networks and processing, this does neither. Batches as Nexus sizes them: "
       "twice their latency fits into the stage's part",
       {integer_param("steps", 100, 2, 1000, "into which the SLO is cut")}},
      []() -> std::unique_ptr<SloSplit> { return std::make_unique<NexusSplit>(); }};
}

}  // namespace tangram
