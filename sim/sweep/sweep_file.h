// The result of a sweep as HDF5. Layout: docs/reference/sweep.md.
#pragma once

#include <string>
#include <vector>

#include "sim/sweep/sweep.h"

namespace tangram {

// What a sweep's file holds: a shard's items, or all of them.
struct SweepFile {
  std::string sweep_text, scenario_text;
  std::string version, git_hash;
  std::vector<std::string> pointers;  // of the axes, then of the search
  std::uint32_t points = 0;           // of the whole sweep
  SweepShard shard;
  std::vector<SweepRow> rows;       // ascending by item
  std::vector<SearchRow> searches;  // ascending by point
};

SweepFile sweep_file_of(const SweepResult& result);

// Throws SystemError; the target is complete or untouched. The same content gives the same bytes.
void write_sweep_file(const std::string& path, const SweepFile& file);

// Reads what write_sweep_file wrote. Throws ConfigError with "FILE#/path".
SweepFile read_sweep_file(const std::string& path);

// Puts all shards of one sweep together: the result of the whole. Throws ConfigError for files of
// different sweeps, a shard that is missing or there twice.
SweepFile merge_sweep_files(const std::vector<std::string>& paths);

}  // namespace tangram
