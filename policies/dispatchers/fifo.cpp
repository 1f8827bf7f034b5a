// First in, first out: an idle executor takes the request that has waited longest, alone.
#include "policies/dispatchers/ranking.h"

namespace tangram {
namespace {

class Fifo final : public WorkConserving<Fifo> {
 public:
  explicit Fifo(const Params&) {}
  TimePoint rank(const View& view, QueueId q) const { return view.queue(q).front().arrival; }
  std::uint32_t size(const View&, ExecutorId, QueueId) const { return 1; }
};

}  // namespace

DispatcherEntry fifo_dispatcher() {
  return describe_dispatcher<Fifo>(
      {"fifo",
       "an idle executor takes the request that has waited longest, alone",
       "the textbook queue; the default, and the policy of the M/M/c tests",
       {}});
}

}  // namespace tangram
