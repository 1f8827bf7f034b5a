// Paella-MS-jbj: every job, all its stages at once, into a stream of its own.
#include "policies/stages/whole_jobs.h"

namespace tangram {
namespace {

class StreamsJob final : public StageDispatcher {
 public:
  explicit StreamsJob(const Params& params)
      : jobs_(static_cast<std::uint32_t>(params.integer("streams"))) {}
  StageSetup setup(const StageView& /*view*/) override { return {}; }
  void decide(const StageView& view, const StageMessage& message, StageDecisions& out) override {
    if (message.kind == StageMessage::Kind::kArrived) {
      jobs_.arrived(view, message.job, out);
    } else {
      jobs_.finished(view, message.job, out);
    }
  }

 private:
  WholeJobs jobs_;
};

}  // namespace

StageDispatcherEntry streams_job_stage_dispatcher() {
  return describe_stage_dispatcher<StreamsJob>(
      {"streams_job",
       "a stream per job, all its kernels launched at once; jobs that share a hardware queue hold "
       "each other up",
       "Paella (Ng et al., SOSP 2023), baseline Paella-MS-jbj",
       {integer_param("streams", 500, 1, 1 << 20, "in the pool")}});
}

}  // namespace tangram
