// Paella-MS-kbk: a job's next kernel is launched when the one before it is known to be over.
#include "policies/stage_dispatcher.h"
#include "policies/stages/stream_pool.h"
#include "sim/core/ring.h"

namespace tangram {
namespace {

class StreamsKernel final : public StageDispatcher {
 public:
  explicit StreamsKernel(const Params& params)
      : pool_(static_cast<std::uint32_t>(params.integer("streams"))) {}
  StageSetup setup(const StageView& /*view*/) override {
    StageSetup setup;
    setup.finished = true;
    return setup;
  }
  void decide(const StageView& view, const StageMessage& message, StageDecisions& out) override {
    const JobId job = message.job;
    if (message.kind == StageMessage::Kind::kArrived) {
      waiting_.push_back(job);
    } else if (!view.over(job)) {
      out.launch(job, streams_[job.index()]);
    } else {
      pool_.give(streams_[job.index()]);
    }
    while (!waiting_.empty()) {
      const std::optional<std::uint32_t> stream = pool_.take();
      if (!stream) break;
      const JobId next = waiting_.front();
      waiting_.pop_front();
      if (next.index() >= streams_.size()) streams_.resize(next.index() + 1);
      streams_[next.index()] = *stream;
      out.launch(next, *stream);
    }
  }

 private:
  StreamPool pool_;
  Ring<JobId> waiting_;
  std::vector<std::uint32_t> streams_;  // by job
};

}  // namespace

StageDispatcherEntry streams_kernel_stage_dispatcher() {
  return describe_stage_dispatcher<StreamsKernel>(
      {"streams_kernel",
       "a stream per job, one kernel of a job at a time, launched when it is ready; no queue holds "
       "up what could run, and nothing keeps the device from filling up",
       "Paella (Ng et al., SOSP 2023), baseline Paella-MS-kbk",
       {integer_param("streams", 500, 1, 1 << 20, "in the pool")}});
}

}  // namespace tangram
