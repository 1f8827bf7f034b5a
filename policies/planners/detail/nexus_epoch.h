// What Nexus does at the end of an epoch: GPUs that are there are kept as far as the rates allow
// (Shen et al., SOSP'19, section 6.3; thresholds and order of the released code, uwsampl/nexus
// b436191).
#pragma once

#include <cstddef>
#include <vector>

#include "policies/planners/detail/squishy_bins.h"

namespace tangram::detail {

struct NexusEpochOptions {
  double shrink_below = 0.97;  // of the rates that a session's shares have, in [0, 1]
  double spill_above = 1.05;   // occupancy of a GPU, at least 1
  SquishyOrder order = SquishyOrder::kOccupancy;
  std::size_t most_gpus = 0;  // of the cluster
};

// The GPUs for these rates, by workload, made of those that there are; new ones, without an index,
// at the end, and possibly more than the cluster has. Equal to `gpus` where nothing changes.
//   A session whose rate is below `shrink_below` of its shares gives up from the smallest share on:
// larger ones are counted first, the one with which they suffice shrinks, the others go. One whose
// rate is above its shares has the largest grow, up to a whole GPU, then the next; those that are
// not needed then go, and what is left needs a place. Between the two nothing changes.
//   A GPU that changed and is over-full keeps its sessions by the latency of their batches, longest
// first, as far as they fit together; the others need a place. Places are given as in a new plan.
// Requires: shares of `sessions` only.
std::vector<SquishyGpu> nexus_epoch(const std::vector<SquishyGpu>& gpus,
                                    const std::vector<SquishySession>& sessions,
                                    const std::vector<double>& rates_rps,
                                    const GpuType& type,
                                    const NexusEpochOptions& options);

}  // namespace tangram::detail
