// The released gpulet scheduler's first attempt: chunks on the empty partitions that fit them best.
#include <algorithm>
#include <map>

#include "policies/planners/detail/glet_limits.h"
#include "policies/planners/detail/glet_scheduler.h"
#include "sim/core/error.h"

namespace tangram::detail {

// An unpartitioned GPU or a partition of the very size beats any other, and the last such wins;
// else the smallest surplus, the last one too.
Glet* GletScheduler::best_fit(const Glet& chunk, const std::vector<Glet*>& taken) {
  constexpr int kNone = 200;
  const GletTask& task = chunk.tasks.front();
  int least = kNone;
  Glet* best = nullptr;
  for (GletGpu& gpu : gpus_) {
    if (gpu.type != chunk.type) continue;
    for (Glet* glet : gpu.glets) {
      if (glet->size < chunk.size || !glet->tasks.empty()) continue;
      if (std::find(taken.begin(), taken.end(), glet) != taken.end()) continue;
      if (!fits_memory(gpu, *glet, task.model)) continue;
      const float ms = latency_ms(*glet, task.model, task.batch);
      if (ms + chunk.duty_ms > static_cast<float>(task.slo_ms)) continue;
      if (neighbour_forbids(*glet)) continue;
      if (glet->size == 100 && options_.sizes.size() > 1) {
        least = 0;
        best = glet;
      }
      if (least >= glet->size - chunk.size) {
        least = glet->size - chunk.size;
        best = glet;
      }
    }
  }
  return best;
}

// Meant to ask what interference does to the neighbour. The original compares the neighbour with
// itself, so that its factor is always 1; this is what remains, with interference or without.
bool GletScheduler::neighbour_forbids(const Glet& glet) const {
  if (glet.size == 100) return false;
  for (const Glet* other : gpus_[glet.gpu].glets) {
    if (other->size == glet.size && other->twin == glet.twin) continue;
    for (const GletTask& task : other->tasks) {
      const float ms = costs_.batching_ms(glet.type, task.model, task.batch) + other->duty_ms;
      if (ms + other->duty_ms > static_cast<float>(task.slo_ms)) return true;
    }
    return false;
  }
  return false;
}

// Whether all chunks would find a place. Partitions of equal size on one GPU are not told apart.
bool GletScheduler::fits_dry(const std::vector<Glet>& chunks) {
  std::vector<Glet*> full;
  std::map<Glet*, int> left;  // percent
  for (const Glet& chunk : chunks) {
    Glet* found = nullptr;
    while (true) {
      found = best_fit(chunk, full);
      if (found == nullptr) return false;
      if (left.try_emplace(found, found->size).first->second >= chunk.size) break;
      full.push_back(found);
    }
    int& rest = left[found];
    rest = options_.may_split && rest == 100 ? rest - chunk.size : 0;
    if (rest == 0) full.push_back(found);
  }
  return true;
}

Glet* GletScheduler::split(Glet& glet, int size) {
  glet.size = size;
  Glet rest;
  rest.gpu = glet.gpu;
  rest.size = 100 - size;
  rest.twin = size == 50 ? 1 : 0;
  return add_glet(gpus_[glet.gpu], std::move(rest));
}

// Works a chunk out again for a larger partition. Its neighbours' interference is taken from the
// GPU whose number is the chunk's, as the original does.
bool GletScheduler::fit_chunk(Glet& chunk, int size) const {
  GletTask& task = chunk.tasks.front();
  const bool is_residue = chunk.occupancy != 1;
  chunk.size = size;
  task.batch = is_residue ? residue_batch(chunk, task, task.rate) : saturated_batch(chunk, task);
  if (task.batch == 0) return false;
  const float ms = latency_ms(chunk, task.model, task.batch);
  chunk.duty_ms = ms;
  if (is_residue) {
    chunk.duty_ms =
        std::max(static_cast<float>(task.batch) * 1000.0F / static_cast<float>(task.rate), ms);
  }
  task.rps = static_cast<float>(task.batch * 1000.0 / chunk.duty_ms);
  chunk.occupancy = ms / chunk.duty_ms;
  return true;
}

// What is placed stays placed when a later chunk fails.
bool GletScheduler::allocate(std::vector<Glet>& chunks, GletTask& task) {
  for (Glet& chunk : chunks) {
    Glet* place = best_fit(chunk, {});
    if (place == nullptr) return false;
    const int wanted = chunk.size;
    if (place->size != 100 && place->size > wanted && !fit_chunk(chunk, place->size)) return false;
    if (place->size == 100 && wanted < 100 && options_.may_split) split(*place, wanted);
    if (options_.may_split) place->size = chunk.size;
    place->occupancy = chunk.occupancy;
    place->duty_ms = chunk.duty_ms;
    place->tasks = chunk.tasks;
    GletGpu& gpu = gpus_[place->gpu];
    charge_memory(gpu, *place, task.model);
    if (options_.interference) {
      for (Glet* glet : gpu.glets) {
        if (glet->occupancy == 1) {
          if (!adjust_saturated(*glet, task)) return false;
        } else {
          adjust_residue(*glet);
        }
      }
    }
    task.rate = static_cast<int>(static_cast<float>(task.rate) - place->tasks.front().rps);
  }
  if (task.rate + task.extra > kGletSlackRps) return false;
  task.rate = 0;
  return true;
}

// Lowers the throughput to what interference leaves, and the batch until it meets the SLO. What is
// lost is added to the demand being placed, whoever's it was.
bool GletScheduler::adjust_saturated(Glet& glet, GletTask& pays) const {
  if (glet.tasks.size() != 1) {
    throw NoAnswer(
        "the released program aborts: it takes a partition for saturated that does not have "
        "exactly one task");
  }
  GletTask& task = glet.tasks.front();
  const auto slo = static_cast<float>(task.slo_ms);
  const float before = task.rps;
  float ms = latency_ms(glet, task.model, task.batch);
  if (2 * ms < slo) {
    task.rps = static_cast<float>(task.batch * 1000.0 / ms);
    pays.extra += std::max(0, static_cast<int>(before - task.rps));
    return true;
  }
  int batch = task.batch;
  float duty = glet.duty_ms;
  while (slo < 2 * ms) {
    if (--batch == 0) return false;
    ms = latency_ms(glet, task.model, batch);
    duty = ms;
  }
  task.batch = batch;
  glet.duty_ms = duty;
  task.rps = static_cast<float>(batch * (1000.0 / duty));
  if (before > task.rps) pays.extra += static_cast<int>(before - task.rps);
  return true;
}

// Shrinks batches and the duty cycle where they miss an SLO by more than 5 %. The duty cycle
// shrinks by the product of all the ratios on the way.
bool GletScheduler::adjust_residue(Glet& glet) const {
  constexpr double kSlack = 1.05;
  const float sum = latency_sum(glet);
  const bool is_fine =
      std::none_of(glet.tasks.begin(), glet.tasks.end(),
                   [&](const GletTask& task) { return sum + glet.duty_ms > task.slo_ms * kSlack; });
  if (is_fine) return true;
  std::vector<int> batches;
  float least_duty = 0;
  for (const GletTask& task : glet.tasks) {
    int batch = task.batch;
    float duty = glet.duty_ms;
    float ms = latency_ms(glet, task.model, batch);
    const float others = sum - ms;
    while (static_cast<float>(task.slo_ms) < others + ms + duty) {
      if (--batch == 0) return false;
      ms = latency_ms(glet, task.model, batch);
      duty = duty * (static_cast<float>(batch) / static_cast<float>(task.batch));
    }
    least_duty = batches.empty() ? duty : std::min(least_duty, duty);
    batches.push_back(batch);
  }
  for (std::size_t i = 0; i < batches.size(); ++i) {
    GletTask& task = glet.tasks[i];
    task.batch = batches[i];
    task.rps = static_cast<float>(1000 * task.batch) / least_duty;
  }
  glet.duty_ms = least_duty;
  glet.occupancy = latency_sum(glet) / least_duty;
  return true;
}

}  // namespace tangram::detail
