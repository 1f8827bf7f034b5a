// Least slack first: an idle executor takes the request that must start soonest, alone; requests
// that can no longer make it are given up.
#include <algorithm>

#include "policies/dispatchers/ranking.h"

namespace tangram {
namespace {

class LeastSlack final : public WorkConserving<LeastSlack> {
 public:
  explicit LeastSlack(const Params& params) : margin_(params.ms("margin_ms")) {}

  // The key of a waiting queue: when its oldest request must start, as predicted for the first
  // executor that serves it.
  TimePoint rank(const View& view, QueueId q) const {
    const ExecutorId e = view.group(view.groups_of(q).front()).executors.front();
    return std::max(kStart, view.queue(q).deadline(0) - view.predict(e, q, 1) - margin_);
  }

  std::uint32_t size(const View&, ExecutorId, QueueId) const { return 1; }

  // Called before each batch. A drop takes effect at once, so the queue is ranked again after it.
  bool prune(const View& view, QueueId q, Decisions& out) const {
    if (rank(view, q) >= view.now()) return false;
    out.drop_oldest(q, 1, DropReason::kDeadline);
    return true;
  }

 private:
  Duration margin_;
};

}  // namespace

DispatcherEntry least_slack_dispatcher() {
  return describe_dispatcher<LeastSlack>(
      {"least_slack",
       "an idle executor takes the request that must start soonest; hopeless ones are dropped",
       "the example of docs/guide/add-a-dispatcher.md",
       {number_param("margin_ms", 0, 0, 1000, "time kept back before each deadline")}});
}

}  // namespace tangram
