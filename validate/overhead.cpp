#include "validate/overhead.h"

#include <algorithm>
#include <vector>

#include "validate/compare.h"

namespace tangram {

double BatchOverhead::overhead_ms() const {
  return std::max(0.0, dispatch_ms + execution_ms);
}

BatchOverhead fit_overhead(std::span<const StoredResult> real) {
  BatchOverhead overhead;
  Int128 dispatch = 0;
  Int128 execution = 0;
  for (const StoredResult& result : real) {
    const TimePoint warmup = warmup_of(result);
    for (const StoredRun& run : result.runs) {
      std::vector<TimePoint> free(result.executors.size(), kStart);
      for (const BatchSpan& span : run.timeline) {
        const TimePoint could = std::max(span.decided, free[span.executor.index()]);
        free[span.executor.index()] = span.end;
        if (span.start < warmup) continue;
        ++overhead.batches;
        dispatch += std::max(Duration{}, span.start - could).count();
        execution += (span.end - span.start - span.predicted).count();
      }
    }
  }
  if (overhead.batches == 0) return overhead;
  const auto n = static_cast<double>(overhead.batches);
  overhead.dispatch_ms = static_cast<double>(dispatch) / n * 1e-6;
  overhead.execution_ms = static_cast<double>(execution) / n * 1e-6;
  return overhead;
}

}  // namespace tangram
