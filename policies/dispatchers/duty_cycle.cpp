// The runtime of gpulet and ParvaGPU plans: a batch goes when the planned size is reached or when
// its oldest request has waited for the duty cycle.
#include <algorithm>

#include "policies/dispatchers/holding.h"

namespace tangram {
namespace {

class DutyCycle final : public Holding<DutyCycle> {
 public:
  explicit DutyCycle(const Params& params) {
    if (params.has("drop_ratio")) drop_ratio_ = params.number("drop_ratio");
  }
  TimePoint due(const View& view, QueueId q, const Service& service) const {
    const Queue& queue = view.queue(q);
    return full_or_waited(queue, service.max_batch, patience(queue, service));
  }
  std::uint32_t size(const View& view, QueueId q, const Service& service) const {
    return std::min(view.queue(q).size(), service.max_batch);
  }
  bool prune(const View& view, QueueId q, Decisions& out) const {
    if (!drop_ratio_) return false;
    const Queue& queue = view.queue(q);
    const Duration limit = from_ns(*drop_ratio_ * static_cast<double>(queue.slo().count()));
    std::uint32_t stale = 0;
    while (stale < queue.size() && view.now() - queue[stale].arrival > limit) ++stale;
    if (stale > 0) out.drop_oldest(q, stale, DropReason::kTimeout);
    return stale > 0;
  }

 private:
  static Duration patience(const Queue& queue, const Service& service) {
    if (service.duty > Duration::zero()) return service.duty;
    return std::max(Duration::zero(), queue.slo() - service.predicted[service.max_batch]);
  }

  std::optional<double> drop_ratio_;
};

}  // namespace

DispatcherEntry duty_cycle_dispatcher() {
  return describe_dispatcher<DutyCycle>(
      {"duty_cycle",
       "dispatches when the planned batch is full or the oldest request has waited the plan's duty "
       "cycle; without one, SLO - latency(planned batch)",
       "gpulet's runtime (Choi et al., USENIX ATC 2022): scheduled batch or largest delay; "
       "ParvaGPU "
       "publishes no runtime, so its plans wait as long as their SLO allows. gpulet also takes "
       "early "
       "when a partition is behind its share of the rate, which is left out, and looks for what to "
       "drop every 5 ms, where this looks whenever it takes a batch",
       {number_param("drop_ratio", std::nullopt, 0, 1000,
                     "drop requests that have waited longer than so many SLOs (gpulet: 1); none: "
                     "serve everything")}});
}

}  // namespace tangram
