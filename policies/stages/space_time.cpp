// Space-time scheduling: equal kernels of several requests run as one, kernels of different models
// side by side.
#include <algorithm>
#include <map>

#include "policies/stage_dispatcher.h"
#include "policies/stages/stream_pool.h"

namespace tangram {
namespace {

class SpaceTime final : public StageDispatcher {
 public:
  explicit SpaceTime(const Params& params)
      : most_(static_cast<std::size_t>(params.integer("max_merge"))),
        parallel_(static_cast<std::uint32_t>(params.integer("parallel"))) {}

  StageSetup setup(const StageView& view) override {
    models_.assign(view.models().size(), Model());
    StageSetup setup;
    setup.finished = true;
    return setup;
  }

  void decide(const StageView& view, const StageMessage& message, StageDecisions& out) override {
    const JobId job = message.job;
    Model& model = models_[view.job(job).workload.index()];
    if (message.kind == StageMessage::Kind::kFinished) {
      const std::uint32_t stream = stream_of(job);
      // The last of the requests that shared the launch frees its place.
      if (--sharing_[stream] == 0) {
        pool_.give(stream);
        --model.running;
      }
    }
    if (!view.over(job)) model.ready[view.job(job).launched].push_back(job);
    while (model.running < parallel_ && !model.ready.empty()) launch(model, out);
  }

 private:
  struct Model {
    std::map<std::uint32_t, std::vector<JobId>> ready;  // requests by their next stage
    std::uint32_t running = 0;                          // launches under way
  };

  // The stage for which most requests wait; of equals the furthest one, which frees a request
  // soonest.
  void launch(Model& model, StageDecisions& out) {
    auto best = model.ready.begin();
    for (auto it = model.ready.begin(); it != model.ready.end(); ++it) {
      if (std::min(it->second.size(), most_) >= std::min(best->second.size(), most_)) best = it;
    }
    std::vector<JobId>& waiting = best->second;
    const std::size_t count = std::min(waiting.size(), most_);
    const std::vector<JobId> together(waiting.begin(),
                                      waiting.begin() + static_cast<std::ptrdiff_t>(count));
    waiting.erase(waiting.begin(), waiting.begin() + static_cast<std::ptrdiff_t>(count));
    if (waiting.empty()) model.ready.erase(best);
    const std::uint32_t stream = *pool_.take();
    if (stream >= sharing_.size()) sharing_.resize(stream + 1);
    sharing_[stream] = static_cast<std::uint32_t>(count);
    for (const JobId job : together) {
      if (job.index() >= streams_.size()) streams_.resize(job.index() + 1);
      streams_[job.index()] = stream;
    }
    ++model.running;
    out.launch_merged(together, stream);
  }

  std::uint32_t stream_of(JobId job) const { return streams_[job.index()]; }

  std::size_t most_;
  std::uint32_t parallel_;
  StreamPool pool_;
  std::vector<Model> models_;           // by workload
  std::vector<std::uint32_t> streams_;  // by job: of its launch
  std::vector<std::uint32_t> sharing_;  // by stream: requests of its launch that are not over
};

}  // namespace

StageDispatcherEntry space_time_stage_dispatcher() {
  return describe_stage_dispatcher<SpaceTime>(
      {"space_time",
       "requests of a workload that wait for the same kernel get it in one launch; launches of "
       "different workloads share the device",
       "Dynamic Space-Time Scheduling (Jain et al., 2018, arXiv 1901.00041): super-kernels in "
       "time, "
       "models side by side in space; merged here are requests of one workload, and without a "
       "waiting window",
       {integer_param("max_merge", 32, 1, 1024, "requests in one launch"),
        integer_param("parallel", 1, 1, 1024, "launches of a workload at once")}});
}

}  // namespace tangram
