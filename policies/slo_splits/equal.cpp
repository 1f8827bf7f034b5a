// Every stage of a path gets the same part of the SLO.
#include "policies/slo_split.h"

namespace tangram {
namespace {

class Equal final : public SloSplit {
 public:
  // A stage has SLO / (stages on the longest path through it): on no path is their sum above the
  // SLO, because each of its stages counts at least the stages of that path.
  std::vector<Duration> split(const SloSplitProblem& problem) const override {
    const std::vector<double> ones(problem.stages.size(), 1.0);
    std::vector<Duration> result;
    for (const double length : problem.graph.longest_through(ones)) {
      result.push_back(Duration(problem.slo.count() / static_cast<std::int64_t>(length)));
    }
    return result;
  }
};

}  // namespace

SloSplitEntry equal_slo_split() {
  return {{"equal",
           "each stage gets the SLO divided by the number of stages on the longest path through it",
           "",
           {}},
          []() -> std::unique_ptr<SloSplit> { return std::make_unique<Equal>(); }};
}

}  // namespace tangram
