// A process per workload, each launching its own jobs whole: what mps_clients and time_sliced
// share.
#pragma once

#include <vector>

#include "policies/stages/whole_jobs.h"

namespace tangram {

class PerClient : public StageDispatcher {
 public:
  PerClient(const Params& params, bool time_sliced)
      : streams_(static_cast<std::uint32_t>(params.integer("streams"))),
        time_sliced_(time_sliced) {}
  StageSetup setup(const StageView& view) override {
    clients_.assign(view.models().size(), WholeJobs(streams_));
    StageSetup setup;
    setup.client_per_workload = true;
    setup.time_sliced = time_sliced_;
    setup.server = false;
    return setup;
  }
  void decide(const StageView& view, const StageMessage& message, StageDecisions& out) override {
    WholeJobs& client = clients_[view.job(message.job).workload.index()];
    if (message.kind == StageMessage::Kind::kArrived) {
      client.arrived(view, message.job, out);
    } else {
      client.finished(view, message.job, out);
    }
  }

 private:
  std::uint32_t streams_;
  bool time_sliced_;
  std::vector<WholeJobs> clients_;  // by workload
};

}  // namespace tangram
