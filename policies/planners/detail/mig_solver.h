// The fewest GPUs that can hold enough MIG instances: an integer program over the legal cuts,
// solved by CBC.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "policies/planners/detail/mig_demand.h"

namespace tangram::detail {

// One way to serve a workload: segments of demand.best whose capacities add up to its rate_rps.
// Exactly one option of each workload is used.
struct MigChoice {
  std::vector<MigDemand> options;  // at least one, of the same workload
};

struct MigSolution {
  std::vector<MigGpu> gpus;          // empty when none was found in time
  std::vector<std::size_t> options;  // used, by choice
  std::uint32_t lower_bound = 0;     // no plan of these options has fewer GPUs
  bool is_proven() const { return gpus.size() == lower_bound; }
};

// Throws NoAnswer in a build without CBC. `time_limit_s` bounds the search (elapsed time); within
// it the result does not depend on time. Where workloads have several options, a relaxation is
// solved first, in which each size of a workload may come from another option: its minimum is a
// bound from which the search profits. Requires: every option has a positive rate and at least one
// size.
MigSolution solve_mig(const MigCuts& cuts,
                      const std::vector<MigChoice>& choices,
                      double time_limit_s);

// Of the proven number of GPUs several plans may do, and which one solve_mig meets first depends on
// the last digits of its arithmetic, which differ between processors. Of these plans, returns the
// one with the fewest slices, and among equals always the same; where that is not found within 10 s
// of search, and for a number that is not proven, the one given.
MigSolution settle_ties(const MigCuts& cuts,
                        const std::vector<MigChoice>& choices,
                        double time_limit_s,
                        MigSolution found);

}  // namespace tangram::detail
