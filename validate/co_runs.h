// Measured co-runs as rows: what a model of interference may look at, and the slowdown that was
// measured. Cross-validation and calibration work on these, wherever they come from.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "profiles/pair_table.h"
#include "profiles/profile.h"

namespace tangram {

// One of the two batches of a co-run, as it is alone on its share.
struct CoRunSide {
  std::string model;
  std::uint32_t batch = 1;
  double share_pct = 50;                // of the SMs, (0, 100]
  std::optional<double> solo_ms;        // latency alone on the same share, > 0
  std::optional<double> l2, dram;       // use alone on the same share, fractions of the GPU's peak
  std::optional<double> kernels;        // launches per batch
  std::optional<double> power_w;        // alone on the same share
  std::optional<IgniterModel> igniter;  // coefficients of iGniter's model
};

// One direction of a co-run: how much slower the victim was. The other direction, where it was
// measured, is another record with the same `run`.
struct CoRunRecord {
  std::string gpu;
  CoRunSide victim, aggressor;
  double slowdown = 1;    // latency beside the aggressor / latency alone, > 0
  std::uint32_t run = 0;  // records of one co-run share it
};

// The co-runs that the profiles hold, one GPU type after the other, in the order of the profiles.
// A co-run and its mirror image (the neighbour's profile, batches and shares exchanged) become two
// records of one run. What the profiles do not know stays empty.
std::vector<CoRunRecord> co_run_records(const std::vector<Profile>& profiles);

// "alexnet + ssd": the two models in ascending order, whichever the victim is.
std::string pair_name(const CoRunRecord& record);

// As the victim sees it.
CoRunPlace place_of(const CoRunRecord& record);

}  // namespace tangram
