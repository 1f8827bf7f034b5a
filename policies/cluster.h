// The GPUs that a planner may use.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "profiles/gpu_type.h"

namespace tangram {

struct GpuGroup {
  std::string type;
  std::uint32_t count = 1;
};

// The machines that hold the GPUs; matters where weights are loaded during a run.
struct NodeSpec {
  std::uint32_t gpus = 0;                 // of one node; 0: all GPUs are in one node
  std::optional<double> host_memory_gib;  // for weights, of one node; nullopt: unlimited
  double link_gb_per_s = 12;              // between host memory and one GPU
  double storage_gb_per_s = 2;            // of one node, from storage to host memory
};

struct Cluster {
  std::vector<GpuGroup> gpus;  // in the scenario's order
  NodeSpec nodes;
  std::vector<GpuType> own_types;  // GPU types that the scenario describes itself

  std::uint32_t size() const {
    std::uint32_t n = 0;
    for (const GpuGroup& group : gpus) n += group.count;
    return n;
  }
  // The type of the i-th GPU, counted over the groups in order. Requires: i < size().
  const std::string& type_of(std::uint32_t i) const {
    std::size_t group = 0;
    while (i >= gpus[group].count) i -= gpus[group++].count;
    return gpus[group].type;
  }
};

}  // namespace tangram
