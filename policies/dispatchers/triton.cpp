// Triton's dynamic batcher with requests of one item: preferred batch sizes, a queue delay, a queue
// limit and a timeout.
#include <algorithm>

#include "policies/dispatchers/holding.h"

namespace tangram {
namespace {

class Triton final : public Holding<Triton> {
 public:
  explicit Triton(const Params& params)
      : max_batch_(static_cast<std::uint32_t>(params.integer("max_batch"))),
        delay_(params.ms("max_queue_delay_ms")),
        timeout_(params.ms("timeout_ms")) {
    if (params.has("preferred")) {
      for (const std::int64_t size : params.integers("preferred")) {
        preferred_.push_back(static_cast<std::uint32_t>(size));
      }
      std::sort(preferred_.begin(), preferred_.end());
    }
    const auto limit = static_cast<std::uint32_t>(params.integer("max_queue_size"));
    if (limit > 0) limit_ = limit;
  }

  // A batch goes as soon as it has any preferred size, and at the latest after the delay. A request
  // that has waited longer than the timeout must be looked at to be rejected.
  TimePoint due(const View& view, QueueId q, const Service& service) const {
    const Queue& queue = view.queue(q);
    const TimePoint due = full_or_waited(queue, smallest_preferred(service), delay_);
    return timeout_ > Duration::zero() ? std::min(due, expires(queue, 0)) : due;
  }

  // The largest preferred size that is there, unless the delay is exceeded: then all, up to the
  // largest batch. The same once nothing preferred is there.
  std::uint32_t size(const View& view, QueueId q, const Service& service) const {
    const Queue& queue = view.queue(q);
    const std::uint32_t pending = std::min(queue.size(), largest(service));
    const bool exceeded = delay_ > Duration::zero() && view.now() - queue.front().arrival >= delay_;
    const std::uint32_t preferred = preferred_within(pending, service);
    return preferred > 0 && !exceeded ? preferred : pending;
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
    return std::min(max_batch_, service.max_batch);
  }
  // Sizes beyond what an executor can take do not count there; without any left, its largest does.
  std::uint32_t smallest_preferred(const Service& service) const {
    const std::uint32_t most = largest(service);
    return !preferred_.empty() && preferred_.front() <= most ? preferred_.front() : most;
  }
  // The largest preferred size <= n; 0 when there is none.
  std::uint32_t preferred_within(std::uint32_t n, const Service& service) const {
    if (n < smallest_preferred(service)) return 0;
    const auto above = std::upper_bound(preferred_.begin(), preferred_.end(), n);
    return above == preferred_.begin() ? n : *(above - 1);
  }

  std::uint32_t max_batch_;
  std::vector<std::uint32_t> preferred_;  // ascending
  Duration delay_;
  Duration timeout_;
  std::uint32_t limit_ = ~std::uint32_t{0};
};

}  // namespace

DispatcherEntry triton_dispatcher() {
  return describe_dispatcher<Triton>(
      {"triton",
       "sends a preferred batch size as soon as it is there, else what is there after "
       "max_queue_delay_ms; with the defaults: what waits, at once",
       "the dynamic batcher of triton-inference-server/core 73aad7c for requests of one item. A "
       "free "
       "instance is an idle executor; one that serves several models takes the batch that was "
       "ready "
       "first. Left out: batches formed ahead while all instances are busy, priorities, the rate "
       "limiter, timeout_action delay, timeouts set by requests",
       {integer_param("max_batch", 1024, 1, 1 << 20, "max_batch_size"),
        integers_param("preferred", 1, 1 << 20,
                       "preferred_batch_size; sizes beyond what an executor can take are ignored "
                       "there; none: its largest batch"),
        number_param("max_queue_delay_ms", 0, 0, 3'600'000,
                     "longest wait of the oldest request for a preferred size"),
        integer_param("max_queue_size", 0, 0, 1 << 30,
                      "longest queue, newer requests are rejected; 0: no limit"),
        number_param(
            "timeout_ms", 0, 0, 3'600'000,
            "a request that has waited longer is rejected when an instance is free for it; "
            "0: none")}});
}

}  // namespace tangram
