// Which worker processes run a deployment, on which cores and shares: pure functions of the
// deployment, the machine and the settings, one per backend.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "engine/worker_pool.h"
#include "policies/deployment.h"

namespace tangram {

// What a layout has to know of the machine.
struct Machine {
  std::vector<int> cores;  // that this process may use, ascending
};
Machine this_machine();

// What a user says of how a deployment is run; the command's options.
struct EngineSettings {
  std::string runner;                  // of the backend's runners; "": its first
  std::string models;                  // folder of exported models, for the runner torch
  std::vector<int> cores;              // for partitions; empty: all but the dispatcher's
  std::optional<int> dispatcher_core;  // of the engine's own threads
  bool exact_grants = false;           // a share other than asked for is an error, not a note
  std::string workers;                 // folder of the worker programs; "": beside the running one
};

// The cores of a machine, divided.
struct Cores {
  std::optional<int> dispatcher;  // none where there is one core for everything
  std::vector<int> partitions;
};
// The dispatcher gets the first core where there are two or more, partitions the others. Throws
// ConfigError for cores that this process may not use, or that are named twice.
Cores divide_cores(const Machine& machine, const EngineSettings& settings);

// The workers' models are the deployment's, by ModelId; each lane loads those that it serves.
struct Layout {
  std::vector<WorkerSpec> workers;
  std::vector<LaneAddress> lane_of;  // by ExecutorId
  std::vector<std::string> notes;    // what the user should know of it, one sentence each
};

// `models` by ModelId. Throws ConfigError for a deployment that the backend cannot run.
using LayOut = Layout (*)(const Deployment& deployment,
                          const Machine& machine,
                          const EngineSettings& settings,
                          const std::vector<ModelSpec>& models);

// Backend cpu: a process per executor; GPU i of the plan is core i of those for partitions. A share
// in percent is a quota that the processes of its partition have together.
Layout lay_out_cpu(const Deployment& deployment,
                   const Machine& machine,
                   const EngineSettings& settings,
                   const std::vector<ModelSpec>& models);

// The models that an executor serves.
std::vector<std::uint32_t> models_of(const Deployment& deployment, ExecutorId executor);
// Copies of `models` with the batches to warm: powers of two up to the largest that any executor of
// the deployment runs, and that one.
std::vector<ModelSpec> with_warm_batches(const Deployment& deployment,
                                         std::vector<ModelSpec> models);

}  // namespace tangram
