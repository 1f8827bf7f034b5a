// A plan: which partitions the GPUs are cut into and which models run on them. Plain data with a
// schema; one of the two things (with Result) that pass between the big parts of the product.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "profiles/profile.h"

namespace tangram {

enum class GpuMode : std::uint8_t { kWhole, kMig, kMps, kSm, kTimeSliced, kStreams, kCpu };
// "whole", "mig", "mps", "sm", "time_sliced", "streams", "cpu", in the order of GpuMode.
const std::vector<std::string>& gpu_mode_names();

// A workload served by a partition. The replicas of one partition that have the same `group` share
// its processes: each process runs one batch at a time, of any of them.
struct PlanReplica {
  std::string workload;                // "*": every workload of the scenario (written out in files)
  std::string model;                   // "*" with it
  std::optional<std::uint32_t> batch;  // planned batch: an upper limit at run time
  std::uint32_t processes = 1;         // equal within a group
  std::optional<double> rate_rps;      // demand that the planner assigned to it
  std::optional<double> duty_ms;       // planned duty cycle
  std::uint32_t group = 0;
  friend bool operator==(const PlanReplica&, const PlanReplica&) = default;
};

// A part of a GPU. At most one of size (with start), share_pct and sms; none means the whole GPU.
struct PlanPartition {
  std::optional<int> size;            // MIG compute slices
  std::optional<int> start;           // first slot
  std::optional<int> released_start;  // the label of an original program where that is not legal
  std::optional<double> share_pct;    // of the SMs
  std::optional<double> released_share_pct;  // that of an original program where it is above 100
  std::optional<int> sms;
  std::vector<PlanReplica> replicas;

  Share share() const;
  friend bool operator==(const PlanPartition&, const PlanPartition&) = default;
};

struct PlanGpu {
  std::uint32_t index = 0;  // unique; gaps are legal
  std::string type;
  GpuMode mode = GpuMode::kWhole;
  std::vector<PlanPartition> partitions;
  friend bool operator==(const PlanGpu&, const PlanGpu&) = default;
};

struct Unserved {
  std::string workload;
  double rate_rps = 0;
  std::string reason;
  friend bool operator==(const Unserved&, const Unserved&) = default;
};

struct Plan {
  std::string planner;
  std::vector<PlanGpu> gpus;  // ascending by index
  std::vector<Unserved> unserved;
  std::vector<std::string> lost;   // segments that an original program loses, in words
  std::vector<std::string> notes;  // what the planner has to say: proofs, predictions

  // GPUs with at least one replica, and MIG slices in use.
  std::uint32_t gpus_used() const;
  std::uint32_t slices_used() const;
  friend bool operator==(const Plan&, const Plan&) = default;
};

}  // namespace tangram
