// What the parts of triton share: its settings, the rule that sizes a batch, and the rate limiter.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "policies/dispatcher.h"

namespace tangram::triton {

// Which batch goes, of requests of one item.
struct BatchRule {
  std::uint32_t max_batch = 1;
  std::vector<std::uint32_t> preferred;  // ascending
  Duration delay{};

  // Sizes beyond what an executor can take do not count there; without any left, its largest does.
  std::uint32_t smallest_preferred(std::uint32_t most) const {
    return !preferred.empty() && preferred.front() <= most ? preferred.front() : most;
  }
  // The largest preferred size that is pending, unless the delay is exceeded: then all. The same
  // when nothing preferred is there. Requires: 1 <= pending <= most.
  std::uint32_t size(std::uint32_t pending, std::uint32_t most, Duration oldest_waited) const {
    const bool exceeded = delay > Duration::zero() && oldest_waited >= delay;
    if (exceeded || pending < smallest_preferred(most)) return pending;
    const auto above = std::upper_bound(preferred.begin(), preferred.end(), pending);
    return above == preferred.begin() ? pending : *(above - 1);
  }
};

BatchRule batch_rule(const Params& params);

// Lists and numbers that mean something only with priority levels or the rate limiter.
inline constexpr std::array<const char*, 10> kOnlyWithLevels{"default_priority_level",
                                                             "priorities",
                                                             "level_timeout_us",
                                                             "level_delay",
                                                             "level_max_queue_size",
                                                             "rate_needs",
                                                             "rate_global_needs",
                                                             "rate_per_gpu",
                                                             "rate_global",
                                                             "rate_priorities"};

// What becomes of requests of one priority level while they wait.
struct LevelPolicy {
  Duration timeout{};   // 0: none
  bool delays = false;  // behind the others of the level once expired, in place of rejected
  std::uint32_t limit = ~std::uint32_t{0};
};

// When a request has waited for longer than the timeout. Requires: timeout > 0.
inline TimePoint expires(const Request& request, const LevelPolicy& level) {
  return request.arrival + level.timeout + Duration(1);
}

struct RateLimit {
  std::vector<std::int64_t> device_needs, global_needs, priorities;  // by workload; else 0, 0, 1
  // None: the largest need of a model that the GPU (or any GPU) serves, as the original.
  std::optional<std::int64_t> per_gpu, global;
};

// Parameters, read and checked against each other. Throws ConfigError with every fault.
struct Settings {
  Settings(const Params& params, const View& view);

  BatchRule rule;
  bool has_levels = false;            // workloads of a model share a queue of levels
  std::vector<LevelPolicy> levels;    // from level 1 on; one where there are no levels
  std::vector<std::uint32_t> places;  // by workload: index into levels
  std::optional<RateLimit> limiter;
};

// Instances wait in one line, ordered by executions times priority; the first goes when what it
// needs is free, and holds up all others until then.
class RateLimiter {
 public:
  RateLimiter(const RateLimit& limit, const View& view);

  // An instance is a model on an executor. Smaller goes first.
  std::uint64_t rank(const View& view, ExecutorId e, ModelId m) const {
    return executions_[place(view, e, m)] * priorities_[m.index()];
  }
  bool fits(const View& view, ExecutorId e, ModelId m) const {
    const std::size_t gpu = view.info(e).gpu.index();
    return used_by_gpu_[gpu] + device_needs_[m.index()] <= per_gpu_[gpu] &&
           used_ + global_needs_[m.index()] <= global_;
  }
  void take(const View& view, ExecutorId e, ModelId m);
  // Gives back what the executor's batch held, once it holds none.
  void release(const View& view, ExecutorId e);

 private:
  std::size_t place(const View& view, ExecutorId e, ModelId m) const {
    return e.index() * view.deployment().models.size() + m.index();
  }

  std::vector<std::int64_t> device_needs_, global_needs_;  // by model
  std::vector<std::uint64_t> priorities_;                  // by model
  std::vector<std::int64_t> per_gpu_;                      // by GPU
  std::int64_t global_ = 0;
  std::vector<std::int64_t> used_by_gpu_;
  std::int64_t used_ = 0;
  std::vector<std::uint64_t> executions_;  // by executor, by model
  std::vector<MaybeId<ModelId>> holder_;   // by executor: whose batch holds resources
};

// The dynamic batcher with priority levels, expired requests that only wait longer, and the rate
// limiter. Without any of these it decides what the plain one of triton.cpp does.
std::unique_ptr<Dispatcher> make_levels(const Params& params);

}  // namespace tangram::triton
