// What a batch of a real run takes beyond the profile, over all or for each model: the fitted
// device.overhead_ms of a simulation of the same machine, or the correction of its profiles.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>

#include "profiles/profile.h"
#include "sim/results/stored_result.h"

namespace tangram {

struct BatchOverhead {
  std::uint64_t batches = 0;  // that began after the warm-up
  double dispatch_ms = 0;     // mean, from when the executor could have begun until it did
  double execution_ms = 0;    // mean, of the duration beyond what the policy believed
  // What to give the simulator, ms; it has no negative overhead.
  double overhead_ms() const;
};

// From the timelines. A batch could have begun once it was decided and its executor was free: for
// policies that send a batch ahead of its window, the wait for the window counts as overhead too.
// Beliefs are taken to be the profile's means.
BatchOverhead fit_overhead(std::span<const StoredResult> real);

// The same for each model, by its name. Models without a batch after the warm-up are not in it.
using ModelOverheads = std::map<std::string, BatchOverhead>;
ModelOverheads fit_overheads(std::span<const StoredResult> real);

// The profile with the whole overhead, which may be negative, added to each latency and to its
// samples; nothing becomes less than a tenth of what it was.
Profile with_overhead(Profile profile, const BatchOverhead& overhead);

// A line for each model, at most 100 columns.
std::string text_of(const ModelOverheads& overheads);

}  // namespace tangram
