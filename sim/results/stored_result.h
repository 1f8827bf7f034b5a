// Result files read back: what write_result_file wrote, checked. Layout: docs/reference/result.md.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "sim/core/hdf5_file.h"
#include "sim/core/histogram.h"
#include "sim/core/json_reader.h"
#include "sim/results/metrics.h"

namespace tangram {

struct StoredWorkload {
  std::string name, model;
  Duration slo{};
  Json figures;  // the keys of a workload in the summary (docs/reference/summary.md)
  std::vector<Histogram::Bin> latency, wait, exec;
};

struct StoredGpu {
  std::uint32_t index = 0;  // in the plan
  std::string type, mode;
  double busy_fraction = 0;
};

// One run of the file, a row of /points.
struct StoredRun {
  std::uint64_t seed = 0;
  double events = 0, measured_s = 0, simulated_s = 0, wall_s = 0;
  Json total;  // the keys of the summary's "total"
  std::vector<StoredWorkload> workloads;
  std::vector<StoredGpu> gpus;
  std::vector<RequestRow> requests;  // ascending by id; empty unless logged
  std::vector<BatchSpan> timeline;   // ascending by start; empty unless logged
};

struct StoredResult {
  std::string version, git_hash;
  std::string name, planner, routing, dispatcher, device, runtime;
  std::string scenario_text, plan_text;  // JSON
  std::vector<std::string> notes;
  std::vector<std::string> executors;  // by number
  std::vector<StoredRun> runs;         // at least one; equal workloads
};

// Reads a result. `group` is "" for a file of its own, or the group of another file that a result
// was copied into. Throws ConfigError with FILE#/path for whatever write_result_file does not
// write.
StoredResult read_result(const Hdf5Reader& file, const std::string& group = "");
StoredResult read_result_file(const std::string& path);

}  // namespace tangram
