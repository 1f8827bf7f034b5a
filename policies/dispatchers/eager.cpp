// Eager batching: an idle executor takes all that waits in the most urgent queue, up to a limit.
#include <algorithm>

#include "policies/dispatchers/ranking.h"

namespace tangram {
namespace {

class Eager final : public WorkConserving<Eager> {
 public:
  explicit Eager(const Params& params)
      : max_batch_(static_cast<std::uint32_t>(params.integer("max_batch"))) {}
  TimePoint rank(const View& view, QueueId q) const { return view.queue(q).deadline(0); }
  std::uint32_t size(const View& view, ExecutorId e, QueueId q) const {
    return std::min({max_batch_, view.queue(q).size(), view.max_batch(e, q)});
  }

 private:
  std::uint32_t max_batch_;
};

}  // namespace

DispatcherEntry eager_dispatcher() {
  return describe_dispatcher<Eager>(
      {"eager",
       "an idle executor takes what waits in the queue with the earliest deadline, up to max_batch",
       "work-conserving batching without waiting or drops, as Triton does with its defaults",
       {integer_param("max_batch", 1024, 1, 1 << 20, "largest batch")}});
}

}  // namespace tangram
