// What the importers share: profiles in the making, with the lines that their points came from.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "profiles/csv_table.h"
#include "profiles/profile_io.h"

namespace tangram::detail {

struct Draft {
  Profile profile;
  std::string file;
  std::map<LatencyPoint, std::size_t, decltype(&point_before)> rows{&point_before};  // -> line
  std::vector<double> cvs;  // of the rows that state a standard deviation
};

// What every importer carries along.
struct Import {
  const ImportOptions& options;
  Faults faults;
  ImportResult result;
};

// "batch 8 on mig 1 with 2 processes".
std::string described(const LatencyPoint& point);

// Adds the point, or a fault when the draft has it already.
void add_row(Draft& draft, const CsvCells& cells, std::size_t line, const LatencyPoint& point);

// Marks suspicious rows, drops them when asked to, and hands the profile over.
void finish(Draft draft, Import& import);

// The files that the paths name: a folder stands for its files that `wanted` accepts, in byte
// order.
std::vector<std::string> files_of(const std::vector<std::string>& paths,
                                  const std::function<bool(const std::filesystem::path&)>& wanted,
                                  Faults& faults);

// The rows of a file; a fault when it cannot be read or is empty.
std::vector<CsvRow> rows_of(const std::string& file, Faults& faults);

// Whether batch / latency should be the throughput that a row reports.
enum class ThroughputCheck : std::uint8_t { kNo, kYes };

// Tidy CSV: a header row, then columns by name (docs/reference/profile.md).
void import_tidy(const std::vector<std::string>& paths, Import& import, ThroughputCheck check);

// Latencies alone as tidy CSV, co-runs, and kernel counts; v100 unless another type is given.
void import_igniter(const std::vector<std::string>& paths, Import& import);

}  // namespace tangram::detail
