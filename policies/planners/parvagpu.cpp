// ParvaGPU's two steps (SC'24) done right: legal cuts, exact credit for what is taken out, splits
// that are undone unless they free a GPU, no limits, time linear in the segments.
// docs/model/planners/parvagpu.md has the rule and the departures.
#include <algorithm>
#include <cmath>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "policies/planners/detail/mig_cuts.h"
#include "policies/planners/detail/mig_demand.h"
#include "policies/planners/detail/mig_services.h"
#include "policies/registry.h"

namespace tangram {
namespace {

using detail::MigCuts;
using detail::MigDemand;
using detail::MigGpu;
using detail::MigSegment;

constexpr double kMostSegments = 1e7;

// GPUs being filled, found by their cut.
class Packing {
 public:
  explicit Packing(const MigCuts& cuts) : cuts_(cuts), by_cut_(cuts.cuts().size()) {}

  // Puts the segment where the fewest slices stay free, on the first such GPU. `may_strand`: a cut
  // that leaves slices nobody can use (3+3) is allowed. Returns the GPU, or nullopt when none in
  // use has room and `may_open` is false.
  std::optional<std::size_t> add(const MigSegment& segment,
                                 std::size_t size,
                                 bool may_strand,
                                 bool may_open) {
    for (std::size_t to = 0; to < by_cut_.size(); ++to) {
      const std::optional<std::size_t> from = cuts_.without(to, size);
      if (!from || (*from == cuts_.empty() ? !may_open : by_cut_[*from].empty())) continue;
      if (!may_strand && strands(to) && !strands(*from)) continue;
      const std::size_t gpu = *from == cuts_.empty() ? open() : *by_cut_[*from].begin();
      gpus_[gpu].push_back(segment);
      move(gpu, to);
      return gpu;
    }
    return std::nullopt;
  }
  void remove_last(std::size_t gpu, std::size_t size) {
    gpus_[gpu].pop_back();
    move(gpu, *cuts_.without(cut_[gpu], size));
  }
  // Takes the GPU out of the choice and returns what was on it.
  MigGpu close(std::size_t gpu) {
    by_cut_[cut_[gpu]].erase(gpu);
    return std::exchange(gpus_[gpu], {});
  }
  void reopen(std::size_t gpu, MigGpu segments) {
    by_cut_[cut_[gpu]].insert(gpu);
    gpus_[gpu] = std::move(segments);
  }

  bool strands(std::size_t cut) const { return cuts_.cuts()[cut].stranded(cuts_.slices()) > 0; }
  std::size_t cut_of(std::size_t gpu) const { return cut_[gpu]; }
  int used(std::size_t gpu) const { return cuts_.cuts()[cut_[gpu]].used; }
  const std::vector<MigGpu>& gpus() const { return gpus_; }

 private:
  std::size_t open() {
    gpus_.emplace_back();
    cut_.push_back(cuts_.empty());
    return gpus_.size() - 1;
  }
  void move(std::size_t gpu, std::size_t to) {
    if (cut_[gpu] != cuts_.empty()) by_cut_[cut_[gpu]].erase(gpu);
    cut_[gpu] = to;
    if (to != cuts_.empty()) by_cut_[to].insert(gpu);
  }

  const MigCuts& cuts_;
  std::vector<MigGpu> gpus_;
  std::vector<std::size_t> cut_;               // of each GPU
  std::vector<std::set<std::size_t>> by_cut_;  // GPUs in use
};

// One run of both steps of the allocator.
class SegmentAllocator {
 public:
  SegmentAllocator(const MigCuts& cuts, const std::vector<MigDemand>& demands)
      : cuts_(cuts), demands_(demands), packing_(cuts), capacity_(demands.size(), 0.0) {}

  // Places n segments of the optimal size and the last one of each demand, the largest sizes first.
  // At most `strandings` GPUs get a cut that strands slices.
  void place_all(const std::vector<std::vector<std::size_t>>& counts, std::size_t strandings) {
    for (std::size_t s = cuts_.sizes().size(); s-- > 0;) {
      for (const std::size_t d : hardest_to_split()) {
        for (std::size_t i = 0; i < counts[d][s]; ++i) {
          const MigSegment segment = demands_[d].segment(s);
          const std::size_t gpu = *packing_.add(segment, s, strandings > 0, true);
          if (packing_.strands(packing_.cut_of(gpu))) --strandings;
          capacity_[d] += segment.capacity_rps;
        }
      }
    }
  }

  // From the last GPU to the first: one with at most `split_at_most` slices in use is emptied where
  // pieces that carry its demand fit on the others.
  void split(int split_at_most) {
    for (std::size_t g = packing_.gpus().size(); g-- > 0;) {
      if (packing_.used(g) <= split_at_most) try_to_empty(g);
    }
  }

  std::vector<MigGpu> gpus() const {
    std::vector<MigGpu> result = packing_.gpus();
    std::erase_if(result, [](const MigGpu& gpu) { return gpu.empty(); });
    return result;
  }

