// The summary of a run as JSON, for programs. Format: docs/reference/summary.md.
#pragma once

#include <span>

#include "sim/core/json_reader.h"
#include "sim/results/result.h"

namespace tangram {

// Summarises the replications of one scenario (one run: the usual case). Counts, events and seconds
// are sums over them, latencies are those of all their requests, rates and fractions are per second
// of all of them; "replications" has the means with their 95 % confidence intervals when there are
// two or more. Every number is finite and prints so that it reads back exactly; only "wall_s" may
// differ between reruns. Requires: at least one run, all of the same scenario and plan.
Json summarize(std::span<const RunResult> runs);

// The keys of one workload over measured seconds; "total" has the same.
Json summarize(const WorkloadMetrics& metrics, double measured_s);

// GPUs used, in the plan's figures: {"used", "slices", "busy_fraction", "list"}.
Json summarize_gpus(const RunResult& run);

}  // namespace tangram
