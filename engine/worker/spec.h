// What a worker process is asked to be, and what it says that it became. Plain data that passes
// between the engine and its workers as JSON.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "profiles/profile.h"
#include "sim/core/json_reader.h"

namespace tangram {

// A model that a worker may run.
struct ModelSpec {
  std::string name;                         // the profile's
  std::string path;                         // its file; "" for runners that need none
  std::string kind;                         // "cnn", "mlp", "transformer"; "" when not known
  std::vector<std::int64_t> input;          // shape of one item, without the batch
  std::string dtype = "float32";            // of the input: "float32" or "int64"
  std::int64_t values_below = 0;            // int64 inputs lie in [0, values_below)
  std::vector<std::uint32_t> warm_batches;  // run once or more before the worker is ready
};

// One executor: a thread of the worker that runs one batch at a time.
struct LaneSpec {
  Share share;                        // asked for: whole, percent, SMs, MIG slices
  std::uint32_t partition = 0;        // of the device; lanes of one partition share its SMs
  std::vector<std::uint32_t> models;  // indices into WorkerSpec::models, loaded before it is ready
};

// One process.
struct WorkerSpec {
  std::string runner;   // "sleep", "native", "torch", "kernels"
  std::string device;   // "cpu", "cuda:0", or a MIG instance's UUID
  std::string sharing;  // how the lanes divide the device; the backend's name: "cpu", "cuda-green"
  std::vector<int> cores;   // CPU cores that it may run on; empty: any
  double cpu_quota = 0;     // of one core, (0, 1]; 0: no limit
  std::string quota_group;  // workers that name the same group share one quota; "": its own
  std::vector<std::pair<std::string, std::string>> environment;  // added before it starts
  // Its lanes will be asked for kernel lists: a profiler watches every launch, which takes time.
  bool lists_kernels = false;
  std::vector<ModelSpec> models;
  std::vector<LaneSpec> lanes;
};

struct LaneGrant {
  Share share;       // what it really got
  std::string note;  // one sentence, where that differs from what was asked or cannot be enforced
};

// What a worker became.
struct WorkerGrant {
  std::string device, driver, framework;  // for provenance
  std::vector<LaneGrant> lanes;           // as WorkerSpec::lanes
};

Json to_json(const WorkerSpec& spec);
Json to_json(const WorkerGrant& grant);
// Throw ConfigError for text that the functions above did not write.
WorkerSpec worker_spec_from(const Json& json);
WorkerGrant worker_grant_from(const Json& json);

// Kernels as they pass: [[batch, name, grid, threads, registers, shared memory, us], ...]. Names
// are cut to kLongestKernelName: those of C++ templates have no end.
inline constexpr std::size_t kLongestKernelName = 120;
Json kernels_to_json(const std::vector<Kernel>& kernels);
// Throws ConfigError for text that the function above did not write.
std::vector<Kernel> kernels_from(const Json& json);

}  // namespace tangram
