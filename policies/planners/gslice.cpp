// GSLICE (Dhakal et al., SoCC 2020) as iGniter's authors wrote it down for their comparison: each
// workload watches its own latency and throughput and corrects its batch and its share by the
// relative slack. What it would watch on a GPU is predicted here.
#include <algorithm>
#include <cmath>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "policies/placement.h"
#include "policies/planners/detail/share_pieces.h"

namespace tangram {
namespace {

using detail::kShareRounding;
using detail::kWholeGpuPct;
using detail::ShareGpu;
using detail::SharePiece;

constexpr double kFirstShare = 30;
constexpr double kLeastShare = 1;
constexpr int kRounds = 5;
constexpr double kEnoughSlack = 0.1;  // of slack

struct Observed {
  double latency_ms = 0;
  double throughput_rps = 0;
};

// What is known of a model where there is a table instead of a formula. Requires: a latency for the
// whole GPU, which may be known as that of its largest instance.
class Table {
 public:
  explicit Table(const Profile& profile) : profile_(profile) {
    for (const Profile::Setting& setting : profile.settings()) {
      if (setting.processes != 1) continue;
      if (setting.share.kind == ShareKind::kPercent) shares_.push_back(setting.share.amount);
      if (setting.share.kind == ShareKind::kWhole) shares_.push_back(kWholeGpuPct);
    }
    shares_.push_back(kWholeGpuPct);
    std::sort(shares_.begin(), shares_.end());
  }
  // The smallest profiled share that is no smaller.
  double at_least(double share_pct) const {
    return *std::lower_bound(shares_.begin(), shares_.end(), share_pct - kShareRounding);
  }
  Observed observe(double share_pct, std::uint32_t batch, bool is_alone) const {
    const Share share{ShareKind::kPercent, share_pct};
    const std::uint32_t run = std::min(batch, usable_batch(profile_, share, 1));
    const double factor = is_alone ? 1 : profile_.interference_factor.value_or(1);
    const double latency_ms =
        std::max(profile_.latency_ms(share, 1, run).value_or(0) * factor, 1e-6);
    return {latency_ms, run * 1000.0 / latency_ms};
  }

 private:
  const Profile& profile_;
  std::vector<double> shares_;
};

class Tuner {
 public:
  explicit Tuner(std::uint32_t max_batch) : max_batch_(max_batch) {}

  // Lets the parts of a GPU tune themselves from the start.
  void tune(ShareGpu& gpu) const {
    for (SharePiece& piece : gpu) {
      piece.batch = 1;
      piece.share_pct = legal_share(piece, kFirstShare);
    }
    for (int round = 0; round < kRounds; ++round) {
      tune_batches(gpu);
      if (!tune_shares(gpu)) break;
    }
    tune_batches(gpu);
  }

  std::vector<Observed> observe(const ShareGpu& gpu) const {
    std::vector<Observed> result;
    const bool by_model = std::all_of(gpu.begin(), gpu.end(), [](const SharePiece& piece) {
      return piece.profile->igniter.has_value();
    });
    if (by_model) {
      for (const IgniterPrediction& p : detail::predict_share_gpu(gpu)) {
        result.push_back({p.latency_ms, p.throughput_rps});
      }
      return result;
    }
    for (const SharePiece& piece : gpu) {
      const double share = legal_share(piece, piece.share_pct);
      result.push_back(Table(*piece.profile).observe(share, piece.batch, gpu.size() == 1));
    }
    return result;
  }

 private:
  static double legal_share(const SharePiece& piece, double share_pct) {
    const double share = std::clamp(share_pct, kLeastShare, kWholeGpuPct);
    return piece.profile->interpolation == Interpolation::kIgniter
               ? share
               : Table(*piece.profile).at_least(share);
  }

  // Up to kRounds steps; the released loop stops when no batch changes.
  void tune_batches(ShareGpu& gpu) const {
    for (int step = 0; step < kRounds; ++step) {
      const std::vector<Observed> seen = observe(gpu);
      bool is_changed = false;
      for (std::size_t i = 0; i < gpu.size(); ++i) {
        const std::uint32_t before = gpu[i].batch;
        gpu[i].batch = next_batch(gpu[i], seen[i]);
        is_changed = is_changed || gpu[i].batch != before;
      }
      if (!is_changed) return;
    }
  }

  std::uint32_t next_batch(const SharePiece& piece, const Observed& seen) const {
    const double slack_ms = piece.budget_ms - seen.latency_ms;
    const double part = slack_ms / piece.budget_ms;
    if (part >= 0 && part < kEnoughSlack) return piece.batch;
    // A relative change by |slack| / latency, up or down.
    const double next = piece.batch * (1 + slack_ms / seen.latency_ms);
    return static_cast<std::uint32_t>(std::ceil(std::clamp(next, 1.0, 1.0 * max_batch_)));
  }

  bool tune_shares(ShareGpu& gpu) const {
    const std::vector<Observed> seen = observe(gpu);
    bool is_changed = false;
    for (std::size_t i = 0; i < gpu.size(); ++i) {
      const double before = gpu[i].share_pct;
      gpu[i].share_pct = legal_share(gpu[i], next_share(gpu[i], seen[i]));
      is_changed = is_changed || gpu[i].share_pct != before;
    }
    return is_changed;
  }

