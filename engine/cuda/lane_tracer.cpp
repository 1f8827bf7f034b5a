#include "engine/cuda/lane_tracer.h"

#ifdef TANGRAM_WITH_CUPTI
#include "engine/cuda/kernel_trace.h"
#include "engine/cuda/trace_batches.h"
#endif

namespace tangram {

#ifdef TANGRAM_WITH_CUPTI

LaneTracer::LaneTracer(bool is_wanted) : why_not_("kernel lists: not asked for at the start") {
  if (!is_wanted) return;
  try {
    trace_ = std::make_unique<KernelTrace>();
  } catch (const RunnerError& error) {
    why_not_ = error.what();
  }
}

LaneTracer::~LaneTracer() = default;

std::vector<Kernel> LaneTracer::kernels(Lane& lane, std::uint32_t model, std::uint32_t batch) {
  const std::scoped_lock lock(mutex_);
  if (!trace_) throw RunnerError(RunnerFault::kUnsupported, why_not_);
  return trace_batches(*trace_, lane, model, {batch}, kTraceWarmUps, kTracedRuns);
}

#else

class KernelTrace {};

LaneTracer::LaneTracer(bool /*is_wanted*/)
    : why_not_("kernel lists: this program was built without CUPTI's headers") {}

LaneTracer::~LaneTracer() = default;

std::vector<Kernel> LaneTracer::kernels(Lane&, std::uint32_t, std::uint32_t) {
  throw RunnerError(RunnerFault::kUnsupported, why_not_);
}

#endif

}  // namespace tangram
