// ParvaGPU's released scheduler (SC'24), bug for bug: single precision, rates and SLOs read as
// integers, first slots marked only, credits and lost segments as they come. Where the original
// crashes there is no plan, and the error says where. docs/model/planners/parvagpu.md has the rule.
#include <algorithm>
#include <array>
#include <cmath>
#include <deque>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "policies/placement.h"
#include "policies/planners/detail/mig_services.h"

namespace tangram {
namespace {

constexpr std::array<int, 5> kSizes{1, 2, 3, 4, 7};
constexpr std::size_t kOf1 = 0;
constexpr std::size_t kOf2 = 1;
constexpr int kSlots = 7;
constexpr int kSplitAtMost = 4;           // GPUs with at most so many slices in use are split
constexpr std::uint32_t kBatches = 1024;  // of the original's table; larger ones are not read

struct Choice {
  float total_rps = 0;  // 0: no feasible point
  std::uint32_t batch = 0, processes = 0;
  bool is_there() const { return total_rps > 0; }
};

struct ReleasedService {
  std::uint32_t workload = 0;
  std::string file;  // the order of services is the byte order of the profile files' names
  float rate_rps = 0;
  float slo_ms = 0;
  std::array<Choice, kSizes.size()> best;  // by size
  std::size_t optimal = 0;                 // index of a size
  std::size_t last = 0;                    // size of the last segment
  float owed_rps = 0;
};

struct Segment {
  std::size_t service = 0;
  std::size_t size = 0;  // index
};

// --- Segment Configurator ------------------------------------------------------------------------

// Step 1: the densest feasible point of each size, and of all; ties keep the first.
bool choose_points(ReleasedService& service, const std::vector<detail::MigPoint>& points) {
  const auto target_ms = static_cast<float>(static_cast<double>(service.slo_ms / 2) * 0.9);
  float densest = 0;
  std::array<float, kSizes.size()> densest_of{};
  for (const detail::MigPoint& p : points) {
    const auto latency_ms = static_cast<float>(p.latency_ms / 1000) * 1000;
    if (p.batch >= kBatches || !(latency_ms < target_ms)) continue;
    const auto s =
        static_cast<std::size_t>(std::find(kSizes.begin(), kSizes.end(), p.size) - kSizes.begin());
    const float total = static_cast<float>(p.process_rps) * static_cast<float>(p.processes);
    const float density = total / static_cast<float>(p.size);
    if (density > densest_of[s]) {
      densest_of[s] = density;
      service.best[s] = {total, p.batch, p.processes};
    }
    if (density > densest) {
      densest = density;
      service.optimal = s;
    }
  }
  return densest > 0;
}

// Step 2: n segments of the optimal size and one last segment, the smallest that covers the rest.
// Returns n.
std::int64_t match_demand(ReleasedService& service, const std::string& workload) {
  const float total = service.best[service.optimal].total_rps;
  auto n = static_cast<std::int64_t>(std::floor(service.rate_rps / total));
  if (std::fmod(service.rate_rps, total) == 0) --n;
  const float rest = service.rate_rps - static_cast<float>(n) * total;
  for (std::size_t s = 0; s < kSizes.size(); ++s) {
    if (!service.best[s].is_there()) {
      throw NoAnswer(fmt::format(
          "the released program crashes in demand matching: {} has no point of {} slice{} that "
          "takes less than 0.45 of its SLO, and the program looks it up",
          workload, kSizes[s], kSizes[s] == 1 ? "" : "s"));
    }
    if (rest <= service.best[s].total_rps) {
      service.last = s;
      return n;
    }
  }
  throw NoAnswer(
      "the released program reads an unset pointer in demand matching: rounding leaves " +
      workload + " more than any segment carries");
}

// --- Segment Allocator ---------------------------------------------------------------------------

// The slots that a size may start at, in order of preference.
const std::vector<int>& starts_of(std::size_t size) {
  static const std::array<std::vector<int>, kSizes.size()> starts{
      {{0, 6, 4, 1, 2, 3, 5}, {0, 4, 2}, {4}, {0}, {0}}};
  return starts[size];
}

class ReleasedAllocator {
 public:
  ReleasedAllocator(std::vector<ReleasedService>& services, std::size_t gpu_limit)
      : services_(services), gpu_limit_(gpu_limit), without_gpu_(services.size()) {}

