// A recording's rate over time as a picture.
#pragma once

#include <string>

#include "workloads/trace.h"

namespace tangram {

// SVG 1.1, 800 x 300: requests/s in windows of a round length, at most 800 of them. Requires: a
// recording with a length (TraceSlice::length_ns).
std::string rate_plot(const std::string& title, const Recording& recording);

}  // namespace tangram
