// iGniter's released planner (igniter-algorithm.py of 2023), defects included: no check of what a
// share or a batch can be, whole GPUs for what is too large, and a wrong batch on these.
#include <algorithm>
#include <array>
#include <cmath>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "policies/planners/detail/share_pieces.h"

namespace tangram {
namespace {

using detail::kWholeGpuPct;
using detail::ShareGpu;
using detail::SharePiece;

constexpr int kLargestProbe = 32;      // batches that are tried on a whole GPU
constexpr double kUsablePart = 0.9;    // of its throughput
constexpr double kLargestBatch = 1e9;  // beyond it the original works on, with no meaning left

// Whole GPUs that a workload too large for one takes first.
struct WholeGpu {
  std::size_t work;
  std::size_t probe;  // the largest batch in time
  double rate_rps;
};

class Released {
 public:
  Released(const PlanningProblem& problem, const GpuType& type, std::vector<std::string>& reasons) {
    for (std::size_t w = 0; w < problem.workloads.size(); ++w) {
      const Workload& workload = problem.workloads[w];
      const std::optional<double> rate = mean_rate(workload.arrivals);
      const Profile* profile = problem.profiles.find(workload.model, type.name);
      if (!rate || *rate <= 0) {
        reasons[w] = "its rate is not known";
      } else if (profile == nullptr || !profile->igniter) {
        reasons[w] = fmt::format("no iGniter coefficients of {} on {}", workload.model, type.name);
      } else {
        work_.push_back({w, profile, *rate, to_ms(workload.slo) / 2, 1, 0});
        names_.push_back(workload.name);
      }
    }
  }

  std::vector<ShareGpu> run(std::size_t most_gpus) {
    size();
    for (std::size_t i = 0; i < work_.size(); ++i) {
      if (work_[i].share_pct > kWholeGpuPct) take_whole_gpus(i, most_gpus);
    }
    size();
    place();
    return result();
  }

 private:
  const IgniterModel& model(std::size_t i) const { return *work_[i].profile->igniter; }

  // Batch and lower bound of the share of every workload.
  void size() {
    for (std::size_t i = 0; i < work_.size(); ++i) {
      SharePiece& w = work_[i];
      const double batch = igniter_batch(model(i), w.budget_ms, w.rate_rps);
      w.share_pct = igniter_share_bound(model(i), w.budget_ms, batch);
      if (!std::isfinite(w.share_pct) || !(batch <= kLargestBatch)) {
        throw NoAnswer(
            fmt::format("the released program crashes on {}: its lower bound of the "
                        "share is no number",
                        names_[i]));
      }
      w.batch = static_cast<std::uint32_t>(batch);
    }
  }

  void take_whole_gpus(std::size_t i, std::size_t most_gpus) {
    SharePiece& w = work_[i];
    std::size_t probe = 0;
    double rate_rps = 0;
    for (int batch = 1; batch <= kLargestProbe; ++batch) {
      const std::array<IgniterLoad, 1> alone{{{&model(i), 1.0 * batch, kWholeGpuPct}}};
      const IgniterPrediction prediction = predict_igniter(alone).front();
      if (!(prediction.latency_ms < w.budget_ms)) break;
      probe = static_cast<std::size_t>(batch);
      rate_rps = prediction.throughput_rps;
    }
    // The original goes on with a share of more than one GPU.
    if (probe == 0) return;
    rate_rps = std::ceil(rate_rps * kUsablePart);
    while (w.rate_rps > rate_rps) {
      // It would go on until there is memory no more; a cluster has an end.
      if (whole_.size() > most_gpus) {
        throw NoAnswer(
            fmt::format("the released program gives {} more whole GPUs than the cluster "
                        "has",
                        names_[i]));
      }
      whole_.push_back({i, probe, rate_rps});
      w.rate_rps -= rate_rps;
    }
  }

