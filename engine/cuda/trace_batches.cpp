#include "engine/cuda/trace_batches.h"

#include <fmt/format.h>

namespace tangram {

std::vector<Kernel> trace_batches(KernelTrace& trace,
                                  Lane& lane,
                                  std::uint32_t model,
                                  const std::vector<std::uint32_t>& batches,
                                  unsigned warm_ups,
                                  unsigned repetitions) {
  std::vector<Kernel> all;
  for (const std::uint32_t batch : batches) {
    for (unsigned i = 0; i < warm_ups; ++i) lane.run(model, batch);
    trace.take();
    std::vector<std::vector<TracedKernel>> runs;
    for (unsigned i = 0; i < repetitions; ++i) {
      lane.run(model, batch);
      runs.push_back(trace.take());
    }
    const auto kernels = kernels_of_batch(batch, runs);
    if (!kernels) {
      throw RunnerError(RunnerFault::kUnsupported,
                        fmt::format("batch {}: no kernels, or not the same in every run", batch));
    }
    all.insert(all.end(), kernels->begin(), kernels->end());
  }
  return all;
}

}  // namespace tangram
