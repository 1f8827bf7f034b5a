// The runtime of gpulet and ParvaGPU plans: a batch goes when the planned size is reached or when
// its oldest request has waited for the duty cycle.
#include <algorithm>

#include "policies/dispatchers/holding.h"

namespace tangram {
namespace {

class DutyCycle final : public Holding<DutyCycle> {
 public:
  explicit DutyCycle(const Params&) {}
  TimePoint due(const View& view, QueueId q, const Service& service) const {
    const Queue& queue = view.queue(q);
    return full_or_waited(queue, service.max_batch, patience(queue, service));
  }
  std::uint32_t size(const View& view, QueueId q, const Service& service) const {
    return std::min(view.queue(q).size(), service.max_batch);
  }

 private:
  static Duration patience(const Queue& queue, const Service& service) {
    if (service.duty > Duration::zero()) return service.duty;
    return std::max(Duration::zero(), queue.slo() - service.predicted[service.max_batch]);
  }
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
       "when a partition is behind its share of the rate, which is left out",
       {}});
}

}  // namespace tangram