  // Returns how many were put into the queue.
  std::int64_t enqueue(std::size_t service, std::size_t size, std::int64_t count) {
    if (count <= 0) return 0;
    queues_[size].push_back({service, count});
    return count;
  }

  // Places so many of those that wait, the largest sizes first. A segment that no GPU takes is gone
  // and ends it. What is left waits, and takes the turns of pieces that are queued later.
  void drain(std::int64_t count) {
    for (std::size_t s = kSizes.size(); s-- > 0;) {
      while (!queues_[s].empty() && count > 0) {
        --count;
        Waiting& first = queues_[s].front();
        const std::size_t service = first.service;
        if (--first.count == 0) queues_[s].pop_front();
        const std::optional<std::size_t> gpu = best_fit(s);
        if (!gpu) {
          ++without_gpu_[service];
          return;
        }
        put(*gpu, {service, s});
      }
    }
  }

  // From the last GPU to the first: segments of those with at most 4 slices in use are taken out
  // and their service's debt is placed again in pieces of 2 and 1.
  void split() {
    for (std::size_t g = gpus_.size(); g-- > 0;) {
      if (gpus_[g].used > kSplitAtMost) continue;
      for (std::size_t slot = 0; slot < kSlots; ++slot) {
        if (const std::optional<Segment> segment = gpus_[g].slots[slot]) {
          take_out(g, slot, *segment);
          drain(enqueue_pieces(services_[segment->service], segment->service));
        }
      }
    }
  }

  // The segments of each GPU in the original's order of rows: by slot, then a selection sort by
  // size, which is not stable.
  std::vector<detail::MigGpu> result() const {
    std::vector<detail::MigGpu> gpus;
    for (const Gpu& gpu : gpus_) {
      detail::MigGpu rows;
      for (std::size_t slot = 0; slot < kSlots; ++slot) {
        if (gpu.slots[slot]) rows.push_back(row_of(*gpu.slots[slot], static_cast<int>(slot)));
      }
      for (std::size_t i = 0; i < rows.size(); ++i) {
        std::size_t largest = i;
        for (std::size_t j = i + 1; j < rows.size(); ++j) {
          if (rows[j].size > rows[largest].size) largest = j;
        }
        std::swap(rows[i], rows[largest]);
      }
      gpus.push_back(std::move(rows));
    }
    return gpus;
  }

  struct Lost {
    Segment segment;
    std::size_t gpu;
  };
  const std::vector<Lost>& lost() const { return lost_; }
  // Segments of the service that never got a GPU.
  std::int64_t without_gpu(std::size_t service) const {
    std::int64_t n = without_gpu_[service];
    for (const auto& queue : queues_) {
      for (const Waiting& entry : queue) n += entry.service == service ? entry.count : 0;
    }
    return n;
  }

 private:
  struct Waiting {
    std::size_t service;
    std::int64_t count;
  };
  struct Gpu {
    std::array<std::optional<Segment>, kSlots> slots;  // by first slot
    int used = 0;
    bool has_3_at_4() const { return slots[4] && kSizes[slots[4]->size] == 3; }
  };
  // GPUs in use with the same number of slices in use, and the same answer to "3 slices at 4?".
  std::set<std::size_t>& pool_of(const Gpu& gpu) {
    return pools_[static_cast<std::size_t>(gpu.used)][gpu.has_3_at_4() ? 1 : 0];
  }

  // The GPU that is left with the fewest free slices, the first of equals; an empty one counts like
  // any other. 3 slices do not go where slot 4 starts 3 slices. (The original also refuses 1 slice
  // where slots 0 and 4 both start 3; it never starts 3 at 0.)
  std::optional<std::size_t> best_fit(std::size_t size) const {
    const int slices = kSizes[size];
    for (int used = kSlots - slices; used > 0; --used) {
      const auto& pools = pools_[static_cast<std::size_t>(used)];
      std::optional<std::size_t> first;
      for (std::size_t has_3 = 0; has_3 < (slices == 3 ? 1U : 2U); ++has_3) {
        const std::set<std::size_t>& pool = pools[has_3];
        if (!pool.empty() && (!first || *pool.begin() < *first)) first = *pool.begin();
      }
      if (first) return first;
    }
    if (!pools_[0][0].empty()) return *pools_[0][0].begin();
    if (gpus_.size() < gpu_limit_) return gpus_.size();
    return std::nullopt;
  }

