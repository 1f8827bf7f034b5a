// Sizes of parts, and from parts to a plan.
#include "policies/planners/detail/share_pieces.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "policies/placement.h"
#include "workloads/workload.h"

namespace tangram::detail {
namespace {

constexpr double kSlack = 1e-9;  // of rates that were added up

// A batch on a share, and what it takes there alone.
struct Point {
  std::uint32_t batch = 1;
  double share_pct = 100;
  double latency_ms = 0;
  double throughput_rps = 0;
};

// Sizes parts of one workload.
class Sizer {
 public:
  Sizer(const Profile& profile, const GpuType& type, double budget_ms, const ShareSizing& sizing)
      : profile_(profile), type_(type), budget_ms_(budget_ms), sizing_(sizing) {}

  // The smallest share that carries the rate within the budget.
  std::optional<Point> smallest(double rate_rps) const {
    return profile_.igniter ? by_formula(rate_rps) : by_table(rate_rps);
  }

  // The largest batch that keeps the budget on a whole GPU.
  std::optional<Point> whole() const {
    std::optional<Point> best;
    const std::uint32_t largest = largest_batch(Share{ShareKind::kPercent, 100});
    for (std::uint32_t batch = 1; batch <= largest; ++batch) {
      const Point point = at(batch, 100);
      if (point.latency_ms > budget_ms_) break;
      best = point;
    }
    return best;
  }

  double fastest_ms() const { return at(1, 100).latency_ms; }

 private:
  std::uint32_t largest_batch(const Share& share) const {
    const std::uint32_t known =
        profile_.igniter ? profile_.igniter->max_batch : usable_batch(profile_, share, 1);
    std::uint32_t batch = std::min(sizing_.max_batch, known);
    while (batch > 1 && exceeds_memory({{0, &profile_, 0, 0, batch, 0}}, type_)) --batch;
    return batch;
  }

  // Requires: a latency is known there.
  Point at(std::uint32_t batch, double share_pct) const {
    Point point{batch, share_pct, 0, 0};
    if (profile_.igniter) {
      const std::array<IgniterLoad, 1> alone{{{&*profile_.igniter, 1.0 * batch, share_pct}}};
      const IgniterPrediction prediction = predict_igniter(alone).front();
      point.latency_ms = prediction.latency_ms;
      point.throughput_rps = throughput_rps(prediction, batch, sizing_.overlap);
    } else {
      point.latency_ms =
          profile_.latency_ms(Share{ShareKind::kPercent, share_pct}, 1, batch).value_or(0);
      point.throughput_rps = batch * 1000.0 / std::max(point.latency_ms, 1e-6);
    }
    return point;
  }

  std::optional<Point> by_formula(double rate_rps) const {
    const IgniterModel& model = *profile_.igniter;
    const double wanted = sizing_.overlap ? igniter_batch(model, budget_ms_, rate_rps)
                                          : std::ceil(budget_ms_ * rate_rps / 1000);
    const double cap = largest_batch(Share{});
    const double batch = std::clamp(wanted, 1.0, cap);
    const double step = model.gpu.share_step_pct;
    double share = igniter_share_bound(model, budget_ms_, batch);
    if (!(share <= 100)) return std::nullopt;
    // Nothing left of the budget, or next to nothing to compute: the latency tells them apart.
    const bool check = share < step || sizing_.clock || wanted > cap;
    share = std::max(share, step);
    for (; share <= 100; share += step) {
      const Point point = at(static_cast<std::uint32_t>(batch), share);
      if (!check) return point;
      const bool keeps = point.latency_ms > 0 && point.latency_ms <= budget_ms_;
      if (keeps && point.throughput_rps >= rate_rps) return point;
    }
    return std::nullopt;
  }

  std::optional<Point> by_table(double rate_rps) const {
    for (const double share_pct : profiled_shares()) {
      const std::uint32_t largest = largest_batch(Share{ShareKind::kPercent, share_pct});
      for (std::uint32_t batch = 1; batch <= largest; ++batch) {
        const Point point = at(batch, share_pct);
        if (point.latency_ms <= budget_ms_ && point.throughput_rps >= rate_rps) return point;
      }
    }
    return std::nullopt;
  }

