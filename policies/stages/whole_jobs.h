// The part that policies share which launch all stages of a job at once, each job in a stream of
// its own: which stream, and who waits when there is none.
#pragma once

#include <vector>

#include "policies/stage_dispatcher.h"
#include "policies/stages/stream_pool.h"
#include "sim/core/ring.h"

namespace tangram {

class WholeJobs {
 public:
  explicit WholeJobs(std::uint32_t streams) : pool_(streams) {}

  void arrived(const StageView& view, JobId job, StageDecisions& out) {
    waiting_.push_back(job);
    start(view, out);
  }
  void finished(const StageView& view, JobId job, StageDecisions& out) {
    if (!view.over(job)) return;
    pool_.give(streams_[job.index()]);
    start(view, out);
  }

 private:
  void start(const StageView& view, StageDecisions& out) {
    while (!waiting_.empty()) {
      const std::optional<std::uint32_t> stream = pool_.take();
      if (!stream) return;
      const JobId job = waiting_.front();
      waiting_.pop_front();
      if (job.index() >= streams_.size()) streams_.resize(job.index() + 1);
      streams_[job.index()] = *stream;
      const std::size_t stages = view.model_of(job).stages.size();
      for (std::size_t i = 0; i < stages; ++i) out.launch(job, *stream);
    }
  }

  StreamPool pool_;
  Ring<JobId> waiting_;
  std::vector<std::uint32_t> streams_;  // by job
};

}  // namespace tangram