  void put(std::size_t g, const Segment& segment) {
    if (g == gpus_.size()) gpus_.emplace_back();
    Gpu& gpu = gpus_[g];
    pool_of(gpu).erase(g);
    gpu.used += kSizes[segment.size];
    const std::vector<int>& starts = starts_of(segment.size);
    const auto start = std::find_if(starts.begin(), starts.end(), [&](int slot) {
      return !gpu.slots[static_cast<std::size_t>(slot)];
    });
    if (start == starts.end()) {
      lost_.push_back({segment, g});  // the original counts its slices and writes it nowhere
    } else {
      gpu.slots[static_cast<std::size_t>(*start)] = segment;
    }
    pool_of(gpu).insert(g);
  }

  // The credit is the optimal segment's, or else the last segment's, whatever the piece was.
  void take_out(std::size_t g, std::size_t slot, const Segment& segment) {
    Gpu& gpu = gpus_[g];
    pool_of(gpu).erase(g);
    gpu.slots[slot].reset();
    gpu.used -= kSizes[segment.size];
    pool_of(gpu).insert(g);
    ReleasedService& service = services_[segment.service];
    service.owed_rps +=
        service.best[segment.size == service.optimal ? service.optimal : service.last].total_rps;
  }

  // Size 1 exists: demand matching would have crashed. Returns the number of pieces.
  std::int64_t enqueue_pieces(ReleasedService& service, std::size_t index) {
    const float of_1 = service.best[kOf1].total_rps;
    const float of_2 = service.best[kOf2].total_rps;
    std::int64_t pieces = 0;
    if (of_2 / 2 > of_1) {
      pieces += enqueue(index, kOf2, pay(service, std::floor(service.owed_rps / of_2), of_2));
    }
    pieces += enqueue(index, kOf1, pay(service, std::ceil(service.owed_rps / of_1), of_1));
    return pieces;
  }

  // Takes so many pieces from the debt, one by one: each step rounds. Returns their number.
  static std::int64_t pay(ReleasedService& service, float pieces, float piece_rps) {
    constexpr float kMost = 1e8F;  // more never ends
    if (!(pieces < kMost)) {
      throw NoAnswer(
          fmt::format("a debt of {:g} requests/s in pieces of {:g}: the released program "
                      "would make pieces for ever",
                      service.owed_rps, piece_rps));
    }
    const auto count = static_cast<std::int64_t>(std::max(0.0F, pieces));
    for (std::int64_t i = 0; i < count; ++i) service.owed_rps -= piece_rps;
    return count;
  }

  detail::MigSegment row_of(const Segment& segment, int slot) const {
    const ReleasedService& service = services_[segment.service];
    const Choice& choice = service.best[segment.size];
    return {service.workload, kSizes[segment.size], choice.batch,
            choice.processes, choice.total_rps,     slot};
  }

  std::vector<ReleasedService>& services_;
  std::size_t gpu_limit_;
  std::vector<Gpu> gpus_;
  std::array<std::deque<Waiting>, kSizes.size()> queues_;               // by size
  std::array<std::array<std::set<std::size_t>, 2>, kSlots + 1> pools_;  // by slices in use
  std::vector<Lost> lost_;
  std::vector<std::int64_t> without_gpu_;  // by service
};

// --- The planner ---------------------------------------------------------------------------------

void require_seven_slices(const GpuType& type) {
  const bool same = type.mig_slices == kSlots && type.mig_sizes.size() == kSizes.size() &&
                    std::all_of(kSizes.begin(), kSizes.end(),
                                [&](int size) { return find_mig_size(type, size) != nullptr; });
  if (same) return;
  throw NoAnswer(
      fmt::format("the released program cuts GPUs of 7 slices into instances of 1, 2, "
                  "3, 4 and 7; {} has {} slices and instances of {}",
                  type.name, type.mig_slices, mig_size_names(type)));
}

class ParvagpuReleased final : public Planner {
 public:
  Plan plan(const PlanningProblem& problem) const override {
    const GpuType& type = detail::mig_type_of(problem.cluster);
    require_seven_slices(type);
    std::vector<std::string> reasons(problem.workloads.size());
    std::vector<ReleasedService> services = services_of(problem, type, reasons);
    ReleasedAllocator allocator(services,
                                static_cast<std::size_t>(problem.params.integer("gpu_limit")));
    std::int64_t segments = 0;
    for (std::size_t i = 0; i < services.size(); ++i) {
      const std::int64_t n =
          match_demand(services[i], problem.workloads[services[i].workload].name);
      segments += allocator.enqueue(i, services[i].optimal, n);
      segments += allocator.enqueue(i, services[i].last, 1);
    }
    allocator.drain(segments);
    if (problem.params.boolean("split")) allocator.split();
    const std::vector<detail::MigGpu> gpus = allocator.result();
    explain(services, allocator, gpus, reasons);
    Plan plan = detail::plan_of(problem, type, gpus, reasons);
    plan.planner = "parvagpu_released";
    for (const auto& lost : allocator.lost())
      plan.lost.push_back(sentence(problem, services, lost));
    return plan;
  }