  std::vector<double> profiled_shares() const {
    std::vector<double> shares;
    for (const Profile::Setting& setting : profile_.settings()) {
      if (setting.processes != 1) continue;
      if (setting.share.kind == ShareKind::kPercent) shares.push_back(setting.share.amount);
      if (setting.share.kind == ShareKind::kWhole) shares.push_back(100);
    }
    std::sort(shares.begin(), shares.end());
    return shares;
  }

  const Profile& profile_;
  const GpuType& type_;
  double budget_ms_;
  const ShareSizing& sizing_;
};

// Appends the parts of one workload; returns why something is left, or "".
std::string add_pieces(const PlanningProblem& problem,
                       const GpuType& type,
                       const ShareSizing& sizing,
                       std::size_t w,
                       std::vector<SharePiece>& pieces) {
  const Workload& workload = problem.workloads[w];
  const std::optional<double> rate = mean_rate(workload.arrivals);
  if (!rate) return "its rate is not known";
  const Profile* profile = problem.profiles.find(workload.model, type.name);
  if (profile == nullptr) return fmt::format("no profile of {} on {}", workload.model, type.name);
  if (const auto why =
          why_not_run(problem.profiles, workload.model, type, Share{ShareKind::kPercent, 100})) {
    return *why;
  }
  const double budget_ms = to_ms(workload.slo) * sizing.slo_share;
  const Sizer sizer(*profile, type, budget_ms, sizing);
  const auto add = [&](const Point& point, double rate_rps) {
    pieces.push_back({w, profile, rate_rps, budget_ms, point.batch, point.share_pct});
  };
  double left = *rate;
  for (std::uint32_t gpus = 0; gpus <= problem.cluster.size(); ++gpus) {
    if (const auto point = sizer.smallest(left)) {
      add(*point, left);
      return "";
    }
    const std::optional<Point> whole = sizer.whole();
    if (!whole) {
      return fmt::format(
          "even a batch of 1 alone on a whole {} takes {:.4g} ms, more than {:.4g} ms, its part of "
          "the SLO",
          type.name, sizer.fastest_ms(), budget_ms);
    }
    const double usable = sizing.full_load * whole->throughput_rps;
    add(*whole, std::min(left, usable));
    if (left <= usable) return "";
    left -= usable;
  }
  return fmt::format("the cluster has no more GPUs of type {}", type.name);
}

PlanPartition share_partition(const Workload& workload, const SharePiece& piece) {
  PlanReplica replica;
  replica.workload = workload.name;
  replica.model = workload.model;
  replica.batch = piece.batch;
  replica.rate_rps = piece.rate_rps;
  PlanPartition partition;
  partition.share_pct = std::min(piece.share_pct, 100.0);
  if (piece.share_pct > 100) partition.released_share_pct = piece.share_pct;
  partition.replicas.push_back(std::move(replica));
  return partition;
}

// How the parts fare beside each other; nothing when some profile has no coefficients.
std::optional<std::string> forecast(const PlanningProblem& problem,
                                    const std::vector<ShareGpu>& gpus) {
  std::size_t parts = 0;
  std::size_t over = 0;
  double worst = 0;
  std::optional<SharePiece> worst_piece;
  for (ShareGpu gpu : gpus) {
    for (SharePiece& piece : gpu) {
      if (!piece.profile->igniter) return std::nullopt;
      piece.share_pct = std::min(piece.share_pct, 100.0);  // as in the plan
    }
    const std::vector<IgniterPrediction> predictions = predict_share_gpu(gpu);
    for (std::size_t i = 0; i < gpu.size(); ++i) {
      const double part = predictions[i].latency_ms / gpu[i].budget_ms;
      ++parts;
      over += part > 1 ? 1 : 0;
      if (worst_piece && part <= worst) continue;
      worst = part;
      worst_piece = gpu[i];
    }
  }
  if (!worst_piece) return std::nullopt;
  return fmt::format(
      "by iGniter's model {} of {} batches take longer beside their neighbours than their part of "
      "the SLO; the nearest to it, or furthest beyond, is {}: {:.4g} of {:.4g} ms",
      over, parts, problem.workloads[worst_piece->workload].name, worst * worst_piece->budget_ms,
      worst_piece->budget_ms);
}

}  // namespace

const GpuType& share_type_of(const PlanningProblem& problem) {
  const GpuType* found = nullptr;
  for (const GpuGroup& group : problem.cluster.gpus) {
    const bool is_profiled = std::any_of(
        problem.workloads.begin(), problem.workloads.end(), [&](const Workload& workload) {
          return problem.profiles.find(workload.model, group.type) != nullptr;
        });
    const GpuType* type = find_gpu_type(group.type, problem.cluster.own_types);
    TANGRAM_CHECK(type != nullptr, "unknown GPU type ", group.type);
    if (!is_profiled || type == found) continue;
    if (found != nullptr) {
      throw NoAnswer(
          fmt::format("this planner shares GPUs of one type, and the workloads have profiles for "
                      "two of the cluster: {} and {}",
                      found->name, type->name));
    }
    found = type;
  }
  if (found == nullptr) throw NoAnswer("no workload has a profile for any GPU of the cluster");
  return *found;
}

std::vector<SharePiece> share_pieces(const PlanningProblem& problem,
                                     const GpuType& type,
                                     const ShareSizing& sizing,
                                     std::vector<std::string>& reasons) {
  std::vector<SharePiece> pieces;
  reasons.resize(problem.workloads.size());
  for (std::size_t w = 0; w < problem.workloads.size(); ++w) {
    reasons[w] = add_pieces(problem, type, sizing, w, pieces);
  }
  return pieces;
}

std::vector<std::uint32_t> indices_of(const Cluster& cluster, const std::string& type) {
  std::vector<std::uint32_t> indices;
  std::uint32_t first = 0;
  for (const GpuGroup& group : cluster.gpus) {
    for (std::uint32_t i = 0; i < group.count && group.type == type; ++i) {
      indices.push_back(first + i);
    }
    first += group.count;
  }
  return indices;
}

void list_unserved(const PlanningProblem& problem,
                   const GpuType& type,
                   const std::vector<double>& carried,
                   const std::vector<std::string>& reasons,
                   Plan& plan) {
  for (std::size_t w = 0; w < carried.size(); ++w) {
    const double rate = mean_rate(problem.workloads[w].arrivals).value_or(0);
    if (carried[w] > 0 && carried[w] >= rate * (1 - kSlack)) continue;
    plan.unserved.push_back({problem.workloads[w].name, std::max(0.0, rate - carried[w]),
                             reasons[w].empty()
                                 ? fmt::format("the cluster has no more GPUs of type {}", type.name)
                                 : reasons[w]});
  }
}

double throughput_rps(const IgniterPrediction& prediction, double batch, bool overlap) {
  return overlap ? prediction.throughput_rps : batch * 1000 / prediction.latency_ms;
}

double total_share(const ShareGpu& gpu) {
  double total = 0;
  for (const SharePiece& piece : gpu) total += piece.share_pct;
  return total;
}

bool exceeds_memory(const ShareGpu& gpu, const GpuType& type) {
  double needed = 0;
  for (const SharePiece& piece : gpu) {
    needed += memory_mib(*piece.profile, 1, piece.batch).value_or(0);
  }
  const std::optional<double> there = memory_of_mib(type, Share{});
  return there && needed > *there;
}

std::vector<IgniterPrediction> predict_share_gpu(const ShareGpu& gpu) {
  std::vector<IgniterLoad> loads;
  for (const SharePiece& piece : gpu) {
    loads.push_back({&*piece.profile->igniter, 1.0 * piece.batch, piece.share_pct});
  }
  return predict_igniter(loads);
}

Plan plan_of_shares(const PlanningProblem& problem,
                    const GpuType& type,
                    const std::vector<ShareGpu>& gpus,
                    const std::vector<std::string>& reasons) {
  Plan plan;
  std::vector<double> carried(problem.workloads.size(), 0.0);
  const std::vector<std::uint32_t> indices = indices_of(problem.cluster, type.name);
  for (std::size_t g = 0; g < std::min(gpus.size(), indices.size()); ++g) {
    PlanGpu gpu{indices[g], type.name, GpuMode::kMps, {}};
    for (const SharePiece& piece : gpus[g]) {
      gpu.partitions.push_back(share_partition(problem.workloads[piece.workload], piece));
      carried[piece.workload] += piece.rate_rps;
    }
    if (!gpu.partitions.empty()) plan.gpus.push_back(std::move(gpu));
  }
  list_unserved(problem, type, carried, reasons, plan);
  if (const auto note = forecast(problem, gpus)) plan.notes.push_back(*note);
  return plan;
}

}  // namespace tangram::detail
