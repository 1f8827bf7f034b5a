// Triton's parameters, checked against each other and the workloads, and its rate limiter.
#include <initializer_list>
#include <string>

#include <fmt/format.h>

#include "policies/dispatchers/triton.h"
#include "sim/core/error.h"

namespace tangram::triton {

BatchRule batch_rule(const Params& params) {
  BatchRule rule;
  rule.max_batch = static_cast<std::uint32_t>(params.integer("max_batch"));
  rule.delay = params.ms("max_queue_delay_ms");
  if (params.has("preferred")) {
    for (const std::int64_t size : params.integers("preferred")) {
      rule.preferred.push_back(static_cast<std::uint32_t>(size));
    }
    std::sort(rule.preferred.begin(), rule.preferred.end());
  }
  return rule;
}

namespace {

std::string place_of(const char* name) {
  return fmt::format("/dispatcher/params/{}", name);
}

// A list of at most `most` values; those that are not given are nullopt.
std::vector<std::optional<std::int64_t>> list_of(
    const Params& params, const char* name, std::size_t most, const char* of_what, Faults& faults) {
  std::vector<std::optional<std::int64_t>> list(most);
  if (!params.has(name)) return list;
  const std::vector<std::int64_t>& given = params.integers(name);
  if (given.size() > most) {
    faults.add(place_of(name),
               fmt::format("{} values, but there are {} {}", given.size(), most, of_what));
  }
  for (std::size_t i = 0; i < std::min(most, given.size()); ++i) list[i] = given[i];
  return list;
}

std::vector<std::int64_t> or_else(const std::vector<std::optional<std::int64_t>>& list,
                                  std::int64_t value) {
  std::vector<std::int64_t> result;
  result.reserve(list.size());
  for (const std::optional<std::int64_t>& given : list) result.push_back(given.value_or(value));
  return result;
}

void check_needs(const Params& params,
                 const char* needs_name,
                 const char* there_name,
                 const std::vector<std::int64_t>& needs,
                 Faults& faults) {
  if (!params.has(there_name)) return;
  for (std::size_t w = 0; w < needs.size(); ++w) {
    if (needs[w] <= params.integer(there_name)) continue;
    faults.add(fmt::format("{}/{}", place_of(needs_name), w),
               fmt::format("needs {}, {} is {}: such a batch could never run", needs[w], there_name,
                           params.integer(there_name)));
  }
}

void fault_without(const Params& params,
                   std::initializer_list<const char*> names,
                   const char* what,
                   Faults& faults) {
  for (const char* name : names) {
    if (params.has(name))
      faults.add(place_of(name), fmt::format("has no meaning without {}", what));
  }
}

std::vector<LevelPolicy> read_levels(const Params& params, std::size_t count, Faults& faults) {
  const auto timeouts = list_of(params, "level_timeout_us", count, "priority_levels", faults);
  const auto delays = list_of(params, "level_delay", count, "priority_levels", faults);
  const auto limits = list_of(params, "level_max_queue_size", count, "priority_levels", faults);
  std::vector<LevelPolicy> levels(std::max<std::size_t>(count, 1));
  for (std::size_t i = 0; i < levels.size(); ++i) {
    LevelPolicy& level = levels[i];
    level.timeout = params.ms("timeout_ms");
    level.delays = params.choice("timeout_action") == "delay";
    std::int64_t limit = params.integer("max_queue_size");
    if (i < count) {
      if (timeouts[i]) level.timeout = Duration(*timeouts[i] * 1000);
      if (delays[i]) level.delays = *delays[i] == 1;
      limit = limits[i].value_or(limit);
    }
    if (limit > 0) level.limit = static_cast<std::uint32_t>(limit);
  }
  return levels;
}

RateLimit read_limit(const Params& params, std::size_t workloads, Faults& faults) {
  RateLimit limit;
  limit.device_needs = or_else(list_of(params, "rate_needs", workloads, "workloads", faults), 0);
  limit.global_needs =
      or_else(list_of(params, "rate_global_needs", workloads, "workloads", faults), 0);
  limit.priorities = or_else(list_of(params, "rate_priorities", workloads, "workloads", faults), 1);
  if (params.has("rate_per_gpu")) limit.per_gpu = params.integer("rate_per_gpu");
  if (params.has("rate_global")) limit.global = params.integer("rate_global");
  check_needs(params, "rate_needs", "rate_per_gpu", limit.device_needs, faults);
  check_needs(params, "rate_global_needs", "rate_global", limit.global_needs, faults);
  return limit;
}

}  // namespace

Settings::Settings(const Params& params, const View& view) : rule(batch_rule(params)) {
  Faults faults;
  const std::size_t workloads = view.deployment().workloads.size();
  const std::int64_t count = params.integer("priority_levels");
  has_levels = count > 0;
  levels = read_levels(params, static_cast<std::size_t>(count), faults);
  places.resize(workloads);
  if (!has_levels) {
    fault_without(params,
                  {"default_priority_level", "priorities", "level_timeout_us", "level_delay",
                   "level_max_queue_size"},
                  "priority_levels", faults);
  } else {
    const std::int64_t fallback =
        params.has("default_priority_level") ? params.integer("default_priority_level") : count;
    if (fallback > count) {
      faults.add(place_of("default_priority_level"),
                 fmt::format("level {}, priority_levels is {}", fallback, count));
    }
    const auto given = list_of(params, "priorities", workloads, "workloads", faults);
    for (std::size_t w = 0; w < workloads; ++w) {
      const std::int64_t level = given[w].value_or(0) == 0 ? fallback : *given[w];
      if (level > count && given[w].value_or(0) > 0) {
        faults.add(fmt::format("{}/{}", place_of("priorities"), w),
                   fmt::format("level {}, priority_levels is {}", level, count));
      }
      places[w] = static_cast<std::uint32_t>(std::min(level, count) - 1);
    }
  }
  if (params.choice("rate_limit") == "off") {
    fault_without(
        params,
        {"rate_needs", "rate_global_needs", "rate_per_gpu", "rate_global", "rate_priorities"},
        "rate_limit execution_count", faults);
  } else {
    limiter = read_limit(params, workloads, faults);
  }
  faults.throw_if_any();
}

RateLimiter::RateLimiter(const RateLimit& limit, const View& view) {
  const Deployment& deployment = view.deployment();
  const std::size_t models = deployment.models.size();
  device_needs_.resize(models);
  global_needs_.resize(models);
  priorities_.assign(models, 1);
  // Instances belong to a model: of its workloads the largest need and priority count.
  for (std::size_t w = 0; w < deployment.workloads.size(); ++w) {
    const std::size_t m = deployment.model_of[w].index();
    device_needs_[m] = std::max(device_needs_[m], limit.device_needs[w]);
    global_needs_[m] = std::max(global_needs_[m], limit.global_needs[w]);
    priorities_[m] = std::max(priorities_[m], static_cast<std::uint64_t>(limit.priorities[w]));
  }
  per_gpu_.assign(deployment.gpus.size(), limit.per_gpu.value_or(0));
  global_ = limit.global.value_or(0);
  used_by_gpu_.resize(deployment.gpus.size());
  for (const ExecutorInfo& executor : deployment.executors) {
    for (const Service& service : deployment.classes[executor.cls.index()].services) {
      const std::size_t m = view.info(service.queue).model.index();
      std::int64_t& there = per_gpu_[executor.gpu.index()];
      if (!limit.per_gpu) there = std::max(there, device_needs_[m]);
      if (!limit.global) global_ = std::max(global_, global_needs_[m]);
    }
  }
  executions_.resize(view.executors() * models);
  holder_.resize(view.executors());
}

void RateLimiter::take(const View& view, ExecutorId e, ModelId m) {
  used_by_gpu_[view.info(e).gpu.index()] += device_needs_[m.index()];
  used_ += global_needs_[m.index()];
  ++executions_[place(view, e, m)];
  holder_[e.index()] = m;
}

void RateLimiter::release(const View& view, ExecutorId e) {
  const MaybeId<ModelId> m = holder_[e.index()];
  if (!m || view.executor(e).outstanding > 0) return;
  used_by_gpu_[view.info(e).gpu.index()] -= device_needs_[(*m).index()];
  used_ -= global_needs_[(*m).index()];
  holder_[e.index()] = {};
}

}  // namespace tangram::triton
