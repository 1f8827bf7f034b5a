// Triton's dynamic batcher with requests of one item: preferred batch sizes, a queue delay, a queue
// limit and a timeout. With priority levels or the rate limiter: triton_levels.cpp.
#include "policies/dispatchers/triton.h"

#include <algorithm>

#include "policies/dispatchers/holding.h"

namespace tangram {
namespace {

class Triton final : public Holding<Triton> {
 public:
  explicit Triton(const Params& params)
      : rule_(triton::batch_rule(params)), timeout_(params.ms("timeout_ms")) {
    const auto limit = static_cast<std::uint32_t>(params.integer("max_queue_size"));
    if (limit > 0) limit_ = limit;
  }

  // A batch goes as soon as it has any preferred size, and at the latest after the delay. A request
  // that has waited longer than the timeout must be looked at to be rejected.
  TimePoint due(const View& view, QueueId q, const Service& service) const {
    const Queue& queue = view.queue(q);
    const TimePoint due =
        full_or_waited(queue, rule_.smallest_preferred(largest(service)), rule_.delay);
    return timeout_ > Duration::zero() ? std::min(due, expires(queue, 0)) : due;
  }

  std::uint32_t size(const View& view, QueueId q, const Service& service) const {
    const Queue& queue = view.queue(q);
    const std::uint32_t most = largest(service);
    return rule_.size(std::min(queue.size(), most), most, view.now() - queue.front().arrival);
  }

  // Requests expire in the order of arrival, because all have the same timeout.
  bool prune(const View& view, QueueId q, Decisions& out) const {
    if (timeout_ == Duration::zero()) return false;
    const Queue& queue = view.queue(q);
    std::uint32_t expired = 0;
    while (expired < queue.size() && expires(queue, expired) <= view.now()) ++expired;
    out.drop_oldest(q, expired, DropReason::kTimeout);
    return expired > 0;
  }

  std::uint32_t limit() const { return limit_; }

 private:
  TimePoint expires(const Queue& queue, std::uint32_t i) const {
    return queue[i].arrival + timeout_ + Duration(1);
  }
  std::uint32_t largest(const Service& service) const {
    return std::min(rule_.max_batch, service.max_batch);
  }

  triton::BatchRule rule_;
  Duration timeout_;
  std::uint32_t limit_ = ~std::uint32_t{0};
};

// Any parameter of the parts that the plain batcher does not have.
bool needs_levels(const Params& params) {
  if (params.integer("priority_levels") > 0 || params.choice("timeout_action") != "reject" ||
      params.choice("rate_limit") != "off") {
    return true;
  }
  return std::any_of(triton::kOnlyWithLevels.begin(), triton::kOnlyWithLevels.end(),
                     [&](const char* name) { return params.has(name); });
}

}  // namespace

DispatcherEntry triton_dispatcher() {
  constexpr std::int64_t kMost = 1 << 30;
  return {
      {"triton",
       "sends a preferred batch size as soon as it is there, else what is there after "
       "max_queue_delay_ms, higher priority levels first; with the defaults: what waits, at once",
       "the dynamic batcher and the rate limiter of triton-inference-server/core 73aad7c for "
       "requests of one item. A free instance is an idle executor; one that serves several models "
       "takes the batch that was ready first. Priorities belong to workloads, there to requests. "
       "Left out: batches formed ahead while all instances are busy, timeouts set by requests, "
       "more than one resource of a GPU and one of all",
       {integer_param("max_batch", 1024, 1, 1 << 20, "max_batch_size"),
        integers_param("preferred", 1, 1 << 20,
                       "preferred_batch_size; sizes beyond what an executor can take are ignored "
                       "there; none: its largest batch"),
        number_param("max_queue_delay_ms", 0, 0, 3'600'000,
                     "longest wait of the oldest request for a preferred size"),
        integer_param("max_queue_size", 0, 0, kMost,
                      "longest queue, newer requests are rejected; 0: no limit"),
        number_param("timeout_ms", 0, 0, 3'600'000,
                     "a request that has waited longer has expired; 0: none"),
        choice_param("timeout_action", "reject", {"reject", "delay"},
                     "with expired requests, when an instance is free for them: reject, or serve "
                     "after the others of their level"),
        integer_param("priority_levels", 0, 0, 100,
                      "workloads of one model share a queue of so many levels, 1 first; 0: each "
                      "has its own"),
        integer_param("default_priority_level", std::nullopt, 1, 100,
                      "of workloads without one; none: the last level"),
        integers_param("priorities", 0, 100,
                       "level of each workload, in their order; 0, or none: the default"),
        integers_param("level_timeout_us", 0, 3'600'000'000,
                       "of each level, in place of timeout_ms; 0: none"),
        integers_param("level_delay", 0, 1,
                       "of each level, in place of timeout_action; 0: reject, 1: delay"),
        integers_param("level_max_queue_size", 0, kMost,
                       "of each level, in place of max_queue_size; 0: no limit"),
        choice_param("rate_limit", "off", {"off", "execution_count"},
                     "execution_count: a batch holds what its model needs while it runs; idle "
                     "instances with a batch ready go in the order of executions x priority, and "
                     "the first holds up the others until there is enough for it"),
        integers_param("rate_needs", 0, kMost, "of its GPU's resource, by workload; none: 0"),
        integers_param("rate_global_needs", 0, kMost,
                       "of the resource that all GPUs share, by workload; none: 0"),
        integer_param("rate_per_gpu", std::nullopt, 0, kMost,
                      "there is of it on each GPU; none: the largest need of a model on it"),
        integer_param("rate_global", std::nullopt, 0, kMost,
                      "there is of the shared one; none: the largest need"),
        integers_param("rate_priorities", 1, 1'000'000,
                       "of a model's instances, by workload: 2 gets half the turns of 1; none: "
                       "1")}},
      [](const Params& params) -> std::unique_ptr<Dispatcher> {
        if (needs_levels(params)) return triton::make_levels(params);
        return std::make_unique<Triton>(params);
      }};
}

}  // namespace tangram