 private:
  // Demands by what other sizes carry per slice beside the densest, least first: the GPUs at the
  // end are split, so the demands that lose least by it belong there.
  std::vector<std::size_t> hardest_to_split() const {
    std::vector<std::pair<double, std::size_t>> kept;
    for (std::size_t d = 0; d < demands_.size(); ++d) {
      const MigDemand& demand = demands_[d];
      double other = 0;
      for (std::size_t s = 0; s < cuts_.sizes().size(); ++s) {
        if (s == demand.densest || !demand.best[s]) continue;
        other = std::max(other, demand.best[s]->total_rps() / cuts_.sizes()[s]);
      }
      const double densest =
          demand.best[demand.densest]->total_rps() / cuts_.sizes()[demand.densest];
      kept.emplace_back(other / densest, d);
    }
    std::sort(kept.begin(), kept.end());
    std::vector<std::size_t> order;
    for (const auto& [share, d] : kept) order.push_back(d);
    return order;
  }

  struct Piece {
    std::size_t gpu, size, demand;
    double capacity_rps;
  };

  void try_to_empty(std::size_t g) {
    MigGpu taken = packing_.close(g);
    for (const MigSegment& segment : taken) {
      capacity_[demand_of(segment)] -= segment.capacity_rps;
    }
    std::vector<Piece> pieces;
    for (const MigSegment& segment : taken) {
      if (place_pieces(demand_of(segment), pieces)) continue;
      for (; !pieces.empty(); pieces.pop_back()) {
        packing_.remove_last(pieces.back().gpu, pieces.back().size);
        capacity_[pieces.back().demand] -= pieces.back().capacity_rps;
      }
      for (const MigSegment& back : taken) capacity_[demand_of(back)] += back.capacity_rps;
      packing_.reopen(g, std::move(taken));
      return;
    }
  }

  // Fills what the demand lacks with the sizes that fit somewhere, each time the one that carries
  // most of it per slice. Returns false when nothing fits.
  bool place_pieces(std::size_t d, std::vector<Piece>& pieces) {
    const MigDemand& demand = demands_[d];
    while (!detail::covers(capacity_[d], demand.rate_rps)) {
      const double lack = demand.rate_rps - capacity_[d];
      std::vector<std::pair<double, std::size_t>> order;  // carried per slice, size
      for (std::size_t s = 0; s < cuts_.sizes().size(); ++s) {
        if (!demand.best[s]) continue;
        const double carried = std::min(lack, demand.best[s]->total_rps());
        order.emplace_back(-carried / cuts_.sizes()[s], s);
      }
      std::sort(order.begin(), order.end());
      bool placed = false;
      for (std::size_t i = 0; i < order.size() && !placed; ++i) {
        const std::size_t s = order[i].second;
        const MigSegment segment = demand.segment(s);
        const std::optional<std::size_t> gpu = packing_.add(segment, s, false, false);
        if (!gpu) continue;
        pieces.push_back({*gpu, s, d, segment.capacity_rps});
        capacity_[d] += segment.capacity_rps;
        placed = true;
      }
      if (!placed) return false;
    }
    return true;
  }

  std::size_t demand_of(const MigSegment& segment) const {
    // Demands are in the order of the workloads, a few of which may be missing.
    const auto found = std::lower_bound(
        demands_.begin(), demands_.end(), segment.workload,
        [](const MigDemand& demand, std::uint32_t w) { return demand.workload < w; });
    return static_cast<std::size_t>(found - demands_.begin());
  }

  const MigCuts& cuts_;
  const std::vector<MigDemand>& demands_;
  Packing packing_;
  std::vector<double> capacity_;  // placed, by demand
};

// Segments of each size of one demand: as many of the densest size as it fills, and a last one of
// the smallest size that covers the rest.
std::vector<std::size_t> segment_counts(const MigCuts& cuts, const MigDemand& demand) {
  std::vector<std::size_t> counts(cuts.sizes().size(), 0);
  const double full = demand.best[demand.densest]->total_rps();
  const double needed = std::ceil(demand.rate_rps * (1 - 1e-9) / full);
  if (needed > kMostSegments) {
    throw NoAnswer(fmt::format("one workload alone would need {:.3g} segments", needed));
  }
  counts[demand.densest] = static_cast<std::size_t>(needed) - 1;
  const double rest = demand.rate_rps - (needed - 1) * full;
  for (std::size_t s = 0; s < counts.size(); ++s) {
    if (demand.best[s] && detail::covers(demand.best[s]->total_rps(), rest)) {
      ++counts[s];
      break;
    }
  }
  return counts;
}

std::size_t slices_of(const std::vector<MigGpu>& gpus) {
  int slices = 0;
  for (const MigGpu& gpu : gpus) {
    for (const MigSegment& segment : gpu) slices += segment.size;
  }
  return static_cast<std::size_t>(slices);
}

class Parvagpu final : public Planner {
 public:
  Plan plan(const PlanningProblem& problem) const override {
    const GpuType& type = detail::mig_type_of(problem.cluster);
    const MigCuts cuts(type);
    std::vector<std::string> reasons;
    const std::vector<MigDemand> demands =
        detail::mig_demands(problem, type, cuts,
                            {static_cast<std::uint32_t>(problem.params.integer("max_processes")),
                             problem.params.number("slo_share")},
                            reasons);
    const std::vector<MigGpu> gpus =
        allocate(cuts, demands, static_cast<int>(problem.params.integer("split_at_most")));
    Plan plan = detail::plan_of(problem, type, gpus, reasons);
    plan.planner = "parvagpu";
    if (std::optional<Plan> released = released_plan(problem, demands, cuts)) {
      const auto cost = [](const Plan& p) { return std::pair(p.gpus_used(), p.slices_used()); };
      if (plan.unserved.size() > released->unserved.size() || cost(*released) < cost(plan)) {
        return *std::move(released);
      }
    }
    return plan;
  }

