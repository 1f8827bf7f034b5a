// A sweep: one scenario, run at many points. Format: docs/reference/sweep.md.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "sim/core/json_reader.h"
#include "sim/scenario/scenario.h"

namespace tangram {

enum class SweepMode : std::uint8_t { kGrid, kZip, kRandom, kLatinHypercube };
// "grid", "zip", "random", "latin_hypercube", in the order of SweepMode.
const std::vector<std::string>& sweep_mode_names();

// One dimension: a list of values of any kind, or a range of numbers [low, high] to draw from
// (random and latin_hypercube only), or named cases that change several places each.
struct SweepAxis {
  std::string pointer;                       // into the scenario; of cases the axis' name
  std::vector<Json> values;                  // empty for a range; of cases their names
  std::vector<std::vector<Override>> cases;  // by value: what it changes; empty without cases
  double low = 0, high = 0;
  bool log_scale = false;  // a range: uniform in the logarithm
};

// Looks for the largest value whose metric meets the target.
struct SearchSpec {
  std::string pointer;  // into the scenario; a number
  double low = 0, high = 0;
  bool integer = false;      // only whole values
  bool log_scale = false;    // probes are spaced by a factor, not by a difference
  std::uint32_t probes = 9;  // across [low, high], ends included; >= 2
  double tolerance = 0.01;   // of the value: where bisection ends
  std::string metric;        // into the summary; "*" stands for every workload: the worst of them
  std::optional<double> at_least, at_most;  // exactly one
};

struct SweepSpec {
  std::string text;  // the file
  std::string path;
  std::string scenario_text, scenario_source, scenario_base;  // as parse_scenario wants them
  std::vector<SweepAxis> axes;
  SweepMode mode = SweepMode::kGrid;
  std::uint32_t samples = 0;  // random, latin_hypercube
  std::uint64_t seed = 1;     // of the samples; the runs have the scenario's
  std::uint32_t replications = 1;
  std::optional<SearchSpec> search;
  bool histograms = true;  // keep the latency histograms
};

// A point of the sweep: a value for each axis.
struct SweepPoint {
  std::uint32_t index = 0;
  std::vector<Json> values;
};

// Reads a sweep file, strictly, and the scenario that it names. Throws ConfigError with all faults,
// those of the unchanged scenario included.
SweepSpec load_sweep(const std::string& path);

// All points, in order. Grid: the last axis changes fastest. Zip: one point per position. Random:
// independent draws. Latin hypercube: each axis has one draw in each of `samples` equal strata
// (McKay, Beckman and Conover, 1979). Without axes: one point.
std::vector<SweepPoint> sweep_points(const SweepSpec& spec);

// What a point changes in the scenario.
std::vector<Override> overrides_of(const SweepSpec& spec, const SweepPoint& point);

}  // namespace tangram
