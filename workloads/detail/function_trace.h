// Readers of the two public traces of serverless functions: many functions in one file, of which a
// workload replays some.
#pragma once

#include <string_view>

#include "workloads/trace.h"

namespace tangram {

// Formats azure_functions_2019 and azure_functions_2021 of read_trace().
Recording parse_functions_2019(std::string_view text, const TraceFile& file, Faults& faults);
Recording parse_functions_2021(std::string_view text, const TraceFile& file, Faults& faults);

}  // namespace tangram
