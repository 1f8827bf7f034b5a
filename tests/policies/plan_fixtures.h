// Workloads, profiles and plans that the tests of plans share.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "policies/plan.h"
#include "profiles/profile.h"
#include "sim/core/error.h"
#include "workloads/workload.h"

namespace tangram {

inline constexpr Share kMig1{ShareKind::kMig, 1};
inline constexpr Share kMig2{ShareKind::kMig, 2};
inline constexpr Share kMig3{ShareKind::kMig, 3};
inline constexpr Share kMig7{ShareKind::kMig, 7};

// What a reader of plans made of a text.
struct ReadPlan {
  Plan plan;
  std::vector<std::string> faults;
};

inline Workload workload_of(const std::string& name,
                            const std::string& model,
                            double slo_ms = 100,
                            double rate_rps = 100) {
  Workload workload;
  workload.name = name;
  workload.model = model;
  workload.slo = from_ms(slo_ms);
  workload.arrivals.rate_rps = rate_rps;
  return workload;
}

// "w7" for ("w", 7). By append: g++ 12 takes the sum of a literal and a temporary string for an
// overlapping copy.
inline std::string numbered(const char* prefix, int number) {
  return std::string(prefix).append(std::to_string(number));
}

// latency(b) = fixed + per_item * b ms on the whole GPU.
inline Profile linear_profile(const std::string& model,
                              const std::string& gpu,
                              double fixed_ms,
                              double per_item_ms,
                              std::uint32_t max_batch) {
  Profile profile;
  profile.model = model;
  profile.gpu = gpu;
  profile.linear = Profile::Linear{fixed_ms, per_item_ms, max_batch};
  return profile;
}

inline LatencyPoint point_of(const Share& share,
                             std::uint32_t processes,
                             std::uint32_t batch,
                             double latency_ms) {
  LatencyPoint point;
  point.share = share;
  point.processes = processes;
  point.batch = batch;
  point.latency_ms = latency_ms;
  return point;
}

inline Profile table_profile(const std::string& model,
                             const std::string& gpu,
                             std::vector<LatencyPoint> points,
                             Interpolation interpolation = Interpolation::kLinear) {
  Profile profile;
  profile.model = model;
  profile.gpu = gpu;
  profile.points = std::move(points);
  profile.interpolation = interpolation;
  std::sort(profile.points.begin(), profile.points.end(), point_before);
  return profile;
}

inline PlanReplica replica_of(const std::string& workload,
                              const std::string& model,
                              std::optional<std::uint32_t> batch = {},
                              std::uint32_t processes = 1,
                              std::uint32_t group = 0) {
  PlanReplica replica;
  replica.workload = workload;
  replica.model = model;
  replica.batch = batch;
  replica.processes = processes;
  replica.group = group;
  return replica;
}

inline PlanPartition whole_partition(std::vector<PlanReplica> replicas) {
  PlanPartition partition;
  partition.replicas = std::move(replicas);
  return partition;
}

inline PlanPartition mig_partition(int size, int start, std::vector<PlanReplica> replicas = {}) {
  PlanPartition partition;
  partition.size = size;
  partition.start = start;
  partition.replicas = std::move(replicas);
  return partition;
}

// "WHERE: WHAT" of each fault.
inline std::vector<std::string> sentences(const Faults& faults) {
  std::vector<std::string> lines;
  try {
    faults.throw_if_any();
  } catch (const ConfigError& error) {
    for (const Fault& fault : error.faults()) lines.push_back(fault.where + ": " + fault.what);
  }
  return lines;
}

}  // namespace tangram
