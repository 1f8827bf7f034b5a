// Recorded arrivals: readers of the trace formats, and the part of a trace that a workload replays.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sim/core/error.h"
#include "sim/core/time.h"

namespace tangram {

// Reads arrival times relative to the first row, ascending (equal times are legal; a row earlier
// than the one before it is a fault: the file is not sorted).
//   timestamps: one column of seconds, or a header with a column `timestamp_s` or `arrival_s`;
//               decimals are read exactly, to the nearest nanosecond
//   azure_llm:  TIMESTAMP,ContextTokens,GeneratedTokens with "2023-11-16 18:15:46.6805900"
// Adds faults with FILE:LINE; returns what could be read. Requires: a format of trace_formats().
std::vector<Duration> read_trace(const std::string& path,
                                 const std::string& format,
                                 Faults& faults);
// The same from text; `name` begins the place of every fault.
std::vector<Duration> parse_trace(std::string_view text,
                                  const std::string& name,
                                  const std::string& format,
                                  Faults& faults);

const std::vector<std::string>& trace_formats();

// The rows with start <= time < end, relative to start.
struct TraceSlice {
  std::vector<Duration> offsets;
  // end - start. A slice without an end lasts one mean gap longer than its last row, so that a
  // repeated trace keeps its rate; nullopt when that has no meaning (fewer than two distinct
  // times).
  std::optional<double> length_ns;
  // Rows per second of length; nullopt without rows or length.
  std::optional<double> rate_rps() const;
};
// Requires: `trace` ascending, 0 <= start < end <= kLongestRunSeconds. An end beyond the last row
// is legal: it says how long the recording went on.
TraceSlice slice_trace(const std::vector<Duration>& trace,
                       double start_s,
                       std::optional<double> end_s);

}  // namespace tangram