  static double next_share(const SharePiece& piece, const Observed& seen) {
    const double slack_ms = piece.budget_ms - seen.latency_ms;
    const double slack_rps = seen.throughput_rps - piece.rate_rps;
    const double part_ms = slack_ms / piece.budget_ms;
    const double part_rps = slack_rps / piece.rate_rps;
    const auto is_enough = [](double part) { return part >= 0 && part < kEnoughSlack; };
    if (is_enough(part_ms) && is_enough(part_rps)) return piece.share_pct;
    const double change =
        std::max(std::abs(slack_ms) / seen.latency_ms, std::abs(slack_rps) / seen.throughput_rps);
    const bool lacks = slack_ms < 0 || slack_rps < 0;
    return piece.share_pct * (lacks ? 1 + change : 1 - change);
  }

  std::uint32_t max_batch_;
};

class Gslice final : public Planner {
 public:
  Plan plan(const PlanningProblem& problem) const override {
    const GpuType& type = detail::share_type_of(problem);
    const Tuner tuner(static_cast<std::uint32_t>(problem.params.integer("max_batch")));
    std::vector<std::string> reasons(problem.workloads.size());
    std::vector<SharePiece> waiting;
    for (std::size_t w = 0; w < problem.workloads.size(); ++w) {
      reasons[w] = add_pieces(problem, type, tuner, w, waiting);
    }
    std::vector<ShareGpu> gpus;
    while (!waiting.empty() && gpus.size() < problem.cluster.size()) {
      gpus.push_back(fill(tuner, type, waiting));
    }
    Plan plan = detail::plan_of_shares(problem, type, gpus, reasons);
    plan.planner = "gslice";
    return plan;
  }

 private:
  // One part, or as many equal ones as it takes until each carries its part of the rate.
  static std::string add_pieces(const PlanningProblem& problem,
                                const GpuType& type,
                                const Tuner& tuner,
                                std::size_t w,
                                std::vector<SharePiece>& pieces) {
    const Workload& workload = problem.workloads[w];
    const std::optional<double> rate = mean_rate(workload.arrivals);
    if (!rate) return "its rate is not known";
    if (const auto why = why_not_run(problem.profiles, workload.model, type,
                                     Share{ShareKind::kPercent, kWholeGpuPct})) {
      return *why;
    }
    const Profile* profile = problem.profiles.find(workload.model, type.name);
    const double budget_ms = to_ms(workload.slo) * problem.params.number("slo_share");
    const ShareGpu fastest{{w, profile, *rate, budget_ms, 1, kWholeGpuPct}};
    const double least_ms = tuner.observe(fastest).front().latency_ms;
    if (least_ms > budget_ms) {
      return fmt::format(
          "even a batch of 1 alone on a whole {} takes {:.4g} ms, more than {:.4g} ms, its part of "
          "the SLO",
          type.name, least_ms, budget_ms);
    }
    for (std::uint32_t parts = 1; parts <= problem.cluster.size(); ++parts) {
      ShareGpu alone{{w, profile, *rate / parts, budget_ms, 1, kFirstShare}};
      tuner.tune(alone);
      if (!carries(tuner, alone) || detail::exceeds_memory(alone, type)) continue;
      pieces.insert(pieces.end(), parts, alone.front());
      return "";
    }
    return fmt::format("all {} GPUs of the cluster do not carry it", problem.cluster.size());
  }

  static bool carries(const Tuner& tuner, const ShareGpu& gpu) {
    const std::vector<Observed> seen = tuner.observe(gpu);
    for (std::size_t i = 0; i < gpu.size(); ++i) {
      if (seen[i].throughput_rps < gpu[i].rate_rps * (1 - kShareRounding)) return false;
    }
    return true;
  }

  // The next GPU: of the waiting parts, in their order, those with which all still fit once tuned.
  static ShareGpu fill(const Tuner& tuner, const GpuType& type, std::vector<SharePiece>& waiting) {
    ShareGpu gpu;
    std::vector<SharePiece> left;
    for (const SharePiece& piece : waiting) {
      ShareGpu with = gpu;
      with.push_back(piece);
      tuner.tune(with);
      const bool fits = detail::total_share(with) <= kWholeGpuPct + kShareRounding &&
                        carries(tuner, with) && !detail::exceeds_memory(with, type);
      // Alone it was found to fit.
      if (fits || gpu.empty()) {
        gpu = std::move(with);
      } else {
        left.push_back(piece);
      }
    }
    waiting = std::move(left);
    return gpu;
  }
};

}  // namespace

PlannerEntry gslice_planner() {
  return {{"gslice",
           "MPS shares and batches that tune themselves by the slack of latency and throughput",
           "GSLICE (Dhakal et al., SoCC 2020) as iGniter's authors (TPDS 2023) re-implemented it; "
           "GPUs are filled in the order of the workloads and the shares of one add up to 100 % at "
           "most, which is ours; docs/model/planners/igniter.md",
           {number_param("slo_share", 0.5, 0.01, 1, "part of the SLO that one batch may take"),
            integer_param("max_batch", 32, 1, 4096, "largest batch")}},
          []() -> std::unique_ptr<Planner> { return std::make_unique<Gslice>(); }};
}

}  // namespace tangram
