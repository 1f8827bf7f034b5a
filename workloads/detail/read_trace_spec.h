// Strict reading of the keys of the arrival process "trace".
#pragma once

#include <string>

#include "sim/core/json_reader.h"
#include "workloads/workload.h"

namespace tangram {

inline constexpr double kHighestRate = 1e9;  // one request per nanosecond, the resolution of time

// Reads the keys and then the file itself, so that its faults come up front.
void read_trace_spec(JsonObject& object, const std::string& base, ArrivalSpec& spec);

}  // namespace tangram
