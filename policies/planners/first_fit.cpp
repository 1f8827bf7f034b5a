// First-fit decreasing over shares that each workload needs alone (FFD+, the baseline of iGniter,
// TPDS 2023): interference does not count.
#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "policies/planners/detail/share_pieces.h"

namespace tangram {
namespace {

using detail::kShareRounding;
using detail::kWholeGpuPct;
using detail::ShareGpu;
using detail::SharePiece;

class FirstFit final : public Planner {
 public:
  Plan plan(const PlanningProblem& problem) const override {
    const GpuType& type = detail::share_type_of(problem);
    detail::ShareSizing sizing;
    sizing.slo_share = problem.params.number("slo_share");
    sizing.max_batch = static_cast<std::uint32_t>(problem.params.integer("max_batch"));
    sizing.full_load = problem.params.number("max_load");
    sizing.clock = false;
    std::vector<std::string> reasons;
    std::vector<SharePiece> pieces = detail::share_pieces(problem, type, sizing, reasons);
    std::stable_sort(pieces.begin(), pieces.end(), [](const SharePiece& a, const SharePiece& b) {
      return a.share_pct > b.share_pct;
    });
    std::vector<ShareGpu> gpus;
    for (const SharePiece& piece : pieces) {
      const auto room = std::find_if(gpus.begin(), gpus.end(), [&](const ShareGpu& gpu) {
        ShareGpu with = gpu;
        with.push_back(piece);
        return detail::total_share(with) <= kWholeGpuPct + kShareRounding &&
               !detail::exceeds_memory(with, type);
      });
      if (room == gpus.end()) {
        gpus.push_back({piece});
      } else {
        room->push_back(piece);
      }
    }
    Plan plan = detail::plan_of_shares(problem, type, gpus, reasons);
    plan.planner = "first_fit";
    return plan;
  }
};

}  // namespace

PlannerEntry first_fit_planner() {
  return {
      {"first_fit",
       "MPS shares by first-fit decreasing; interference does not count",
       "FFD+, a baseline of iGniter (TPDS 2023): the share that each workload needs alone, by "
       "iGniter's lower bound where there are coefficients, else the smallest profiled one; "
       "workloads too large for one GPU are split, which FFD+ lacks",
       {number_param("slo_share", 0.5, 0.01, 1,
                     "part of the SLO that one batch may take; the rest is for batches to fill"),
        integer_param("max_batch", 32, 1, 4096, "largest batch"),
        number_param("max_load", 0.9, 0.01, 1,
                     "used part of a whole GPU's throughput, for workloads that fill several")}},
      []() -> std::unique_ptr<Planner> { return std::make_unique<FirstFit>(); }};
}

}  // namespace tangram
