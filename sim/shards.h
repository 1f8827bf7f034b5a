// Splits a scenario into parts that cannot affect each other: no GPU serves workloads of two parts,
// no application has stages in two. The parts are always simulated apart, so that the number of
// threads cannot change a result.
#pragma once

#include <cstdint>
#include <vector>

#include "policies/plan.h"
#include "workloads/application.h"

namespace tangram {

struct Shard {
  std::vector<std::uint32_t> workloads;     // indices into the scenario's, ascending
  std::vector<std::uint32_t> applications;  // indices into the scenario's, ascending
  std::vector<std::uint32_t> gpus;          // positions in the plan, ascending
};

// Shards in the order of their first workload; GPUs that serve nothing belong to none. A workload
// that no GPU serves is a shard of its own.
std::vector<Shard> split(const Plan& plan,
                         const std::vector<Workload>& workloads,
                         const std::vector<ApplicationLoad>& applications = {});

}  // namespace tangram
