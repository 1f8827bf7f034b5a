// The released gpulet scheduler: what a partition costs in the state it is in, and the outer loop.
#include "policies/planners/detail/glet_scheduler.h"

#include <algorithm>
#include <set>
#include <string>

#include "policies/planners/detail/glet_limits.h"
#include "sim/core/error.h"

namespace tangram::detail {
namespace {

constexpr int kPartitionMb = 1230;      // what a process costs before it has a model
constexpr float kUsableMemory = 0.9F;   // of a GPU's
constexpr float kEnoughOfRate = 0.85F;  // of a rate, after interference

bool is_same(const Glet& a, const Glet& b) {
  return a.gpu == b.gpu && a.size == b.size && a.twin == b.twin;
}

double gbits(double requests_per_s_times_bytes) {
  return requests_per_s_times_bytes * 8 / 1024 / 1024 / 1024;
}

}  // namespace

GletScheduler::GletScheduler(const GletCosts& costs,
                             const GletSaturation& saturation,
                             GletOptions options,
                             const std::vector<std::size_t>& gpu_types,
                             const std::vector<std::vector<int>>& layout)
    : costs_(costs), saturation_(saturation), options_(std::move(options)) {
  gpus_.reserve(gpu_types.size());
  for (std::size_t g = 0; g < gpu_types.size(); ++g) {
    GletGpu& gpu = gpus_.emplace_back();
    gpu.type = gpu_types[g];
    gpu.memory_mb = costs.gpu_memory_mb(gpu.type);
    for (const int size : layout[g]) {
      Glet glet;
      glet.gpu = g;
      glet.size = size;
      glet.twin = size == 50 && !gpu.glets.empty() ? 1 : 0;
      add_glet(gpu, std::move(glet));
    }
  }
}

// --- Costs ---------------------------------------------------------------------------------------

float GletScheduler::slowdown_on(const Glet& self, std::size_t model, int batch) const {
  float worst = 1;
  if (!options_.interference || self.gpu >= gpus_.size()) return worst;
  for (const Glet* other : gpus_[self.gpu].glets) {
    if (is_same(*other, self)) continue;
    for (const GletTask& task : other->tasks) {
      worst = std::max(worst, costs_.slowdown(self.type, {model, batch, self.size},
                                              {task.model, task.batch, other->size}));
    }
  }
  return worst;
}

float GletScheduler::latency_ms(const Glet& self, std::size_t model, int batch) const {
  if (batch > kGletBatches) {
    throw NoAnswer("the released program aborts: it asks for the latency of a batch of " +
                   std::to_string(batch) + " of " + costs_.models()[model].name);
  }
  const float alone = costs_.profiled_ms(self.type, model, batch, self.size);
  const double slowdown = slowdown_on(self, model, batch);
  const auto lost = static_cast<float>(alone * (slowdown - 1.0));
  return (alone + costs_.batching_ms(self.type, model, batch) + lost) * costs_.latency_ratio();
}

float GletScheduler::latency_sum(const Glet& self) const {
  float sum = 0;
  for (const GletTask& task : self.tasks) sum += latency_ms(self, task.model, task.batch);
  return sum;
}

int GletScheduler::saturated_batch(const Glet& glet, const GletTask& task) const {
  const auto slo = static_cast<float>(task.slo_ms);
  return bisected_batch([&](int b) { return 2 * latency_ms(glet, task.model, b) <= slo; });
}

// May raise the rate where no batch will do.
int GletScheduler::residue_batch(const Glet& glet, const GletTask& task, int& rate) const {
  const auto slo = static_cast<float>(task.slo_ms);
  const int batch = bisected_batch([&](int b) {
    return latency_ms(glet, task.model, b) +
               1000 * static_cast<float>(b) / static_cast<float>(rate) <=
           slo;
  });
  if (batch > 0) return batch;
  return batch_one(latency_ms(glet, task.model, 1), task.slo_ms, costs_.latency_ratio(), rate);
}

// --- Memory and network --------------------------------------------------------------------------

namespace {

bool partition_is_loaded(const GletGpu& gpu, const Glet& glet) {
  return std::find(gpu.loaded.begin(), gpu.loaded.end(), std::pair(glet.size, glet.twin)) !=
         gpu.loaded.end();
}

}  // namespace

bool GletScheduler::is_loaded(const GletGpu& gpu, const Glet& glet, std::size_t model) const {
  if (!partition_is_loaded(gpu, glet)) return false;
  for (const Glet* other : gpu.glets) {
    if (other->size != glet.size || other->twin != glet.twin) continue;
    for (const GletTask& task : other->tasks) {
      if (task.model == model) return true;
    }
  }
  return false;
}

bool GletScheduler::fits_memory(const GletGpu& gpu, const Glet& glet, std::size_t model) const {
  if (is_loaded(gpu, glet, model)) return true;
  const int more = partition_is_loaded(gpu, glet) ? 0 : kPartitionMb;
  const float left =
      static_cast<float>(gpu.memory_mb) * kUsableMemory - static_cast<float>(gpu.used_mb);
  return left > static_cast<float>(costs_.models()[model].memory_mb + more);
}

void GletScheduler::charge_memory(GletGpu& gpu, const Glet& glet, std::size_t model) const {
  if (is_loaded(gpu, glet, model) || !fits_memory(gpu, glet, model)) return;
  gpu.used_mb += costs_.models()[model].memory_mb;
  if (!partition_is_loaded(gpu, glet)) gpu.used_mb += kPartitionMb;
  gpu.loaded.emplace_back(glet.size, glet.twin);
}

// The partition's own memory stays charged.
void GletScheduler::return_memory(GletGpu& gpu, const Glet& glet, std::size_t model) const {
  if (!partition_is_loaded(gpu, glet)) {
    throw NoAnswer("the released program aborts: it frees memory of " +
                   costs_.models()[model].name + " on a partition that it never charged");
  }
  const int memory = costs_.models()[model].memory_mb;
  if (is_loaded(gpu, glet, model) && gpu.used_mb >= memory) gpu.used_mb -= memory;
}

double GletScheduler::network_gbits(const GletGpu& gpu) const {
  double bytes = 0;
  for (const Glet* glet : gpu.glets) {
    for (const GletTask& task : glet->tasks) {
      bytes += static_cast<double>(task.rps) * costs_.models()[task.model].bytes_per_request;
    }
  }
  return gbits(bytes);
}

// Shrinks batch and throughput until they fit what the network has left.
bool GletScheduler::limit_to_network(GletTask& task, const GletGpu& gpu) const {
  const double left = std::max(kGletNetworkGbits - network_gbits(gpu), 0.0);
  if (left == 0) return false;
  for (int batch = task.batch; batch > 0; --batch) {
    const double bytes = batch / static_cast<double>(task.batch) * task.rps *
                         costs_.models()[task.model].bytes_per_request;
    if (gbits(bytes) > left) continue;
    task.rps = static_cast<float>(batch) / static_cast<float>(task.batch) * task.rps;
    task.batch = batch;
    return true;
  }
  return false;
}

// --- The outer loop ------------------------------------------------------------------------------

Glet* GletScheduler::add_glet(GletGpu& gpu, Glet glet) {
  glet.type = gpu.type;
  store_.push_back(std::move(glet));
  gpu.glets.push_back(&store_.back());
  return gpu.glets.back();
}

std::vector<Glet*> GletScheduler::empty_glets() {
  std::vector<Glet*> found;
  for (GletGpu& gpu : gpus_) {
    for (Glet* glet : gpu.glets) {
      if (glet->tasks.empty()) found.push_back(glet);
    }
  }
  return found;
}

bool GletScheduler::run(std::vector<GletTask> demands) {
  std::set<std::size_t> tried_again;
  while (true) {
    if (!place_all(demands)) return false;
    if (!options_.interference) return true;
    std::vector<float> carried(costs_.models().size(), 0);
    for (const GletGpu& gpu : gpus_) {
      for (const Glet* glet : gpu.glets) {
        for (const GletTask& task : glet->tasks) carried[task.model] += task.rps;
      }
    }
    std::vector<GletTask> again;
    for (const GletTask& demand : demands) {
      if (!(carried[demand.model] < static_cast<float>(demand.rate) * kEnoughOfRate)) continue;
      if (!tried_again.insert(demand.model).second) return false;
      again.push_back(demand);
    }
    if (again.empty()) return true;
    demands = std::move(again);
  }
}

// Ascending by rate times SLO; between equals the larger model number first.
bool GletScheduler::place_all(std::vector<GletTask>& demands) {
  std::sort(demands.begin(), demands.end(), [&](const GletTask& a, const GletTask& b) {
    const std::int64_t work_a = std::int64_t{a.rate} * a.slo_ms;
    const std::int64_t work_b = std::int64_t{b.rate} * b.slo_ms;
    if (work_a != work_b) return work_a < work_b;
    return costs_.models()[a.model].id > costs_.models()[b.model].id;
  });
  return std::all_of(demands.begin(), demands.end(),
                     [&](const GletTask& demand) { return place(demand); });
}

bool GletScheduler::place(GletTask task) {
  task.extra = 0;
  for (const GletGpu& gpu : gpus_) {
    for (const Glet* glet : gpu.glets) {
      for (const GletTask& placed : glet->tasks) {
        if (placed.model == task.model) return place_again(task);
      }
    }
  }
  std::vector<Glet> chunks = chunks_of(cheapest_type(task), task, task.rate);
  if (chunks.empty()) {
    throw NoAnswer("the released program crashes: the inflated rate of " +
                   costs_.models()[task.model].name + ", " + std::to_string(task.rate) +
                   "/s, is within its slack of 15/s, and it reads the first of no chunks");
  }
  std::sort(chunks.begin(), chunks.end(),
            [](const Glet& a, const Glet& b) { return a.size > b.size; });
  if (fits_dry(chunks) && allocate(chunks, task)) return true;
  readjust(task, empty_glets());
  if (merge_residues(task)) return true;
  return !options_.greedy && share_time(task, {});
}

// Takes the task from where it is and places it on what is then empty; the partitions that it
// leaves to others are tried last, by time.
bool GletScheduler::place_again(GletTask task) {
  std::vector<Glet*> given;
  std::vector<Glet*> left;
  for (GletGpu& gpu : gpus_) {
    for (Glet* glet : gpu.glets) {
      if (glet->tasks.empty()) {
        given.push_back(glet);
        continue;
      }
      const auto own = std::find_if(glet->tasks.begin(), glet->tasks.end(),
                                    [&](const GletTask& t) { return t.model == task.model; });
      if (own != glet->tasks.end()) {
        glet->tasks.erase(own);
        left.push_back(glet);
      }
      glet->occupancy = latency_sum(*glet) / glet->duty_ms;
      if (glet->tasks.empty()) given.push_back(glet);
    }
  }
  readjust(task, std::move(given));
  if (merge_residues(task)) return true;
  return !options_.greedy && share_time(task, left);
}

}  // namespace tangram::detail
