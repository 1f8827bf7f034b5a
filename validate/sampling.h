// Batches run to be timed: until they are warm, alone, and without pause beside each other. The
// parts that `measure` is made of.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "validate/measure.h"

namespace tangram {

inline constexpr std::size_t kMostSamples = 2000;  // of a visit

// Requires: not empty.
double median_of(std::vector<double> values);

// Runs batches until they take the same time, within bounds; returns that time, ms.
double warm_up(MeasureLane& lane, const std::string& model, std::uint32_t batch);

// Returns the samples of one visit, ms: at least `least`, and `least_ms` of running; at most
// kMostSamples.
std::vector<double> sample(MeasureLane& lane,
                           const std::string& model,
                           std::uint32_t batch,
                           std::size_t least,
                           double least_ms);

// What one of two lanes runs.
struct Side {
  MeasureLane& lane;
  const std::string& model;
  std::uint32_t batch;
};
// Samples of both, of batches that began and ended while the other side ran.
struct SideSamples {
  std::vector<double> first, second;
};
// Runs two lanes without pause beside each other until both have enough; the second in a thread of
// its own. Throws what a lane throws.
SideSamples run_together(const Side& first, const Side& second, std::size_t least, double least_ms);

}  // namespace tangram
