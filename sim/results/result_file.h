// The result of runs as HDF5, for plots and comparisons. Layout: docs/reference/result.md.
#pragma once

#include <span>
#include <string>

#include "sim/results/result.h"

namespace tangram {

// Writes the replications of one scenario: a row of /points per run, a row of /workloads per run
// and workload, /histograms, and /requests and /timeline where the runs have them. Throws
// SystemError; the target is complete or untouched. Requires: at least one run, all of the same
// scenario.
void write_result_file(const std::string& path, std::span<const RunResult> runs);

}  // namespace tangram
