// Recorded arrivals: readers of the trace formats, and the part of a trace that a workload replays.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sim/core/error.h"
#include "sim/core/time.h"

namespace tangram {

// Which functions of a recording of functions a workload replays; they are merged into one stream.
struct FunctionChoice {
  enum class Kind : std::uint8_t { kAll, kRank, kHash, kNames };
  Kind kind = Kind::kAll;
  // kRank: from the `first` to the `last` busiest, counted from 1; equally busy ones stay in the
  // file's order. kHash: those whose name falls into part `first` (from 0) of `last` parts.
  std::uint64_t first = 0, last = 0;
  std::vector<std::string> names;  // "func", "app/func" or "owner/app/func"

  friend bool operator==(const FunctionChoice&, const FunctionChoice&) = default;
};

// A file of recorded arrivals and how to read it.
struct TraceFile {
  std::string path;
  std::string format;  // one of trace_formats()
  std::string
      dataset;  // timestamps in an HDF5 file: which dataset, "/requests/arrival_ns"; else ""
  FunctionChoice functions{};  // azure_functions_*

  friend bool operator==(const TraceFile&, const TraceFile&) = default;
};

// What a file holds: the time of each arrival, or counts a minute, never both.
struct Recording {
  std::vector<Duration> times;            // ascending, from 0 on
  std::vector<std::uint64_t> per_minute;  // arrivals in minute 0, 1, ...
  bool has_counts() const { return !per_minute.empty(); }
};

// Reads a recording. Adds faults with FILE:LINE; returns what could be read. Equal times are legal.
//   timestamps:  one column of seconds, or a header with a column `timestamp_s` or `arrival_s`;
//                decimals are read exactly, to the nearest nanosecond. With a dataset: an HDF5
//                file's 1-D dataset of seconds, or of nanoseconds when its name ends in _ns. A row
//                earlier than the one before it is a fault. Times count from the first row.
//   azure_llm:   TIMESTAMP,ContextTokens,GeneratedTokens with "2023-11-16 18:15:46.6805900";
//                ascending, from the first row
//   azure_functions_2019: HashOwner,HashApp,HashFunction,Trigger,1,...,1440, counts a minute
//   azure_functions_2021: app,func,end_timestamp,duration in seconds, in any order; an arrival is
//                end - duration; times count from the earliest arrival of any function
// Requires: a format of trace_formats().
Recording read_trace(const TraceFile& file, Faults& faults);
// The same from text, except for HDF5; file.path begins the place of every fault.
Recording parse_trace(std::string_view text, const TraceFile& file, Faults& faults);

const std::vector<std::string>& trace_formats();
// Whether the format tells functions apart.
bool has_functions(const std::string& format);
// The format that the beginning of a file looks like; "timestamps" when like no other. Throws
// ConfigError for a file that cannot be read.
std::string guess_trace_format(const std::string& path);

// The arrivals with start <= time < end, relative to start.
struct TraceSlice {
  Recording rows;
  // end - start. A slice of times without an end lasts one mean gap longer than its last row, so
  // that a repeated trace keeps its rate; nullopt when that has no meaning (fewer than two distinct
  // times). A slice of counts without an end lasts as long as the recording.
  std::optional<double> length_ns;
  std::uint64_t count() const;
  // Arrivals per second of length; nullopt without arrivals or length.
  std::optional<double> rate_rps() const;
};
// Requires: 0 <= start < end <= kLongestRunSeconds; for counts, whole minutes. An end beyond the
// last row is legal: it says how long the recording went on.
TraceSlice slice_trace(const Recording& recording, double start_s, std::optional<double> end_s);

}  // namespace tangram