 private:
  // The active services in the order of their profile files; reasons for those left out.
  static std::vector<ReleasedService> services_of(const PlanningProblem& problem,
                                                  const GpuType& type,
                                                  std::vector<std::string>& reasons) {
    const auto processes = static_cast<std::uint32_t>(problem.params.integer("max_processes"));
    const std::vector<std::optional<double>> rates = detail::mean_rates(problem.workloads);
    std::vector<ReleasedService> services;
    for (std::uint32_t w = 0; w < problem.workloads.size(); ++w) {
      const Workload& workload = problem.workloads[w];
      if (!rates[w]) continue;
      ReleasedService service;
      service.workload = w;
      service.file = workload.model + ".csv";
      service.rate_rps = static_cast<float>(std::trunc(*rates[w]));
      service.slo_ms = static_cast<float>(std::trunc(to_ms(workload.slo)));
      if (service.rate_rps == 0 || service.slo_ms == 0) {
        reasons[w] = fmt::format("the released program reads {} as an integer, 0, and skips it",
                                 service.rate_rps == 0 ? "its rate" : "its SLO");
      } else if (!choose_points(service, detail::mig_points(problem.profiles, workload.model, type,
                                                            processes))) {
        reasons[w] =
            "no profiled point takes less than 0.45 of the SLO, and the released program "
            "drops the service";
      } else {
        services.push_back(std::move(service));
      }
    }
    std::stable_sort(
        services.begin(), services.end(),
        [](const ReleasedService& a, const ReleasedService& b) { return a.file < b.file; });
    return services;
  }

  // Why a service may be short of capacity.
  static void explain(const std::vector<ReleasedService>& services,
                      const ReleasedAllocator& allocator,
                      const std::vector<detail::MigGpu>& gpus,
                      std::vector<std::string>& reasons) {
    const std::vector<double> capacities = detail::capacities_of(gpus, gpus.size(), reasons.size());
    for (std::size_t i = 0; i < services.size(); ++i) {
      const ReleasedService& service = services[i];
      const std::int64_t left = allocator.without_gpu(i);
      std::string& reason = reasons[service.workload];
      if (left > 0) {
        reason = fmt::format("the released program found no GPU for {} segments", left);
      } else if (detail::covers(capacities[service.workload], service.rate_rps)) {
        reason =
            fmt::format("the released program reads its rate as an integer, {}", service.rate_rps);
      } else {
        reason = "the released program loses or miscounts segments while splitting";
      }
    }
  }

  static std::string sentence(const PlanningProblem& problem,
                              const std::vector<ReleasedService>& services,
                              const ReleasedAllocator::Lost& lost) {
    const ReleasedService& service = services[lost.segment.service];
    return fmt::format("{} slices for {} on GPU {}: counted as used, placed nowhere",
                       kSizes[lost.segment.size], problem.workloads[service.workload].name,
                       lost.gpu);
  }
};

}  // namespace

PlannerEntry parvagpu_released_planner() {
  return {
      {"parvagpu_released",
       "MIG instances as ParvaGPU's released scheduler cuts them, defects included",
       "ParvaGPU (SC'24), released code of August 2024; its published deployments were made with "
       "max_processes 5; starts are moved to legal slots, and a crash of the original is no answer",
       {integer_param("max_processes", 3, 1, 1024,
                      "processes on one instance, at most; 3 as compiled into the released code"),
        integer_param("gpu_limit", 2000, 1, 1'000'000,
                      "GPUs it can count, also before splitting; segments beyond are left out; "
                      "2000 as compiled into the released code"),
        bool_param("split", true,
                   "its second allocation step; false is the paper's ablation without it")}},
      []() -> std::unique_ptr<Planner> { return std::make_unique<ParvagpuReleased>(); }};
}

}  // namespace tangram
