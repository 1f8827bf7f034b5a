// What a sweep keeps of a run: figures and histograms, no clock. The line of a journal and the row
// of a result file.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "sim/results/result.h"
#include "sim/sweep/search.h"

namespace tangram {

using NamedFigures = std::vector<std::pair<std::string, double>>;  // "latency_ms.p99" and its value

struct SweepRow {
  struct Workload {
    std::string name, model;
    NamedFigures figures;
    std::vector<Histogram::Bin> latency;  // empty unless histograms are kept
  };

  std::uint32_t point = 0;
  std::uint32_t replication = 0;
  std::uint64_t seed = 0;
  std::vector<Json> values;  // of the axes, then of the search
  std::string error;         // why the run failed; figures and workloads are then empty
  NamedFigures figures;      // of the run: "total.*", "gpus.*", "events", "simulated_s"
  std::vector<Workload> workloads;
};

// What the search at one point found.
struct SearchRow {
  std::uint32_t point = 0;
  std::vector<Json> values;  // of the axes
  Capacity capacity;         // without its probes: those are rows
  std::uint32_t evaluations = 0;
};

// The outcome of one item.
struct SweepItem {
  std::uint32_t index = 0;
  std::vector<SweepRow> rows;
  std::vector<SearchRow> searches;  // one, or none
};

// Takes the figures of a finished run.
void fill_figures(const RunResult& run, bool histograms, SweepRow& row);

// One line of JSON and back; from_json throws ConfigError("", ...) for anything else.
Json to_json(const SweepItem& item);
SweepItem sweep_item_from(const Json& json);

}  // namespace tangram
