// Model weights that move between host and device memory: how large they are, what fits where, and
// how long a load takes. One description for simulator, engine and policies.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "policies/cluster.h"
#include "policies/messages.h"
#include "profiles/profile.h"
#include "sim/core/ids.h"
#include "sim/core/time.h"

namespace tangram {

struct Deployment;

// How a scenario treats weights.
struct WeightsSpec {
  bool managed = false;             // else all weights are always on every device
  std::optional<double> cache_gib;  // device memory for weights; nullopt: all of the GPU's memory
  bool filled = false;              // begin with the first models that fit, in their order
};

// Part of a Deployment; empty where weights are not managed.
struct Weights {
  std::vector<std::int64_t> kib;            // by model
  std::vector<std::int64_t> cache_kib;      // by executor
  std::vector<std::vector<Duration>> load;  // by GPU, by model: from host memory to the device
  std::vector<WeightState> initial;         // by executor * models + model
  std::vector<std::uint32_t> node;          // by GPU
  std::optional<std::int64_t> host_kib;     // host memory of a node; nullopt: all models fit
  std::vector<Duration> storage;            // by model: from storage to host memory
  bool managed() const { return !kib.empty(); }
};

// Fills deployment.weights. A GPU's cache, or that of a MIG instance, is divided equally among its
// executors. Size: the profile's weights_mib, else memory_mib; time: load_ms, else size / link.
// Throws ConfigError for a model whose size is not known or that fits nowhere.
void manage_weights(Deployment& deployment,
                    const Cluster& cluster,
                    const ProfileSet& profiles,
                    const WeightsSpec& spec);
// The size of a model's weights; nullopt when its profile does not say.
std::optional<double> weights_mib(const Profile& profile);
// By executor: the cache less what is there at the start.
std::vector<std::int64_t> initial_room_kib(const Deployment& deployment);

// The true course of loads: one at a time over each GPU's link; a model that is not in the node's
// host memory is read from storage before, one at a time per node, in place of the models used
// least recently. Deterministic.
class WeightTransfers {
 public:
  // Requires: managed weights. The deployment must outlive this.
  explicit WeightTransfers(const Deployment& deployment);
  struct Span {
    TimePoint start, end;
  };
  // Begins a load now, behind those of the same GPU that are not over. Requires: now does not go
  // back.
  Span load(ExecutorId executor, ModelId model, TimePoint now);
  std::uint64_t loads() const { return loads_; }
  std::int64_t loaded_kib() const { return loaded_kib_; }

 private:
  // Whether the model was in the node's host memory; it is now.
  bool touch(std::uint32_t node, ModelId model);

  struct Host {
    std::vector<ModelId> models;  // least recently used first
    std::int64_t used_kib = 0;
    TimePoint storage_free = kStart;
  };
  const Deployment* deployment_;
  std::vector<TimePoint> link_free_;  // by GPU
  std::vector<Host> hosts_;           // by node; unused where all models fit
  std::uint64_t loads_ = 0;
  std::int64_t loaded_kib_ = 0;
};

}  // namespace tangram
