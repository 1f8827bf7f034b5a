// Slow stages get more of the SLO.
#include <algorithm>
#include <cmath>

#include "policies/slo_split.h"

namespace tangram {
namespace {

class Proportional final : public SloSplit {
 public:
  // With l the latency of each stage: SLO * l / (the longest path through the stage, in l).
  std::vector<Duration> split(const SloSplitProblem& problem) const override {
    const auto wanted = static_cast<std::uint32_t>(problem.params.integer("batch"));
    std::vector<double> latency_ms;
    for (const Stage& stage : problem.stages) {
      const Profile& profile = profile_for_split(problem, stage.model);
      const SplitShare at = share_for_split(profile);
      const std::uint32_t batch = std::min(wanted, at.max_batch);
      // A profile may say 0 ms; a stage without any time would get no SLO.
      latency_ms.push_back(std::max(1e-6, *profile.latency_ms(at.share, at.processes, batch)));
    }
    const std::vector<double> through = problem.graph.longest_through(latency_ms);
    std::vector<Duration> result;
    for (std::size_t v = 0; v < through.size(); ++v) {
      const double part = latency_ms[v] / through[v];
      const auto ns = std::floor(static_cast<double>(problem.slo.count()) * part);
      result.push_back(std::max(Duration(1), Duration(static_cast<std::int64_t>(ns))));
    }
    return result;
  }
};

}  // namespace

SloSplitEntry proportional_slo_split() {
  return {
      {"proportional",
       "each stage gets the SLO in proportion to its latency on the slowest path through it",
       "latencies are those of the whole GPU (or the largest share that the profile knows) of the "
       "cluster's first type with a profile",
       {integer_param("batch", 1, 1, 1024,
                      "at which latencies are compared; at most the "
                      "profile's largest")}},
      []() -> std::unique_ptr<SloSplit> { return std::make_unique<Proportional>(); }};
}

}  // namespace tangram
