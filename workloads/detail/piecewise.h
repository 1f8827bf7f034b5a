// Segments of other arrival processes, one after the other.
#pragma once

#include <memory>

#include "workloads/arrivals.h"

namespace tangram {

// Requires: a spec of kPiecewise that read_arrivals() accepts. Throws ConfigError for a trace that
// cannot be read.
std::unique_ptr<ArrivalProcess> piecewise_arrivals(const ArrivalSpec& spec, RandomStream stream);

}  // namespace tangram