 private:
  // The best of a few runs that differ in how many GPUs may hold two instances of 3: each strands
  // one slice, and each not made leaves a segment that must be split into less dense sizes.
  static std::vector<MigGpu> allocate(const MigCuts& cuts,
                                      const std::vector<MigDemand>& demands,
                                      int split_at_most) {
    std::vector<std::vector<std::size_t>> counts;
    std::size_t segments = 0;
    for (const MigDemand& demand : demands) {
      counts.push_back(segment_counts(cuts, demand));
      for (const std::size_t n : counts.back()) segments += n;
    }
    std::vector<MigGpu> best;
    constexpr std::size_t kRuns = 4;
    for (std::size_t run = 0; run <= kRuns; ++run) {
      SegmentAllocator allocator(cuts, demands);
      allocator.place_all(counts, segments * run / (2 * kRuns));
      allocator.split(split_at_most);
      std::vector<MigGpu> gpus = allocator.gpus();
      const auto cost = [](const std::vector<MigGpu>& g) {
        return std::pair(g.size(), slices_of(g));
      };
      if (run == 0 || cost(gpus) < cost(best)) best = std::move(gpus);
    }
    return best;
  }

  // The released scheduler's plan where it serves everything that we serve by points that we would
  // use; its rounding and its credits sometimes happen to pack better.
  static std::optional<Plan> released_plan(const PlanningProblem& problem,
                                           const std::vector<MigDemand>& demands,
                                           const MigCuts& cuts) {
    const PlannerEntry* entry = find_planner("parvagpu_released");
    const Params params({{"max_processes", problem.params.integer("max_processes")},
                         {"gpu_limit", std::int64_t{1'000'000}},
                         {"split", true}});
    try {
      Plan plan =
          entry->make()->plan({problem.workloads, problem.profiles, problem.cluster, params});
      if (!plan.lost.empty() || plan.unserved.size() + demands.size() > problem.workloads.size()) {
        return std::nullopt;
      }
      for (PlanGpu& gpu : plan.gpus) {
        for (PlanPartition& partition : gpu.partitions) {
          if (!uses_our_point(problem, demands, cuts, partition)) return std::nullopt;
          partition.released_start.reset();
        }
      }
      plan.planner = "parvagpu";
      return plan;
    } catch (const NoAnswer&) {
      return std::nullopt;
    }
  }

  static bool uses_our_point(const PlanningProblem& problem,
                             const std::vector<MigDemand>& demands,
                             const MigCuts& cuts,
                             const PlanPartition& partition) {
    const PlanReplica& replica = partition.replicas.front();
    for (const MigDemand& demand : demands) {
      if (problem.workloads[demand.workload].name != replica.workload) continue;
      for (std::size_t s = 0; s < cuts.sizes().size(); ++s) {
        const auto& best = demand.best[s];
        if (cuts.sizes()[s] == partition.size && best && best->batch == replica.batch &&
            best->processes == replica.processes) {
          return true;
        }
      }
    }
    return false;
  }
};

}  // namespace

PlannerEntry parvagpu_planner() {
  return {
      {"parvagpu",
       "MIG instances by ParvaGPU's rule: the densest point of each model, then a packing in which "
       "split instances fill holes",
       "ParvaGPU (SC'24), without the defects of its released code (parvagpu_released); departures "
       "in docs/model/planners/parvagpu.md",
       {integer_param("max_processes", 3, 1, 1024,
                      "processes on one instance, at most; 3 in the paper, for memory"),
        number_param("slo_share", 0.45, 0.01, 1,
                     "part of the SLO that one batch must stay below; 0.45 in the released code"),
        integer_param("split_at_most", 4, 0, 7,
                      "slices in use up to which a GPU is split; 4 in the released code")}},
      []() -> std::unique_ptr<Planner> { return std::make_unique<Parvagpu>(); }};
}

}  // namespace tangram
