// Disjoint sets of streaming multiprocessors (SMs) for green contexts: which sets are asked for,
// and what the driver grants.
#pragma once

#include <cstddef>
#include <optional>
#include <vector>

#include "engine/cuda/objects.h"

namespace tangram {

// SM counts that the driver accepts for one partition (CUDA driver API, "Green Contexts").
struct SmGranularity {
  unsigned minimum = 0, multiple = 0;
  friend bool operator==(const SmGranularity&, const SmGranularity&) = default;
};
// By compute capability: 2/2 below 8.0, 4/2 for 8.x, 8/8 from 9.0 on.
SmGranularity sm_granularity(int compute_major);

// The groups of one split, dealt out. Every group goes to one partition at most, hence the
// partitions are disjoint.
struct SmPlan {
  std::vector<unsigned> groups;               // by partition, >= 1
  std::optional<std::size_t> with_remainder;  // the partition that takes the SMs of no group
  friend bool operator==(const SmPlan&, const SmPlan&) = default;
};

// Deals `groups` groups of `group_sms` SMs out, so that partition i comes near wanted[i] SMs: whole
// groups rounded down, at least one each; what is missing to the rounded sum goes to the largest
// fractions (ties: the first); where there are too few groups the largest partitions give way. The
// remainder goes to the partition that is then farthest below its wish, if it fits into the gap.
// Throws RunnerError (kUnsupported) where there are more partitions than groups.
// Requires: wanted[i] > 0.
SmPlan plan_sms(const std::vector<double>& wanted,
                unsigned group_sms,
                unsigned groups,
                unsigned remainder_sms);

// How many groups a split into groups of at least min_count SMs would give.
struct SplitProbe {
  unsigned min_count = 0, groups = 0;
};
// Asks the driver for every min_count from 1 to the device's SM count, without creating anything.
// min_counts that it refuses are left out. Throws RunnerError.
std::vector<SplitProbe> probe_splits(const CudaDriver& driver, CUdevice device, unsigned flags);

// SMs of the device that partitions may have. Throws RunnerError.
unsigned device_sms(const CudaDriver& driver, CUdevice device);

// One green context and what it was granted.
struct GreenPartition {
  GreenContext context;
  unsigned granted_sms = 0;  // read back from the context
};

// Splits the device once and makes a green context per wish, in their order. Throws RunnerError:
// kUnsupported without green contexts, for more wishes than groups, and for what the driver
// refuses.
std::vector<GreenPartition> make_green_partitions(const CudaDriver& driver,
                                                  CUdevice device,
                                                  const std::vector<double>& wanted_sms);

}  // namespace tangram
