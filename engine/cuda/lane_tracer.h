// Kernel lists of the lanes of one worker process, for both runners on CUDA. Built without CUPTI's
// headers, too: it then says so when it is asked.
#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "engine/worker/runner.h"

namespace tangram {

class KernelTrace;

class LaneTracer {
 public:
  // Begins to record where that is wanted (WorkerSpec::lists_kernels): make it before the process
  // makes a context. Throws nothing; a machine without CUPTI is told of by kernels().
  explicit LaneTracer(bool is_wanted);
  ~LaneTracer();
  LaneTracer(const LaneTracer&) = delete;
  LaneTracer& operator=(const LaneTracer&) = delete;

  // The kernels of one batch of a loaded model, with the medians of kTracedRuns runs after
  // kTraceWarmUps. The other lanes must be idle. Throws RunnerError: kUnsupported where they cannot
  // be listed, or differ from run to run.
  std::vector<Kernel> kernels(Lane& lane, std::uint32_t model, std::uint32_t batch);
  static constexpr unsigned kTraceWarmUps = 3;
  static constexpr unsigned kTracedRuns = 5;

 private:
  std::mutex mutex_;
  std::unique_ptr<KernelTrace> trace_;
  std::string why_not_;
};

}  // namespace tangram
