// The kernel lists of a lane's batches: works for every runner that runs in this process.
#pragma once

#include <vector>

#include "engine/cuda/kernel_trace.h"
#include "engine/worker/runner.h"

namespace tangram {

// Runs each batch of a loaded model `warm_ups` times, then `repetitions` times under the trace, and
// returns the kernels of all batches with median durations. Throws RunnerError; kUnsupported where
// the runs of a batch differ in their kernels.
std::vector<Kernel> trace_batches(KernelTrace& trace,
                                  Lane& lane,
                                  std::uint32_t model,
                                  const std::vector<std::uint32_t>& batches,
                                  unsigned warm_ups,
                                  unsigned repetitions);

}  // namespace tangram
