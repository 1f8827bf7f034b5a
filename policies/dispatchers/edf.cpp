// Earliest deadline first: an idle executor takes the most urgent request, and with it as many of
// the same queue as still let that one finish by its deadline.
#include <algorithm>

#include "policies/dispatchers/ranking.h"

namespace tangram {
namespace {

class Edf final : public WorkConserving<Edf> {
 public:
  explicit Edf(const Params& params)
      : slack_(params.ms("slack_ms")),
        max_batch_(static_cast<std::uint32_t>(params.integer("max_batch"))),
        drop_(params.boolean("drop")) {}

  void start(const View& view, Decisions& out) override {
    WorkConserving::start(view, out);
    fastest_.assign(view.queues(), Duration::max());
    for (const ExecutorClass& cls : view.deployment().classes) {
      for (const Service& service : cls.services) {
        Duration& fastest = fastest_[service.queue.index()];
        fastest = std::min(fastest, service.predicted[1]);
      }
    }
  }

  TimePoint rank(const View& view, QueueId q) const { return view.queue(q).deadline(0); }

  // Stops at the first size that is too slow, so a batch costs O(its size).
  std::uint32_t size(const View& view, ExecutorId e, QueueId q) const {
    const Queue& queue = view.queue(q);
    const Service& service = *view.service(e, q);
    const std::uint32_t limit = std::min({max_batch_, queue.size(), service.max_batch});
    const Duration left = queue.deadline(0) - view.now() - slack_;
    std::uint32_t n = 1;
    while (n < limit && service.predicted[n + 1] <= left) ++n;
    return n;
  }

  // A head is hopeless when even the fastest executor, starting now, would be late.
  bool prune(const View& view, QueueId q, Decisions& out) const {
    if (!drop_) return false;
    const Queue& queue = view.queue(q);
    const TimePoint finish = view.now() + fastest_[q.index()];
    std::uint32_t hopeless = 0;
    while (hopeless < queue.size() && queue.deadline(hopeless) < finish) ++hopeless;
    out.drop_oldest(q, hopeless, DropReason::kDeadline);
    return hopeless > 0;
  }

 private:
  Duration slack_;
  std::uint32_t max_batch_;
  bool drop_;
  std::vector<Duration> fastest_;  // by queue: one request alone on its fastest executor
};

}  // namespace

DispatcherEntry edf_dispatcher() {
  return describe_dispatcher<Edf>(
      {"edf",
       "an idle executor takes the request with the earliest deadline, and of its queue as many "
       "more "
       "as still let that one finish in time",
       "the textbook rule (Liu and Layland 1973) with batches; it never waits for more requests",
       {number_param("slack_ms", 0, 0, 60'000, "time kept back before each deadline"),
        integer_param("max_batch", 1024, 1, 1 << 20, "largest batch"),
        bool_param("drop", false,
                   "drop requests that even their fastest executor would finish late")}});
}

}  // namespace tangram
