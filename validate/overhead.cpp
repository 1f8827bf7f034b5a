#include "validate/overhead.h"

#include <algorithm>
#include <vector>

#include <fmt/format.h>

#include "validate/compare.h"

namespace tangram {
namespace {

// Sums over batches, ns.
struct Sums {
  std::uint64_t batches = 0;
  Int128 dispatch = 0, execution = 0;

  BatchOverhead mean() const {
    if (batches == 0) return {};
    const auto n = static_cast<double>(batches);
    return {batches, static_cast<double>(dispatch) / n * 1e-6,
            static_cast<double>(execution) / n * 1e-6};
  }
};

std::map<std::string, Sums> sums_by_model(std::span<const StoredResult> real) {
  std::map<std::string, Sums> models;
  for (const StoredResult& result : real) {
    const TimePoint warmup = warmup_of(result);
    for (const StoredRun& run : result.runs) {
      std::vector<TimePoint> free(result.executors.size(), kStart);
      for (const BatchSpan& span : run.timeline) {
        const TimePoint could = std::max(span.decided, free[span.executor.index()]);
        free[span.executor.index()] = span.end;
        if (span.start < warmup) continue;
        Sums& sums = models[run.workloads[span.workload.index()].model];
        ++sums.batches;
        sums.dispatch += std::max(Duration{}, span.start - could).count();
        sums.execution += (span.end - span.start - span.predicted).count();
      }
    }
  }
  return models;
}

}  // namespace

double BatchOverhead::overhead_ms() const {
  return std::max(0.0, dispatch_ms + execution_ms);
}

BatchOverhead fit_overhead(std::span<const StoredResult> real) {
  Sums all;
  for (const auto& [model, sums] : sums_by_model(real)) {
    all.batches += sums.batches;
    all.dispatch += sums.dispatch;
    all.execution += sums.execution;
  }
  return all.mean();
}

ModelOverheads fit_overheads(std::span<const StoredResult> real) {
  ModelOverheads overheads;
  for (const auto& [model, sums] : sums_by_model(real)) overheads[model] = sums.mean();
  return overheads;
}

Profile with_overhead(Profile profile, const BatchOverhead& overhead) {
  const double added_ms = overhead.dispatch_ms + overhead.execution_ms;
  const auto corrected = [added_ms](double ms) { return std::max(ms + added_ms, ms / 10); };
  for (LatencyPoint& point : profile.points) {
    point.latency_ms = corrected(point.latency_ms);
    for (double& sample : point.samples_ms) sample = corrected(sample);
  }
  if (profile.linear) profile.linear->fixed_ms = corrected(profile.linear->fixed_ms);
  return profile;
}

std::string text_of(const ModelOverheads& overheads) {
  std::string text =
      "Overhead of a batch, ms: from when its executor was free until it began, and "
      "beyond the profile\n\n";
  text += fmt::format("  {:<28} {:>10} {:>12} {:>14} {:>10}\n", "model", "batches", "until begun",
                      "beyond profile", "added");
  for (const auto& [model, overhead] : overheads) {
    text += fmt::format("  {:<28} {:>10} {:>12.4f} {:>14.4f} {:>10.4f}\n", model, overhead.batches,
                        overhead.dispatch_ms, overhead.execution_ms,
                        overhead.dispatch_ms + overhead.execution_ms);
  }
  return text;
}

}  // namespace tangram
