// Streams without a server, as an application with one submitting thread uses CUDA.
#include "policies/stages/whole_jobs.h"

namespace tangram {
namespace {

class CudaMultistream final : public StageDispatcher {
 public:
  explicit CudaMultistream(const Params& params)
      : jobs_(params.boolean("ideal") ? static_cast<std::uint32_t>(params.integer("streams")) : 1) {
  }
  StageSetup setup(const StageView& /*view*/) override {
    StageSetup setup;
    setup.server = false;
    return setup;
  }
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

StageDispatcherEntry cuda_multistream_stage_dispatcher() {
  return describe_stage_dispatcher<CudaMultistream>(
      {"cuda_multistream",
       "a stream per job, as Paella's artifact really ran it: its copies synchronise with all "
       "streams, so that jobs run one at a time",
       "Paella's artifact, baseline CUDA-MS (inputs are copied on the legacy default stream); with "
       "ideal, what it was meant to do: streams_job without a server's cost",
       {bool_param("ideal", false, "jobs overlap"),
        integer_param("streams", 125, 1, 1 << 20, "in the pool, when they overlap")}});
}

}  // namespace tangram
