// Kernel lists for analytic profiles: plausible ones, for the block device model to run where
// nothing was measured. Their names say "synthetic". Assumptions: docs/model/blocks.md.
#pragma once

#include <vector>

#include "profiles/synth.h"

namespace tangram {

// The kernels of one batch of one item: as many matrix kernels and other ones as the model
// launches, whose durations add up to `latency_ms`. Requires: latency_ms > 0.
std::vector<Kernel> synthesize_kernels(const ModelFigures& model, double latency_ms);

}  // namespace tangram
