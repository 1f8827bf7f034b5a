// A run's batches as a trace that Perfetto and chrome://tracing open.
#pragma once

#include <string>

#include "sim/results/result.h"

namespace tangram {

// Writes the Trace Event Format (JSON object form, times in microseconds): a process per GPU, a
// thread per executor, a complete event per batch with args workload, size, decided_us,
// predicted_ms, actual_ms, alone_ms. Throws SystemError; the target is complete or untouched.
void write_timeline(const std::string& path, const RunResult& run);

}  // namespace tangram
