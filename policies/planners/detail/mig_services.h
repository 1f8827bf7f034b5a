// What the planners for MIG instances share: the measured points they choose from, the GPUs they
// may cut, and the way from packed segments to a plan.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "policies/plan.h"
#include "policies/planner.h"
#include "profiles/gpu_type.h"

namespace tangram::detail {

// One measured point of a model on an instance size. Where the source reports figures of its own
// (ParvaGPU rounds latencies to 1 ms), these are they; interpolated points never take part.
struct MigPoint {
  int size = 0;  // compute slices
  std::uint32_t batch = 0;
  std::uint32_t processes = 0;
  double process_rps = 0;  // items/s of one process
  double latency_ms = 0;   // of one batch
  bool suspect = false;    // the profile calls the row suspicious

  double total_rps() const { return process_rps * processes; }
};

// A MIG instance that serves one workload. ParvaGPU's word: segment.
struct MigSegment {
  std::uint32_t workload = 0;  // index in the problem
  int size = 0;
  std::uint32_t batch = 0;
  std::uint32_t processes = 0;
  double capacity_rps = 0;
  std::optional<int> label;  // the slot that an original program prints
};
using MigGpu = std::vector<MigSegment>;

// The one GPU type of the cluster that has MIG. Throws NoAnswer when there is none, or several.
const GpuType& mig_type_of(const Cluster& cluster);

// The model's points on that type by size, batch, processes, up to max_processes. Empty without
// a profile.
std::vector<MigPoint> mig_points(const ProfileSet& profiles,
                                 const std::string& model,
                                 const GpuType& type,
                                 std::uint32_t max_processes);

// The points that a planner who means it may use: their memory fits the instance, and the profile
// knows every batch up to theirs.
std::vector<MigPoint> runnable_points(const ProfileSet& profiles,
                                      const std::string& model,
                                      const GpuType& type,
                                      std::uint32_t max_processes);

// Turns GPUs (the i-th becomes the cluster's i-th of that type; empty ones are left out) into a
// plan: legal starts, each workload's rate spread over its segments by capacity, and what capacity
// lacks listed as unserved, with `reasons[workload]` where that is not empty. GPUs that the cluster
// does not have are cut off, and the demand that goes with them is unserved.
Plan plan_of(const PlanningProblem& problem,
             const GpuType& type,
             const std::vector<MigGpu>& gpus,
             const std::vector<std::string>& reasons);

// Workloads' mean rates; nullopt where none is known, which plan_of lists as unserved.
std::vector<std::optional<double>> mean_rates(const std::vector<Workload>& workloads);

// The capacity of each workload on the first `count` GPUs, requests/s.
std::vector<double> capacities_of(const std::vector<MigGpu>& gpus,
                                  std::size_t count,
                                  std::size_t workloads);

// A capacity that covers a rate but for rounding in single precision.
bool covers(double capacity_rps, double rate_rps);

}  // namespace tangram::detail
