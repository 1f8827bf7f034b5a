// The released gpulet scheduler's later attempts: whatever is empty, residues merged, and
// partitions shared by time.
#include <algorithm>
#include <limits>

#include "policies/planners/detail/glet_limits.h"
#include "policies/planners/detail/glet_scheduler.h"
#include "sim/core/error.h"

namespace tangram::detail {
namespace {

bool is_larger(const Glet* a, const Glet* b) {
  return a->size > b->size;
}

bool serves(const Glet& glet, std::size_t model) {
  return std::any_of(glet.tasks.begin(), glet.tasks.end(),
                     [&](const GletTask& task) { return task.model == model; });
}

bool is_residue_of(const Glet& glet, std::size_t model) {
  return glet.occupancy < 1 && glet.tasks.size() == 1 && glet.tasks.front().model == model;
}

}  // namespace

// --- Readjust ------------------------------------------------------------------------------------

void GletScheduler::readjust(GletTask& task, std::vector<Glet*> given) {
  std::sort(given.begin(), given.end(), is_larger);
  if (options_.interference) {
    task.rate += task.extra;
    task.extra = 0;
  }
  bool leaves_residue = false;
  if (!readjust_saturated(task, given, leaves_residue)) return;
  if (leaves_residue) readjust_residue(task, given);
}

// Saturated partitions until one can take all the rest. False: the network takes no more.
bool GletScheduler::readjust_saturated(GletTask& task,
                                       std::vector<Glet*>& given,
                                       bool& leaves_residue) {
  while (task.rate + task.extra > kGletSlackRps && !given.empty()) {
    Glet* glet = preferred(task, given);
    int batch = 0;
    if (glet->size == 100 && options_.sizes.size() > 1 && options_.may_split) {
      batch = split_for(task, *glet, given).tasks.front().batch;
    } else {
      batch = std::max(1, saturated_batch(*glet, task));
    }
    const float ms = latency_ms(*glet, task.model, batch);
    const auto rps = static_cast<float>(batch * (1000.0 / ms));
    if (rps > static_cast<float>(task.rate)) {
      leaves_residue = true;
      break;
    }
    GletTask part{task.model, task.rate, 0, task.slo_ms, batch, rps};
    GletGpu& gpu = gpus_[glet->gpu];
    if (!limit_to_network(part, gpu)) return false;
    if (fits_memory(gpu, *glet, task.model)) {
      glet->occupancy = 1;
      glet->tasks.push_back(part);
      glet->duty_ms = ms;
      if (must_revert(*glet, task)) {
        clear(*glet);
      } else {
        task.rate = static_cast<int>(static_cast<float>(task.rate) - part.rps);
        charge_memory(gpu, *glet, task.model);
      }
    }
    std::erase(given, glet);
  }
  return true;
}

void GletScheduler::readjust_residue(GletTask& task, std::vector<Glet*>& given) {
  while (task.rate > kGletSlackRps && !given.empty()) {
    Glet* glet = preferred(task, given);
    if (glet->size == 100 && options_.sizes.size() > 1 && options_.may_split) {
      split_for(task, *glet, given);
    }
    const int batch = residue_batch(*glet, task, task.rate);
    if (batch == 0) return;
    glet->duty_ms = static_cast<float>(batch * (1000.0 / task.rate));
    GletTask part{task.model,  task.rate, 0,
                  task.slo_ms, batch,     static_cast<float>(1000.0 * batch / glet->duty_ms)};
    GletGpu& gpu = gpus_[glet->gpu];
    if (!limit_to_network(part, gpu)) return;
    glet->occupancy = latency_ms(*glet, task.model, part.batch) / glet->duty_ms;
    if (fits_memory(gpu, *glet, task.model)) {
      glet->tasks.push_back(part);
      if (must_revert(*glet, task)) {
        clear(*glet);
      } else {
        const auto rate = static_cast<float>(task.rate);
        task.rate = rate >= part.rps ? static_cast<int>(rate - part.rps) : 0;
        charge_memory(gpu, *glet, task.model);
      }
    }
    std::erase(given, glet);
  }
}

// The first one of the cheapest type, else the first.
Glet* GletScheduler::preferred(const GletTask& task, const std::vector<Glet*>& given) const {
  const std::size_t type = cheapest_type(task);
  const auto found = std::find_if(given.begin(), given.end(),
                                  [&](const Glet* glet) { return glet->type == type; });
  return found == given.end() ? given.front() : *found;
}

// Cuts a whole GPU to the first chunk's size, and offers the rest too. Returns that chunk.
Glet GletScheduler::split_for(const GletTask& task, Glet& glet, std::vector<Glet*>& given) {
  std::vector<Glet> chunks = chunks_of(glet.type, task, task.rate);
  if (chunks.empty()) {
    throw NoAnswer("the released program aborts: nothing is left to place of " +
                   costs_.models()[task.model].name + " where it cuts a GPU for it");
  }
  if (chunks.front().size < 100) {
    given.push_back(split(glet, chunks.front().size));
    std::sort(given.begin() + 1, given.end(), is_larger);
  }
  return std::move(chunks.front());
}

// Whether the GPU's network or a neighbour suffers too much. What a neighbour is lowered by is
// charged to nobody, and stays lowered when the placement is taken back.
bool GletScheduler::must_revert(const Glet& placed, GletTask& task) {
  bool revert = network_gbits(gpus_[placed.gpu]) > kGletNetworkGbits;
  if (!options_.interference) return revert;
  for (Glet* other : gpus_[placed.gpu].glets) {
    if (other->twin == placed.twin && other->size == placed.size) continue;
    if (other->occupancy >= 1) {
      GletTask nobody;
      if (!adjust_saturated(*other, nobody)) {
        revert = true;
        break;
      }
    } else if (!adjust_residue(*other)) {
      revert = true;
    }
  }
  if (!revert) {
    task.rate += task.extra;
    task.extra = 0;
  }
  return revert;
}

void GletScheduler::clear(Glet& glet) {
  glet.occupancy = 0;
  glet.duty_ms = 0;
  glet.tasks.clear();
}

// --- Merge residues ------------------------------------------------------------------------------

// Puts all residues of the model on one partition of the size that carries least, if that suffices.
bool GletScheduler::merge_residues(GletTask& task) {
  int count = 0;
  int rate = task.rate;
  float least = std::numeric_limits<float>::max();
  std::size_t type = 0;
  int size = 0;
  for (const GletGpu& gpu : gpus_) {
    for (const Glet* glet : gpu.glets) {
      if (!is_residue_of(*glet, task.model)) continue;
      rate = static_cast<int>(static_cast<float>(rate) + glet->tasks.front().rps);
      ++count;
      const float rps = saturation_.at(glet->type, task.model, glet->size).rps;
      if (rps < least) {
        least = rps;
        type = glet->type;
        size = glet->size;
      }
    }
  }
  if (count == 0 || (count == 1 && rate < kGletSlackRps) || least < static_cast<float>(rate)) {
    return task.rate <= kGletSlackRps;
  }
  for (GletGpu& gpu : gpus_) {
    for (Glet* glet : gpu.glets) {
      if (!is_residue_of(*glet, task.model)) continue;
      return_memory(gpu, *glet, task.model);
      clear(*glet);
    }
  }
  place_merged(task, type, size, rate);
  if (task.rate > kGletSlackRps) return false;
  if (!options_.may_split) return true;
  for (GletGpu& gpu : gpus_) {
    const bool is_empty = std::all_of(gpu.glets.begin(), gpu.glets.end(),
                                      [](const Glet* glet) { return glet->tasks.empty(); });
    if (gpu.glets.size() < 2 || !is_empty) continue;
    gpu.glets.erase(gpu.glets.begin() + 1, gpu.glets.end());
    gpu.glets.front()->twin = 0;
    gpu.glets.front()->size = 100;
  }
  return true;
}

// On the first empty partition of that type and size; false when there is none, and then the rate
// that was there before is lost from sight. The memory is not charged.
bool GletScheduler::place_merged(GletTask& task, std::size_t type, int size, int rate) {
  for (GletGpu& gpu : gpus_) {
    for (Glet* glet : gpu.glets) {
      if (!fits_memory(gpu, *glet, task.model)) continue;
      if (!glet->tasks.empty() || glet->type != type || glet->size != size) continue;
      const int batch = residue_batch(*glet, task, rate);
      if (batch == 0) continue;
      glet->duty_ms = static_cast<float>(batch * 1000.0 / rate);
      glet->occupancy = latency_ms(*glet, task.model, batch) / glet->duty_ms;
      const auto rps = static_cast<float>(batch * 1000.0 / glet->duty_ms);
      glet->tasks.push_back({task.model, static_cast<int>(rps), 0, task.slo_ms, batch, rps});
      const auto wanted = static_cast<float>(rate);
      task.rate = wanted > rps ? static_cast<int>(wanted - rps) : 0;
      return true;
    }
  }
  return false;
}

// --- Time sharing --------------------------------------------------------------------------------

// Adds the rest of a demand to partitions that others use, the fullest first. `only`: when not
// empty, no others.
bool GletScheduler::share_time(GletTask& task, const std::vector<Glet*>& only) {
  std::vector<Glet*> candidates;
  for (GletGpu& gpu : gpus_) {
    for (Glet* glet : gpu.glets) {
      if (!fits_memory(gpu, *glet, task.model)) continue;
      const bool is_asked_for = std::any_of(only.begin(), only.end(), [&](const Glet* other) {
        return glet->gpu == other->gpu && glet->twin == other->twin && glet->size == other->size;
      });
      const bool has_room = glet->occupancy < 1 &&
                            glet->tasks.size() < static_cast<std::size_t>(options_.tasks_per_glet);
      if (only.empty() ? has_room : is_asked_for) candidates.push_back(glet);
    }
  }
  std::sort(candidates.begin(), candidates.end(),
            [](const Glet* a, const Glet* b) { return a->occupancy > b->occupancy; });
  while (task.rate + task.extra > kGletSlackRps) {
    const bool found = std::any_of(candidates.begin(), candidates.end(),
                                   [&](Glet* glet) { return join(*glet, task); });
    if (!found) return false;
  }
  return true;
}

// One more task on a partition: the duty cycle becomes the new task's, a whole number of ms, and
// the others' batches follow. A smaller batch is not tried when the others then miss their SLOs.
bool GletScheduler::join(Glet& glet, GletTask& task) {
  if (serves(glet, task.model) || glet.occupancy >= 1) return false;
  int batch = std::min(static_cast<int>(glet.duty_ms * (task.rate / 1000.0)), kGletBatches);
  int duty = 0;
  float ms = 0;
  if (batch == 0) return false;
  for (; batch > 0; --batch) {
    duty = static_cast<int>(batch * 1000.0 / task.rate);
    ms = latency_ms(glet, task.model, batch);
    if (static_cast<float>(duty) + ms < static_cast<float>(task.slo_ms) &&
        ms / static_cast<float>(duty) < 1.0 - glet.occupancy) {
      break;
    }
  }
  if (batch == 0 || static_cast<float>(duty) > glet.duty_ms) return false;
  const auto cycle = static_cast<float>(duty);
  const auto batch_of = [&](const GletTask& other) {
    return std::max(1, static_cast<int>(duty / (1000.0 / other.rate)));
  };
  float sum = ms;
  int least_slo = task.slo_ms;
  for (const GletTask& other : glet.tasks) {
    sum += latency_ms(glet, other.model, batch_of(other));
    least_slo = std::min(least_slo, other.slo_ms);
  }
  if (sum / cycle > 1.0F || sum + cycle > static_cast<float>(least_slo)) return false;
  const auto rps = static_cast<float>(batch * (1000.0 / duty));
  for (GletTask& other : glet.tasks) {
    other.batch = std::min(kGletBatches, batch_of(other));
    other.rps = static_cast<float>(other.batch * 1000.0 / duty);
  }
  glet.tasks.push_back({task.model, task.rate, 0, task.slo_ms, batch, rps});
  const float rest = static_cast<float>(task.rate) - rps;
  task.rate = rest > 0 ? static_cast<int>(rest) : 0;
  charge_memory(gpus_[glet.gpu], glet, task.model);
  float occupancy = 0;
  for (const GletTask& each : glet.tasks) {
    occupancy += latency_ms(glet, each.model, each.batch) / cycle;
  }
  glet.duty_ms = cycle;
  glet.occupancy = occupancy;
  return true;
}

}  // namespace tangram::detail
