// What a run leaves behind: one of the two things (with Plan) that pass between the big parts.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "policies/plan.h"
#include "sim/results/metrics.h"

namespace tangram {

// How often the plan was made again during a run, and what came of it.
struct ReplanningCounts {
  std::uint64_t plans = 0;             // times that the planner was asked
  std::uint64_t kept = 0;              // of them: it kept its plan, or could not carry the rates
  std::uint64_t reconfigurations = 0;  // new plans that were put in place
  std::uint64_t rebuilt = 0;           // partitions that were made or got other models
  double gpus_mean = 0;                // in use or being prepared, over the duration
  std::uint32_t gpus_most = 0;
};

// One run: one seed of one scenario.
struct RunResult {
  std::string scenario;       // its name
  std::string scenario_text;  // the JSON that was run, overrides applied
  std::string routing;        // printed in every table, as are the next two
  std::string dispatcher;
  std::string device;   // "rate (sharing from_plan, interference default)"
  std::string runtime;  // "simulation", or the engine's backend
  std::uint64_t seed = 0;
  double measured_s = 0;   // duration - warmup
  double simulated_s = 0;  // end of the run, drain included
  double wall_s = 0;       // the only figure that may differ between reruns of one seed
  std::uint64_t events = 0;
  HostCounters host;
  Plan plan;                                   // the first one
  std::optional<ReplanningCounts> replanning;  // where the plan was made again
  std::vector<Workload> workloads;       // the scenario's (stages among them), then applications
  std::vector<WorkloadMetrics> metrics;  // by workload
  BusyTime busy;
  std::vector<std::string> executor_names;  // "gpu 0 / mig 3@4 / process 1", by executor
  std::vector<std::uint32_t> gpu_of_executor;
  std::vector<RequestRow> requests;  // ascending by id; empty unless asked for
  std::vector<BatchSpan> timeline;   // ascending by start; empty unless asked for
  std::vector<std::string> notes;    // what the user should know: assumptions, unserved demand
};

// "gpu 0 / mig 3 #1 / process 0": the GPU's index in the plan, the partition's number on it.
std::string executor_name(const Deployment& deployment, ExecutorId executor);

}  // namespace tangram
