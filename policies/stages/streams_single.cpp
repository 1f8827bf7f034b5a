// Paella-SS: every job, all its stages at once, into one stream.
#include "policies/stage_dispatcher.h"

namespace tangram {
namespace {

class StreamsSingle final : public StageDispatcher {
 public:
  explicit StreamsSingle(const Params& /*params*/) {}
  StageSetup setup(const StageView& /*view*/) override { return {}; }
  void decide(const StageView& view, const StageMessage& message, StageDecisions& out) override {
    if (message.kind != StageMessage::Kind::kArrived) return;
    const std::size_t stages = view.model_of(message.job).stages.size();
    for (std::size_t i = 0; i < stages; ++i) out.launch(message.job, 0);
  }
};

}  // namespace

StageDispatcherEntry streams_single_stage_dispatcher() {
  return describe_stage_dispatcher<StreamsSingle>(
      {"streams_single",
       "one stream: whole jobs in the order of arrival, one kernel at a time",
       "Paella (Ng et al., SOSP 2023), baseline Paella-SS",
       {}});
}

}  // namespace tangram
