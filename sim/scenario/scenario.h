// A scenario: everything a run needs, read strictly from JSON. Format: docs/reference/scenario.md.
#pragma once

#include <cstdint>
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

// The rate device model (docs/model/rate-device.md).
struct DeviceSpec {
  Sharing sharing = Sharing::kFromPlan;
  InterferenceSpec interference;
  double quantum_ms = 2;        // time slicing: slice length
  double switch_ms = 0;         // time slicing: lost at each change between processes
  bool busy_processes = false;  // MIG+MPS: speed by the processes that are busy, not by the planned
  double overhead_ms = 0;       // added to every batch by the device, unknown to the policy
  std::uint32_t depth = 2;      // batches that an executor may hold
  WeightsSpec weights;          // loads during the run
};

struct Scenario {
  std::string name;
  std::string text;  // the JSON with overrides applied, for results
  std::uint64_t seed = 1;
  double duration_s = 0;
  double warmup_s = 0;
  bool drain = true;
  ProfileSet profiles;
  Cluster cluster;
  std::vector<Workload> workloads;            // what runs: plain ones and stages of applications
  std::vector<ApplicationLoad> applications;  // whose stages are among the workloads
  NetworkDelay network;
  PolicySpec planner{"exclusive", {}};
  std::optional<Plan> plan;  // given by the scenario in place of a planner
  Routing routing = Routing::kCentral;
  PolicySpec dispatcher{"fifo", {}};
  DeviceSpec device;
  bool log_requests = false;
  bool log_timeline = false;
  std::vector<std::string> notes;
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
