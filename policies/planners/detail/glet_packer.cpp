// Elastic partitioning with every placement checked. See glet_packer.h.
#include "policies/planners/detail/glet_packer.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <limits>

#include <fmt/format.h>

#include "policies/placement.h"
#include "policies/planners/detail/glet_costs.h"
#include "profiles/gpu_type.h"

namespace tangram::detail {
namespace {

// Of a cut GPU: each has its complement among them.
constexpr std::array<int, 6> kGletSizes{20, 40, 50, 60, 80, 100};
constexpr double kLeastGain = 1.05;
// A rate below a millionth of a workload's own is none.
constexpr double kRateSlack = 1e-6;
constexpr double kMsSlack = 1e-9;

bool has_workload(const PackedGlet& glet, std::uint32_t w) {
  return std::any_of(glet.tasks.begin(), glet.tasks.end(),
                     [&](const PackedTask& task) { return task.workload == w; });
}

double slo_ms(const PlanningProblem& problem, std::uint32_t w) {
  return to_ms(problem.workloads[w].slo);
}

const PackedGlet* other_of(const PackedGpu& gpu, std::size_t glet) {
  return gpu.glets.size() < 2 ? nullptr : &gpu.glets[1 - glet];
}

}  // namespace

GletPacker::GletPacker(const PlanningProblem& problem,
                       PackOptions options,
                       std::vector<PackedGpu> gpus)
    : problem_(problem),
      options_(options),
      gpus_(std::move(gpus)),
      owed_(problem.workloads.size(), 0) {}

// --- Costs ---------------------------------------------------------------------------------------

std::optional<double> GletPacker::alone_ms(std::uint32_t w,
                                           const std::string& type,
                                           int size,
                                           std::uint32_t batch) const {
  const Profile* profile = problem_.profiles.find(problem_.workloads[w].model, type);
  if (profile == nullptr) return std::nullopt;
  const auto ms = profile->latency_ms({ShareKind::kPercent, static_cast<double>(size)}, 1, batch);
  if (!ms) return std::nullopt;
  const std::vector<double>& batching = profile->batching_ms;
  return *ms + (batch <= batching.size() ? batching[batch - 1] : 0);
}

// The linear model of gpulet on L2 and DRAM use, the largest over what runs beside.
double GletPacker::slowdown(std::uint32_t w,
                            std::uint32_t batch,
                            int size,
                            const std::string& type,
                            const PackedGlet* beside) const {
  if (!options_.interference || beside == nullptr) return 1;
  const auto use = [&](std::uint32_t workload, std::uint32_t its_batch) {
    const Profile* profile = problem_.profiles.find(problem_.workloads[workload].model, type);
    const auto known = profile == nullptr ? std::nullopt : profile->utilisation({}, 1, its_batch);
    if (!known) without_use_.insert(workload);
    return known;
  };
  const std::array<double, 5>& c = glet_coefficients(type);
  double worst = 1;
  for (const PackedTask& task : beside->tasks) {
    const auto own = use(w, batch);
    const auto other = use(task.workload, task.batch);
    if (!own || !other) continue;
    const double part = size / 100.0;
    const double other_part = beside->size / 100.0;
    worst = std::max(worst, c[0] * own->l2 * part + c[1] * other->l2 * other_part +
                                c[2] * own->dram * part + c[3] * other->dram * other_part + c[4]);
  }
  return worst;
}

std::optional<double> GletPacker::latency_ms(std::uint32_t w,
                                             std::uint32_t batch,
                                             int size,
                                             const std::string& type,
                                             const PackedGlet* beside) const {
  const auto alone = alone_ms(w, type, size, batch);
  if (!alone) return std::nullopt;
  const Profile* profile = problem_.profiles.find(problem_.workloads[w].model, type);
  const std::vector<double>& batching = profile->batching_ms;
  const double on_host = batch <= batching.size() ? batching[batch - 1] : 0;
  const double device = *alone - on_host;
  return (device * slowdown(w, batch, size, type, beside) + on_host) * options_.latency_ratio;
}

bool GletPacker::saturate(PackedGlet& glet,
                          const std::string& type,
                          const PackedGlet* beside,
                          std::uint32_t most) const {
  PackedTask& task = glet.tasks.front();
  for (std::uint32_t batch = most; batch > 0; --batch) {
    const auto ms = latency_ms(task.workload, batch, glet.size, type, beside);
    if (!ms || 2 * *ms > slo_ms(problem_, task.workload)) continue;
    task.batch = batch;
    task.rate_rps = std::min(task.rate_rps, batch * 1000 / *ms);
    glet.duty_ms = *ms;
    glet.is_saturated = true;
    return true;
  }
  return false;
}

bool GletPacker::fits_at(PackedGlet& glet,
                         const std::string& type,
                         const PackedGlet* beside,
                         double duty_ms) const {
  double sum = 0;
  double least_slo = std::numeric_limits<double>::infinity();
  for (PackedTask& task : glet.tasks) {
    // Rounded up, so that the rate is carried; b / rate itself must not become b + 1.
    const double batch = std::ceil(task.rate_rps * duty_ms / 1000 - kMsSlack);
    if (batch > options_.max_batch) return false;
    task.batch = std::max(1U, static_cast<std::uint32_t>(batch));
    const auto ms = latency_ms(task.workload, task.batch, glet.size, type, beside);
    if (!ms) return false;
    sum += *ms;
    least_slo = std::min(least_slo, slo_ms(problem_, task.workload));
  }
  return sum <= duty_ms + kMsSlack && sum + duty_ms <= least_slo + kMsSlack;
}

bool GletPacker::holds(PackedGlet glet, const std::string& type, const PackedGlet* beside) const {
  if (!glet.is_saturated) return glet.tasks.empty() || fits_at(glet, type, beside, glet.duty_ms);
  const PackedTask& task = glet.tasks.front();
  const auto ms = latency_ms(task.workload, task.batch, glet.size, type, beside);
  return ms && 2 * *ms <= slo_ms(problem_, task.workload) + kMsSlack &&
         task.rate_rps * *ms <= task.batch * 1000 * (1 + kMsSlack);
}

// Only duty cycles at which some task's batch is exactly full can be the longest feasible one.
bool GletPacker::fit(PackedGlet& glet, const std::string& type, const PackedGlet* beside) const {
  std::vector<double> duties;
  if (glet.duty_ms > 0) duties.push_back(glet.duty_ms);
  for (const PackedTask& task : glet.tasks) {
    for (std::uint32_t batch = 1; batch <= options_.max_batch; ++batch) {
      const double duty = batch * 1000 / task.rate_rps;
      if (duty < slo_ms(problem_, task.workload)) duties.push_back(duty);
    }
  }
  // A rate so low that not even one request a cycle comes before the SLO: whatever waits is run.
  double least_slo = std::numeric_limits<double>::infinity();
  for (const PackedTask& task : glet.tasks) {
    least_slo = std::min(least_slo, slo_ms(problem_, task.workload));
  }
  duties.push_back(least_slo / 2);
  std::sort(duties.begin(), duties.end(), std::greater<>());
  for (const double duty : duties) {
    if (!fits_at(glet, type, beside, duty)) continue;
    glet.duty_ms = duty;
    glet.is_saturated = false;
    return true;
  }
  return false;
}

// --- What a workload wants -----------------------------------------------------------------------

double GletPacker::saturated_rps(std::uint32_t w, const std::string& type, int size) const {
  PackedGlet glet{size, true, 0, {{w, std::numeric_limits<double>::infinity(), 0}}};
  return saturate(glet, type, nullptr, options_.max_batch) ? glet.tasks.front().rate_rps : 0;
}

// Up to where throughput grows fastest per percent, over all adjacent sizes; 0: no size will do.
int GletPacker::efficient_size(std::uint32_t w, const std::string& type) const {
  int before = 0;
  double before_rps = 0;
  int best = 0;
  double best_gain = 0;
  for (const int size : kGletSizes) {
    const double rps = saturated_rps(w, type, size);
    if (rps <= 0) continue;
    if (best == 0) {
      best = size;
    } else if (rps >= before_rps * kLeastGain && (rps - before_rps) / (size - before) > best_gain) {
      best_gain = (rps - before_rps) / (size - before);
      best = size;
    }
    before = size;
    before_rps = rps;
  }
  return best;
}

// By type, the smallest first: min(efficient, smallest that carries the whole rate).
std::vector<GletPacker::Wish> GletPacker::wishes(std::uint32_t w, double rate) const {
  std::set<std::string> types;
  for (const PackedGpu& gpu : gpus_) types.insert(gpu.type);
  std::vector<Wish> result;
  for (const std::string& type : types) {
    const int efficient = efficient_size(w, type);
    int required = 0;
    for (const int size : kGletSizes) {
      PackedGlet glet{size, false, 0, {{w, rate, 0}}};
      if (!fit(glet, type, nullptr)) continue;
      required = size;
      break;
    }
    if (required > 0 && (efficient == 0 || required <= efficient)) {
      result.push_back({type, required, false});
    } else if (efficient > 0) {
      result.push_back({type, efficient, true});
    }
  }
  std::stable_sort(result.begin(), result.end(),
                   [](const Wish& a, const Wish& b) { return a.size < b.size; });
  return result;
}

// --- Placement -----------------------------------------------------------------------------------

std::vector<double> GletPacker::place(std::vector<double> rates) {
  // What one placement takes from another is placed in the next round; the sums shrink quickly.
  constexpr int kMostRounds = 1000;
  std::vector<double> left(rates.size(), 0);
  for (int round = 0;; ++round) {
    std::vector<std::uint32_t> order;
    for (std::uint32_t w = 0; w < rates.size(); ++w) {
      if (rates[w] > 0) order.push_back(w);
    }
    if (order.empty()) return left;
    std::stable_sort(order.begin(), order.end(),
                     [&](std::uint32_t a, std::uint32_t b) { return rates[a] > rates[b]; });
    for (const std::uint32_t w : order) {
      const double least = rates[w] * kRateSlack;
      while (rates[w] > least) {
        const double placed = place_some(w, rates[w]);
        if (placed <= 0) break;
        rates[w] -= placed;
      }
      if (rates[w] > least) left[w] += rates[w];
      rates[w] = 0;
    }
    // What is owed to a workload that has nothing left to try is left, too.
    for (std::uint32_t w = 0; w < rates.size(); ++w) {
      (left[w] > 0 || round == kMostRounds ? left[w] : rates[w]) += owed_[w];
      owed_[w] = 0;
    }
  }
}

// One step for a workload: its own glet carries more, a glet is shared by time, or a new one is
// taken. Returns the requests/s that are placed, 0 when nothing will do.
double GletPacker::place_some(std::uint32_t w, double rate) {
  if (grow(w, rate)) return rate;
  const std::vector<Wish> wanted = wishes(w, rate);
  const bool is_rest = !wanted.empty() && !wanted.front().is_saturated;
  if (is_rest && options_.may_share && share(w, rate)) return rate;
  for (const Wish& wish : wanted) {
    for (const Spot& spot : spots(wish)) {
      if (const auto placed = take(spot, w, rate)) return *placed;
    }
  }
  if (!is_rest && options_.may_share && share(w, rate)) return rate;
  return 0;
}

// Puts the rest on a glet that the workload has already.
bool GletPacker::grow(std::uint32_t w, double rate) {
  for (std::size_t g = 0; g < gpus_.size(); ++g) {
    for (std::size_t i = 0; i < gpus_[g].glets.size(); ++i) {
      PackedGlet next = gpus_[g].glets[i];
      if (next.is_saturated || !has_workload(next, w)) continue;
      for (PackedTask& task : next.tasks) {
        if (task.workload == w) task.rate_rps += rate;
      }
      if (fit(next, gpus_[g].type, other_of(gpus_[g], i)) && change(g, i, std::move(next))) {
        return true;
      }
    }
  }
  return false;
}

// Puts the rest beside others on a glet that is not saturated: the one whose cycle is fullest.
bool GletPacker::share(std::uint32_t w, double rate) {
  struct Candidate {
    double idle;
    std::size_t gpu, glet;
  };
  std::vector<Candidate> candidates;
  for (std::size_t g = 0; g < gpus_.size(); ++g) {
    for (std::size_t i = 0; i < gpus_[g].glets.size(); ++i) {
      const PackedGlet& glet = gpus_[g].glets[i];
      if (glet.tasks.empty() || glet.is_saturated || has_workload(glet, w) ||
          glet.tasks.size() >= options_.tasks_per_glet) {
        continue;
      }
      double busy = 0;
      for (const PackedTask& task : glet.tasks) {
        busy +=
            latency_ms(task.workload, task.batch, glet.size, gpus_[g].type, other_of(gpus_[g], i))
                .value_or(0);
      }
      candidates.push_back({1 - busy / glet.duty_ms, g, i});
    }
  }
  std::stable_sort(candidates.begin(), candidates.end(),
                   [](const Candidate& a, const Candidate& b) { return a.idle < b.idle; });
  for (const Candidate& candidate : candidates) {
    const PackedGpu& gpu = gpus_[candidate.gpu];
    PackedGlet next = gpu.glets[candidate.glet];
    next.tasks.push_back({w, rate, 0});
    if (fit(next, gpu.type, other_of(gpu, candidate.glet)) &&
        change(candidate.gpu, candidate.glet, std::move(next))) {
      return true;
    }
  }
  return false;
}

// Empty glets at least as large, the smallest first; GPUs that are whole are cut.
std::vector<GletPacker::Spot> GletPacker::spots(const Wish& wish) const {
  std::vector<Spot> found;
  for (std::size_t g = 0; g < gpus_.size(); ++g) {
    if (gpus_[g].type != wish.type) continue;
    for (std::size_t i = 0; i < gpus_[g].glets.size(); ++i) {
      const PackedGlet& glet = gpus_[g].glets[i];
      if (!glet.tasks.empty() || glet.size < wish.size) continue;
      const bool cuts = glet.size == 100 && wish.size < 100 && options_.may_split;
      found.push_back({g, i, cuts ? wish.size : glet.size, cuts});
    }
  }
  std::stable_sort(found.begin(), found.end(), [&](const Spot& a, const Spot& b) {
    return gpus_[a.gpu].glets[a.glet].size < gpus_[b.gpu].glets[b.glet].size;
  });
  return found;
}

std::optional<double> GletPacker::take(const Spot& spot, std::uint32_t w, double rate) {
  PackedGpu& gpu = gpus_[spot.gpu];
  const PackedGlet* beside = spot.cuts ? nullptr : other_of(gpu, spot.glet);
  PackedGlet next{spot.size, false, 0, {{w, rate, 0}}};
  // A larger glet than wished for, or a neighbour, may turn one kind into the other.
  if (!fit(next, gpu.type, beside) && !saturate(next, gpu.type, beside, options_.max_batch)) {
    return std::nullopt;
  }
  const double placed = next.tasks.front().rate_rps;
  const std::vector<PackedGlet> before = gpu.glets;
  if (spot.cuts) {
    gpu.glets[spot.glet].size = spot.size;
    gpu.glets.push_back({100 - spot.size, false, 0, {}});
  }
  if (change(spot.gpu, spot.glet, std::move(next))) return placed;
  gpu.glets = before;
  return std::nullopt;
}

// Makes a glet so, if its neighbour and the memory allow. A saturated neighbour is slowed down, and
// what it no longer carries is owed to its workload; any other must carry its rates, with smaller
// batches if need be.
bool GletPacker::change(std::size_t g, std::size_t i, PackedGlet next) {
  PackedGpu& gpu = gpus_[g];
  PackedGpu changed = gpu;
  changed.glets[i] = std::move(next);
  double lost = 0;
  if (changed.glets.size() == 2) {
    PackedGlet& other = changed.glets[1 - i];
    const PackedGlet* self = &changed.glets[i];
    if (other.is_saturated) {
      const double had = other.tasks.front().rate_rps;
      if (!saturate(other, gpu.type, self, other.tasks.front().batch)) return false;
      lost = had - other.tasks.front().rate_rps;
    } else if (!holds(other, gpu.type, self) && !fit(other, gpu.type, self)) {
      return false;
    }
    if (!holds(changed.glets[i], gpu.type, &other)) return false;
  }
  if (!fits_memory(changed)) return false;
  if (lost > 0) owed_[changed.glets[1 - i].tasks.front().workload] += lost;
  gpu = std::move(changed);
  return true;
}

bool GletPacker::fits_memory(const PackedGpu& gpu) const {
  const GpuType* type = find_gpu_type(gpu.type, problem_.cluster.own_types);
  if (type == nullptr || !type->memory_gib) return true;
  double total = 0;
  for (const PackedGlet& glet : gpu.glets) {
    double largest = 0;
    for (const PackedTask& task : glet.tasks) {
      const Profile* profile =
          problem_.profiles.find(problem_.workloads[task.workload].model, gpu.type);
      if (profile == nullptr) continue;
      largest = std::max(largest, memory_mib(*profile, 1, task.batch).value_or(0));
    }
    total += largest;
  }
  return total <= *type->memory_gib * 1024;
}

void GletPacker::remove(std::uint32_t w) {
  for (PackedGpu& gpu : gpus_) {
    for (std::size_t i = 0; i < gpu.glets.size(); ++i) {
      PackedGlet& glet = gpu.glets[i];
      if (!has_workload(glet, w)) continue;
      PackedGlet rest = glet;
      std::erase_if(rest.tasks, [&](const PackedTask& task) { return task.workload == w; });
      rest.is_saturated = false;
      if (rest.tasks.empty()) rest.duty_ms = 0;
      glet = rest;
      if (!rest.tasks.empty() && fit(rest, gpu.type, other_of(gpu, i))) glet = std::move(rest);
    }
  }
}

Plan plan_of_glets(const PlanningProblem& problem,
                   const std::string& planner,
                   const GletPacker& packer,
                   const std::vector<double>& left) {
  Plan plan;
  plan.planner = planner;
  std::uint32_t index = 0;
  std::vector<bool> is_served(problem.workloads.size(), false);
  for (const PackedGpu& gpu : packer.gpus()) {
    PlanGpu entry{index++, gpu.type, GpuMode::kMps, {}};
    bool is_used = false;
    for (const PackedGlet& glet : gpu.glets) {
      PlanPartition partition;
      partition.share_pct = glet.size;
      for (const PackedTask& task : glet.tasks) {
        PlanReplica replica;
        replica.workload = problem.workloads[task.workload].name;
        replica.model = problem.workloads[task.workload].model;
        replica.batch = task.batch;
        replica.rate_rps = task.rate_rps;
        replica.duty_ms = glet.duty_ms;
        partition.replicas.push_back(std::move(replica));
        is_served[task.workload] = true;
      }
      is_used = is_used || !glet.tasks.empty();
      entry.partitions.push_back(std::move(partition));
    }
    if (is_used) plan.gpus.push_back(std::move(entry));
  }
  for (std::uint32_t w = 0; w < problem.workloads.size(); ++w) {
    if (left[w] <= 0 && is_served[w]) continue;
    plan.unserved.push_back({problem.workloads[w].name, left[w],
                             "no partition is left that meets its SLO and spares its neighbours"});
  }
  if (!packer.without_use().empty()) {
    std::string names;
    for (const std::uint32_t w : packer.without_use()) {
      names += (names.empty() ? "" : ", ") + problem.workloads[w].model;
    }
    plan.notes.push_back("interference is taken for none where L2 and DRAM use are not known: " +
                         names);
  }
  return plan;
}

}  // namespace tangram::detail
