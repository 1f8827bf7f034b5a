// The figures of a validation's report, each an SVG element.
#pragma once

#include <string>

#include "validate/validation.h"

namespace tangram {

// Latency distributions of one workload, both worlds in one plot.
std::string latency_figure(const Validation& validation, std::size_t workload);
// One dot per request that both worlds completed: real latency across, simulated up.
std::string pairs_figure(const Validation& validation, std::size_t workload);
// The batches of both worlds over a stretch of time that is short enough to see them; the busiest
// executors where there are many.
std::string timeline_figure(const Validation& validation);
// Durations of batches by size: believed, simulated, real.
std::string batches_figure(const Validation& validation, std::size_t workload);

}  // namespace tangram