  // Largest lower bound first, each where it takes least.
  void place() {
    std::vector<std::size_t> order(work_.size());
    for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
    std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
      return work_[a].share_pct > work_[b].share_pct;
    });
    gpus_.resize(1);
    for (const std::size_t i : order) {
      double least = kWholeGpuPct + 1;
      std::size_t chosen = gpus_.size();
      ShareGpu with;
      for (std::size_t g = 0; g < gpus_.size(); ++g) {
        ShareGpu tried = gpus_[g];
        tried.push_back(work_[i]);
        grow(tried);
        const double added = detail::total_share(tried) - detail::total_share(gpus_[g]);
        if (detail::total_share(tried) > kWholeGpuPct || !(added < least)) continue;
        least = added;
        chosen = g;
        with = std::move(tried);
      }
      if (chosen == gpus_.size()) {
        gpus_.push_back({work_[i]});  // as it is, in time or not
      } else {
        gpus_[chosen] = std::move(with);
      }
    }
  }

  // A step for everyone who is late, until nobody is or the GPU is full.
  static void grow(ShareGpu& gpu) {
    bool is_changed = true;
    while (is_changed && detail::total_share(gpu) <= kWholeGpuPct) {
      is_changed = false;
      const std::vector<IgniterPrediction> predictions = detail::predict_share_gpu(gpu);
      for (std::size_t i = 0; i < gpu.size(); ++i) {
        if (!(predictions[i].latency_ms > gpu[i].budget_ms)) continue;
        gpu[i].share_pct += gpu[i].profile->igniter->gpu.share_step_pct;
        is_changed = true;
      }
    }
  }

  // What it writes: GPUs up to the first empty one, then the whole GPUs.
  std::vector<ShareGpu> result() const {
    std::vector<ShareGpu> written;
    for (const ShareGpu& gpu : gpus_) {
      if (gpu.empty()) break;
      for (const SharePiece& piece : gpu) {
        if (piece.share_pct > 0) continue;
        throw NoAnswer(fmt::format(
            "the released program gives {} a share of {:g} %: copies and scheduling of a batch of "
            "{} leave nothing of half its SLO",
            name_of(piece), piece.share_pct, piece.batch));
      }
      written.push_back(gpu);
    }
    for (const WholeGpu& whole : whole_) {
      // It looks the batch up in the list of the workloads' batches.
      if (whole.probe >= work_.size()) {
        throw NoAnswer(fmt::format(
            "the released program crashes: {} fills whole GPUs with a batch of {}, which it looks "
            "up in a list of {} batches",
            names_[whole.work], whole.probe, work_.size()));
      }
      SharePiece piece = work_[whole.work];
      piece.rate_rps = whole.rate_rps;
      piece.share_pct = kWholeGpuPct;
      piece.batch = work_[whole.probe].batch;
      written.push_back({piece});
    }
    return written;
  }

  const std::string& name_of(const SharePiece& piece) const {
    std::size_t i = 0;
    while (work_[i].workload != piece.workload) ++i;
    return names_[i];
  }

  std::vector<SharePiece> work_;  // in the workloads' order
  std::vector<std::string> names_;
  std::vector<WholeGpu> whole_;
  std::vector<ShareGpu> gpus_;
};

class IgniterReleased final : public Planner {
 public:
  Plan plan(const PlanningProblem& problem) const override {
    const GpuType& type = detail::share_type_of(problem);
    std::vector<std::string> reasons(problem.workloads.size());
    Released released(problem, type, reasons);
    const std::vector<ShareGpu> gpus = released.run(problem.cluster.size());
    if (gpus.empty()) {
      throw NoAnswer(
          "the released program writes no plan: some workload needs more than a whole GPU, and "
          "nothing is on its first GPU, where it stops writing");
    }
    for (std::size_t w = 0; w < reasons.size() && gpus.size() <= problem.cluster.size(); ++w) {
      if (reasons[w].empty()) reasons[w] = "the released program writes it into no plan";
    }
    Plan plan = detail::plan_of_shares(problem, type, gpus, reasons);
    plan.planner = "igniter_released";
    return plan;
  }
};

}  // namespace

PlannerEntry igniter_released_planner() {
  return {{"igniter_released",
           "MPS shares by predicted interference as iGniter's released planner gives them, defects "
           "included",
           "iGniter (Xu et al., TPDS 2023), released code of 2023; needs iGniter coefficients "
           "(tangram profile import --from igniter); no batch cap and no memory check, as its "
           "original; a share above 100 % becomes 100 with the original in released_share_pct, and "
           "a crash of the original is no answer",
           {}},
          []() -> std::unique_ptr<Planner> { return std::make_unique<IgniterReleased>(); }};
}

}  // namespace tangram
