// iGniter (Xu et al., TPDS 2023): each workload goes to the GPU where its share, and what its
// neighbours need on top because of it, is least by an analytic model of interference.
// docs/model/planners/igniter.md says what differs from the released program.
#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "policies/planners/detail/share_pieces.h"

namespace tangram {
namespace {

using detail::kShareRounding;
using detail::kWholeGpuPct;
using detail::ShareGpu;
using detail::SharePiece;

bool fits(const ShareGpu& gpu) {
  return detail::total_share(gpu) <= kWholeGpuPct + kShareRounding;
}

// Gives a step to everyone who is late or too slow, until nobody is. False: the GPU is not enough.
bool grow(ShareGpu& gpu, bool overlap) {
  while (fits(gpu)) {
    bool is_changed = false;
    const std::vector<IgniterPrediction> predictions = detail::predict_share_gpu(gpu);
    for (std::size_t i = 0; i < gpu.size(); ++i) {
      const IgniterPrediction& p = predictions[i];
      const bool in_time = p.latency_ms > 0 && p.latency_ms <= gpu[i].budget_ms;
      const bool keeps_up = detail::throughput_rps(p, gpu[i].batch, overlap) >=
                            gpu[i].rate_rps * (1 - kShareRounding);
      if (in_time && keeps_up) continue;
      gpu[i].share_pct += gpu[i].profile->igniter->gpu.share_step_pct;
      is_changed = true;
    }
    if (!is_changed) return true;
  }
  return false;
}

// The open GPU that the part costs least, as it looks with the part on it.
void place(const SharePiece& piece,
           const GpuType& type,
           bool overlap,
           std::vector<ShareGpu>& gpus) {
  double least = kWholeGpuPct + 1;
  std::size_t chosen = gpus.size();
  ShareGpu with;
  for (std::size_t g = 0; g < gpus.size(); ++g) {
    ShareGpu tried = gpus[g];
    tried.push_back(piece);
    if (!fits(tried) || detail::exceeds_memory(tried, type) || !grow(tried, overlap)) {
      continue;
    }
    const double added = detail::total_share(tried) - detail::total_share(gpus[g]);
    if (added >= least) continue;
    least = added;
    chosen = g;
    with = std::move(tried);
  }
  if (chosen == gpus.size()) {
    gpus.push_back({piece});
  } else {
    gpus[chosen] = std::move(with);
  }
}

class Igniter final : public Planner {
 public:
  Plan plan(const PlanningProblem& problem) const override {
    const GpuType& type = detail::share_type_of(problem);
    detail::ShareSizing sizing;
    sizing.slo_share = problem.params.number("slo_share");
    sizing.max_batch = static_cast<std::uint32_t>(problem.params.integer("max_batch"));
    sizing.full_load = problem.params.number("max_load");
    sizing.overlap = problem.params.boolean("overlap_copies");
    std::vector<std::string> reasons;
    std::vector<SharePiece> pieces = detail::share_pieces(problem, type, sizing, reasons);
    std::erase_if(pieces, [&](const SharePiece& piece) {
      if (piece.profile->igniter) return false;
      reasons[piece.workload] =
          fmt::format("no iGniter coefficients of {} on {}", piece.profile->model, type.name);
      return true;
    });
    std::stable_sort(pieces.begin(), pieces.end(), [](const SharePiece& a, const SharePiece& b) {
      return a.share_pct > b.share_pct;
    });
    std::vector<ShareGpu> gpus;
    for (const SharePiece& piece : pieces) place(piece, type, sizing.overlap, gpus);
    Plan plan = detail::plan_of_shares(problem, type, gpus, reasons);
    plan.planner = "igniter";
    return plan;
  }
};

}  // namespace

PlannerEntry igniter_planner() {
  return {
      {"igniter",
       "MPS shares sized and placed by predicted interference (scheduler, L2 cache, clock)",
       "iGniter (Xu et al., TPDS 2023) with the released program's defects mended; needs "
       "iGniter coefficients (tangram profile import --from igniter); "
       "docs/model/planners/igniter.md",
       {number_param("slo_share", 0.5, 0.01, 1,
                     "part of the SLO that one batch may take; the rest is for batches to fill"),
        integer_param("max_batch", 32, 1, 4096, "largest batch; 32 was the largest profiled"),
        number_param("max_load", 0.9, 0.01, 1,
                     "used part of a whole GPU's throughput, for workloads that fill several"),
        bool_param("overlap_copies", true,
                   "a batch is copied in while the one before computes, as in iGniter's runtime; "
                   "false suits the simulator and the engine, which do one after the other")}},
      []() -> std::unique_ptr<Planner> { return std::make_unique<Igniter>(); }};
}

}  // namespace tangram
