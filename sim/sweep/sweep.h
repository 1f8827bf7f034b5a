// Runs a sweep on all cores, and keeps what is finished.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "sim/sweep/sweep_row.h"
#include "sim/sweep/sweep_spec.h"

namespace tangram {

// The part I of N of a sweep: the items whose number is I modulo N.
struct SweepShard {
  std::uint32_t index = 0, count = 1;
};

struct SweepOptions {
  unsigned jobs = 1;
  SweepShard shard{};
  std::string journal{};   // its path
  bool resume = false;     // go on with that journal
  std::stop_token stop{};  // ends the sweep early; finished items stay in the journal
  // Called after each item with the numbers of finished, failed and all items of the shard. By one
  // thread at a time.
  std::function<void(std::uint64_t done, std::uint64_t failed, std::uint64_t all)> progress{};
};

struct SweepResult {
  SweepSpec spec;
  SweepShard shard;
  std::uint32_t points = 0;      // of the whole sweep
  std::vector<SweepItem> items;  // ascending by index
};

// How many items a sweep has: replications of points, or points when it searches.
std::uint32_t sweep_items(const SweepSpec& spec);

// Runs the items of the shard that the journal does not hold. Returns nullopt when it was stopped.
// An item that fails is recorded with its error. Throws what Journal throws.
std::optional<SweepResult> run_sweep(SweepSpec spec, const SweepOptions& options);

// Removes the journal, once the result is on the disk.
void finish_sweep(const SweepOptions& options);

}  // namespace tangram
