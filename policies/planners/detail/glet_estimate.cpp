// What partitions a demand wants: saturated chunks of the efficient size and a residue, or the
// greedy baseline's smallest sufficient sizes.
#include <algorithm>
#include <string>

#include "policies/planners/detail/glet_limits.h"
#include "policies/planners/detail/glet_scheduler.h"
#include "sim/core/error.h"

namespace tangram::detail {

GletSaturation::GletSaturation(const GletCosts& costs,
                               const std::vector<GletTask>& demands,
                               const std::vector<int>& sizes)
    : models_(costs.models().size()), sizes_(sizes) {
  entries_.resize(costs.types().size() * models_ * sizes_.size());
  for (std::size_t type = 0; type < costs.types().size(); ++type) {
    for (const GletTask& demand : demands) {
      for (std::size_t s = 0; s < sizes_.size(); ++s) {
        const auto ms = [&](int batch) {
          return costs.alone_ms(type, demand.model, batch, sizes_[s]);
        };
        const auto slo = static_cast<float>(demand.slo_ms);
        // Where even batch 1 misses the SLO, the original silently takes batch 1.
        const int batch = std::max(1, bisected_batch([&](int b) { return 2 * ms(b) <= slo; }));
        entries_[(type * models_ + demand.model) * sizes_.size() + s] = {
            batch, static_cast<float>(batch * 1000.0 / ms(batch))};
      }
    }
  }
}

const GletSaturation::Entry& GletSaturation::at(std::size_t type,
                                                std::size_t model,
                                                int size) const {
  const auto found = std::find(sizes_.begin(), sizes_.end(), size);
  if (found == sizes_.end()) {
    throw NoAnswer("the released program aborts: it looks up a partition of " +
                   std::to_string(size) + " %, which it has no table for");
  }
  return entries_[(type * models_ + model) * sizes_.size() +
                  static_cast<std::size_t>(found - sizes_.begin())];
}

// Over adjacent sizes that gain at least 5 %. The last pair, 80 to 100, is never looked at.
int GletSaturation::efficient_size(std::size_t type, std::size_t model) const {
  constexpr float kLeastGain = 1.05F;
  if (sizes_.size() == 1) return sizes_.front();
  float best = 0;
  int size = sizes_.back();
  for (std::size_t i = sizes_.size() - 1; i > 1; --i) {
    const int low = sizes_[i];
    const int high = sizes_[i - 1];
    const float low_rps = at(type, model, low).rps;
    const float high_rps = at(type, model, high).rps;
    if (high_rps / low_rps < kLeastGain) continue;
    const float gain = (high_rps - low_rps) / static_cast<float>(high - low);
    if (gain > best) {
      best = gain;
      size = high;
    }
  }
  return size;
}

std::vector<Glet> GletScheduler::chunks_of(std::size_t type, const GletTask& task, int rate) const {
  if (options_.greedy) return greedy_chunks(type, task, rate);
  std::vector<Glet> chunks;
  const int size = saturation_.efficient_size(type, task.model);
  const GletSaturation::Entry& most = saturation_.at(type, task.model, size);
  while (rate > kGletSlackRps) {
    if (!(most.rps < static_cast<float>(rate))) {
      chunks.push_back(residue_chunk(type, task, rate, chunks.size()));
      break;
    }
    Glet chunk;
    chunk.gpu = chunks.size();
    chunk.type = type;
    chunk.size = size;
    chunk.occupancy = 1;
    chunk.duty_ms = costs_.alone_ms(type, task.model, most.batch, size);
    chunk.tasks.push_back({task.model, rate, 0, task.slo_ms, most.batch, most.rps});
    chunks.push_back(std::move(chunk));
    rate = static_cast<int>(static_cast<float>(rate) - most.rps);
  }
  return chunks;
}

// The largest batch at the efficient size, on the smallest size that still carries that batch.
Glet GletScheduler::residue_chunk(std::size_t type,
                                  const GletTask& task,
                                  int rate,
                                  std::size_t index) const {
  Glet chunk;
  chunk.gpu = index;
  chunk.type = type;
  chunk.size = saturation_.efficient_size(type, task.model);
  const auto alone = [&](int batch, int size) {
    return costs_.alone_ms(type, task.model, batch, size);
  };
  const auto slo = static_cast<float>(task.slo_ms);
  int batch = bisected_batch([&](int b) {
    return alone(b, chunk.size) + 1000 * static_cast<float>(b) / static_cast<float>(rate) <= slo;
  });
  if (batch == 0) {
    batch = batch_one(alone(1, chunk.size), task.slo_ms, costs_.latency_ratio(), rate);
  }
  if (batch == 0) {
    throw NoAnswer(
        "the released program reads an unset batch: " + costs_.models()[task.model].name +
        " misses its SLO even with batch 1 on " + std::to_string(chunk.size) + " %");
  }
  const int largest = chunk.size;
  for (const int size : options_.sizes) {
    if (size > largest) continue;
    const float ms = alone(batch, size);
    const auto duty = static_cast<float>(batch * 1000.0 / rate);
    if (duty < ms) {
      if (size == options_.sizes.front()) chunk.size = size;
      break;
    }
    if (slo < ms + duty) break;
    chunk.size = size;
  }
  const float ms = alone(batch, chunk.size);
  chunk.duty_ms = std::max(static_cast<float>(batch) * (1000.0F / static_cast<float>(rate)), ms);
  chunk.occupancy = ms / chunk.duty_ms;
  chunk.tasks.push_back({task.model, rate, 0, task.slo_ms, batch,
                         static_cast<float>(batch * 1000.0 / chunk.duty_ms)});
  return chunk;
}

// Rates are cut to integers; the batch is the saturated one, so that the duty cycle may exceed what
// the SLO leaves.
std::vector<Glet> GletScheduler::greedy_chunks(std::size_t type,
                                               const GletTask& task,
                                               int rate) const {
  std::vector<Glet> chunks;
  if (rate <= kGletSlackRps) return chunks;
  while (rate > 0) {
    Glet chunk;
    chunk.gpu = chunks.size();
    chunk.type = type;
    int batch = 0;
    int rps = 0;
    for (auto size = options_.sizes.rbegin(); size != options_.sizes.rend(); ++size) {
      const GletSaturation::Entry& most = saturation_.at(type, task.model, *size);
      chunk.size = *size;
      batch = most.batch;
      rps = static_cast<int>(most.rps);
      if (rps > rate) break;
    }
    if (rps == 0) {
      throw NoAnswer(
          "the released program aborts: a whole GPU carries less than one request/s of " +
          costs_.models()[task.model].name);
    }
    chunk.duty_ms = static_cast<float>(batch * (1000.0 / rate));
    chunk.occupancy = costs_.alone_ms(type, task.model, batch, chunk.size) / chunk.duty_ms;
    chunk.tasks.push_back({task.model, rate, 0, task.slo_ms, batch, static_cast<float>(rps)});
    chunks.push_back(std::move(chunk));
    rate -= rps;
  }
  return chunks;
}

// The type whose chunks add up to the least percent; between equals the one that a pair of
// partitions of loads least.
std::size_t GletScheduler::cheapest_type(const GletTask& task) const {
  constexpr int kMost = 100000;
  constexpr float kMostLoad = 10;
  std::vector<int> sums;
  for (std::size_t type = 0; type < costs_.types().size(); ++type) {
    int sum = 0;
    for (const Glet& chunk : chunks_of(type, task, task.rate)) sum += chunk.size;
    sums.push_back(sum);
  }
  int least = kMost;
  std::size_t best = 0;
  bool has_equals = false;
  for (std::size_t type = 0; type < sums.size(); ++type) {
    if (sums[type] == least) has_equals = true;
    if (sums[type] < least) {
      least = sums[type];
      best = type;
    }
  }
  if (!has_equals) return best;
  float least_load = kMostLoad;
  for (std::size_t type = 0; type < sums.size(); ++type) {
    if (sums[type] != least) continue;
    const int size = saturation_.efficient_size(type, task.model);
    float rps = saturation_.at(type, task.model, size).rps;
    rps += saturation_.at(type, task.model, 100 - size).rps;
    const float load = static_cast<float>(task.rate) / rps;
    if (least_load > load) {
      least_load = load;
      best = type;
    }
  }
  return best;
}

}  // namespace tangram::detail
