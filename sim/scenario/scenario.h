// A scenario: everything a run needs, read strictly from JSON. Format: docs/reference/scenario.md.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "policies/cluster.h"
#include "policies/deployment.h"
#include "policies/plan.h"
#include "policies/policy_info.h"
#include "policies/weights.h"
#include "profiles/interference.h"
#include "profiles/profile.h"
#include "sim/scenario/block_spec.h"
#include "sim/scenario/overrides.h"
#include "workloads/application.h"
#include "workloads/network_delay.h"

namespace tangram {

class ProfileFiles;

struct PolicySpec {
  std::string name;
  Params params;
};

enum class Sharing : std::uint8_t { kFromPlan, kExclusive, kTimeSlicing, kMps, kSm, kMig, kMigMps };
// "from_plan", "exclusive", "time_slicing", "mps", "sm", "mig", "mig_mps", in the order of Sharing.
const std::vector<std::string>& sharing_names();

enum class DeviceModel : std::uint8_t { kRate, kBlocks };
// "rate", "blocks", in the order of DeviceModel.
const std::vector<std::string>& device_model_names();

// How the simulated GPUs behave: the rate device model (docs/model/rate-device.md), or in its place
// the block device model with its own knobs.
struct DeviceSpec {
  DeviceModel model = DeviceModel::kRate;
  BlockSpec blocks;
  Sharing sharing = Sharing::kFromPlan;
  InterferenceSpec interference;
  double quantum_ms = 2;        // time slicing: slice length
  double switch_ms = 0;         // time slicing: lost at each change between processes
  bool busy_processes = false;  // MIG+MPS: speed by the processes that are busy, not by the planned
  double overhead_ms = 0;       // added to every batch by the device, unknown to the policy
  std::uint32_t depth = 2;      // batches that an executor may hold
  WeightsSpec weights;          // loads during the run
};

// Who decides kernel by kernel on the block device model, and how requests reach it.
struct StageSpec {
  PolicySpec policy{"streams_job", {}};
  std::uint32_t outstanding = 0;  // the most requests that the submitter lets in; 0: all
  std::map<std::string, std::uint32_t> instances;  // by workload: the most at work at once
  bool from_submit = false;  // latency counts from the submitter, not from the intended arrival
};

// When and how the plan is made again during a run.
struct ReplanSpec {
  PolicySpec rule;
  double rebuild_s = 10;  // to make a partition and start its processes
  bool in_place = false;  // a partition is out of service meanwhile; else the old plan serves
};

struct Scenario {
  std::string name;
  std::string text;  // the JSON with overrides applied, for results
  std::uint64_t seed = 1;
  double duration_s = 0;
  double warmup_s = 0;
  bool drain = true;
  ProfileSet profiles;                // what the devices do
  std::optional<ProfileSet> beliefs;  // what planner and dispatcher take them for, if it differs
  Cluster cluster;
  std::vector<Workload> workloads;            // what runs: plain ones and stages of applications
  std::vector<ApplicationLoad> applications;  // whose stages are among the workloads
  NetworkDelay network;
  PolicySpec planner{"exclusive", {}};
  std::optional<Plan> plan;  // given by the scenario in place of a planner
  std::optional<ReplanSpec> replanning;
  Routing routing = Routing::kCentral;
  PolicySpec dispatcher{"fifo", {}};
  StageSpec stages;  // device model blocks only
  DeviceSpec device;
  bool log_requests = false;
  bool log_timeline = false;
  std::vector<std::string> notes;

  const ProfileSet& believed() const { return beliefs ? *beliefs : profiles; }
};

// Everything that requests are counted for, in the order of workload ids: the scenario's workloads,
// then its applications.
std::vector<Workload> counted_workloads(const Scenario& scenario);

// Reads a scenario file, applies the overrides, checks everything. Throws ConfigError with all
// faults.
Scenario load_scenario(const std::string& path, const std::vector<Override>& overrides = {});
// The same from text: `source` begins the places of faults, `base` is where relative paths start.
// `files` keeps the profiles that are read, for the next call.
Scenario parse_scenario(const std::string& text,
                        const std::string& source,
                        const std::string& base,
                        const std::vector<Override>& overrides = {},
                        ProfileFiles* files = nullptr);

}  // namespace tangram
