#include "policies/weights.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <string>

#include "policies/deployment.h"
#include "sim/core/error.h"

namespace tangram {
namespace {

constexpr double kKibPerMib = 1024;
constexpr double kKibPerGib = 1024 * 1024;
constexpr double kBytesPerKib = 1024;
const char* const kPlace = "/device/weights";

Duration transfer(std::int64_t kib, double gb_per_s) {
  return from_seconds(static_cast<double>(kib) * kBytesPerKib / (gb_per_s * 1e9));
}

// The profile of a model on some GPU type of the deployment: the size of weights does not depend on
// the type.
const Profile* any_profile(const Deployment& deployment,
                           const ProfileSet& profiles,
                           const std::string& model) {
  for (const std::string& type : deployment.gpu_types) {
    const Profile* profile = profiles.find(model, type);
    if (profile != nullptr && weights_mib(*profile)) return profile;
  }
  return nullptr;
}

// By executor. Executors of one partition share its memory; those of a GPU that MIG does not divide
// share the GPU's.
std::vector<std::int64_t> caches(const Deployment& deployment,
                                 const Cluster& cluster,
                                 const WeightsSpec& spec) {
  const auto place = [&](const ExecutorInfo& e) {
    const bool isolated = deployment.classes[e.cls.index()].share.kind == ShareKind::kMig;
    return std::pair(e.gpu, isolated ? e.partition : 0);
  };
  std::map<std::pair<GpuId, std::uint32_t>, std::int64_t> sharers;
  for (const ExecutorInfo& e : deployment.executors) ++sharers[place(e)];
  std::vector<std::int64_t> result;
  for (const ExecutorInfo& e : deployment.executors) {
    const ExecutorClass& cls = deployment.classes[e.cls.index()];
    const std::string& name = deployment.gpu_types[cls.gpu_type];
    const GpuType* type = find_gpu_type(name, cluster.own_types);
    std::optional<double> gib = spec.cache_gib;
    if (!gib && type != nullptr) {
      const MigSize* size = cls.share.kind == ShareKind::kMig
                                ? find_mig_size(*type, static_cast<int>(cls.share.amount))
                                : nullptr;
      gib = size != nullptr ? std::optional(size->memory_gib) : type->memory_gib;
    }
    if (!gib) {
      throw ConfigError(kPlace, "the memory of GPU type " + name +
                                    " is unlimited; say \"cache_gib\", or leave weights resident");
    }
    result.push_back(static_cast<std::int64_t>(*gib * kKibPerGib) / sharers[place(e)]);
  }
  return result;
}

}  // namespace

std::optional<double> weights_mib(const Profile& profile) {
  return profile.weights_mib ? profile.weights_mib : profile.memory_mib;
}

void manage_weights(Deployment& deployment,
                    const Cluster& cluster,
                    const ProfileSet& profiles,
                    const WeightsSpec& spec) {
  if (!spec.managed) return;
  Weights& weights = deployment.weights;
  for (const std::string& model : deployment.models) {
    const Profile* profile = any_profile(deployment, profiles, model);
    if (profile == nullptr) {
      throw ConfigError(kPlace, "how large the weights of model " + model +
                                    " are is not known; its profile needs \"weights_mib\"");
    }
    weights.kib.push_back(
        std::max<std::int64_t>(1, std::llround(*weights_mib(*profile) * kKibPerMib)));
    weights.storage.push_back(transfer(weights.kib.back(), cluster.nodes.storage_gb_per_s));
  }
  weights.cache_kib = caches(deployment, cluster, spec);
  for (const GpuInfo& gpu : deployment.gpus) {
    std::vector<Duration>& load = weights.load.emplace_back();
    for (std::size_t m = 0; m < deployment.models.size(); ++m) {
      const Profile* profile = profiles.find(deployment.models[m], deployment.gpu_types[gpu.type]);
      const bool measured = profile != nullptr && profile->load_ms.has_value();
      load.push_back(measured ? from_ms(*profile->load_ms)
                              : transfer(weights.kib[m], cluster.nodes.link_gb_per_s));
    }
    weights.node.push_back(cluster.nodes.gpus == 0 ? 0 : gpu.plan_index / cluster.nodes.gpus);
  }
  if (cluster.nodes.host_memory_gib) {
    weights.host_kib = static_cast<std::int64_t>(*cluster.nodes.host_memory_gib * kKibPerGib);
  }
  weights.initial.assign(deployment.executors.size() * deployment.models.size(),
                         WeightState::kAbsent);
  for (std::size_t e = 0; e < deployment.executors.size(); ++e) {
    std::int64_t room = weights.cache_kib[e];
    for (const Service& service :
         deployment.classes[deployment.executors[e].cls.index()].services) {
      const ModelId m = deployment.queues[service.queue.index()].model;
      const std::int64_t kib = weights.kib[m.index()];
      if (kib > weights.cache_kib[e] || (weights.host_kib && kib > *weights.host_kib)) {
        throw ConfigError(kPlace, "the weights of model " + deployment.models[m.index()] + " (" +
                                      std::to_string(kib / 1024) +
                                      " MiB) are larger than the memory for them");
      }
      WeightState& state = weights.initial[e * deployment.models.size() + m.index()];
      if (!spec.filled || kib > room || state == WeightState::kLoaded) continue;
      state = WeightState::kLoaded;
      room -= kib;
    }
  }
}

std::vector<std::int64_t> initial_room_kib(const Deployment& deployment) {
  std::vector<std::int64_t> room = deployment.weights.cache_kib;
  const std::size_t models = deployment.models.size();
  for (std::size_t i = 0; i < deployment.weights.initial.size(); ++i) {
    if (deployment.weights.initial[i] == WeightState::kLoaded) {
      room[i / models] -= deployment.weights.kib[i % models];
    }
  }
  return room;
}

WeightTransfers::WeightTransfers(const Deployment& deployment)
    : deployment_(&deployment), link_free_(deployment.gpus.size(), kStart) {
  std::uint32_t nodes = 0;
  for (const std::uint32_t node : deployment.weights.node) nodes = std::max(nodes, node + 1);
  hosts_.resize(nodes);
  if (!deployment.weights.host_kib) return;
  // Host memory begins with the first models that fit.
  for (Host& host : hosts_) {
    for (std::size_t m = deployment.models.size(); m-- > 0;) {
      if (host.used_kib + deployment.weights.kib[m] > *deployment.weights.host_kib) continue;
      host.models.emplace_back(m);
      host.used_kib += deployment.weights.kib[m];
    }
  }
}

bool WeightTransfers::touch(std::uint32_t node, ModelId model) {
  const Weights& weights = deployment_->weights;
  if (!weights.host_kib) return true;
  Host& host = hosts_[node];
  const bool there = std::erase(host.models, model) > 0;
  if (!there) {
    host.used_kib += weights.kib[model.index()];
    while (host.used_kib > *weights.host_kib) {
      host.used_kib -= weights.kib[host.models.front().index()];
      host.models.erase(host.models.begin());
    }
  }
  host.models.push_back(model);
  return there;
}

WeightTransfers::Span WeightTransfers::load(ExecutorId executor, ModelId model, TimePoint now) {
  const GpuId gpu = deployment_->executors[executor.index()].gpu;
  const std::uint32_t node = deployment_->weights.node[gpu.index()];
  TimePoint& link = link_free_[gpu.index()];
  const TimePoint start = std::max(now, link);
  TimePoint ready = start;
  if (!touch(node, model)) {
    TimePoint& storage = hosts_[node].storage_free;
    storage = std::max(start, storage) + deployment_->weights.storage[model.index()];
    ready = storage;
  }
  link = ready + deployment_->weights.load[gpu.index()][model.index()];
  ++loads_;
  loaded_kib_ += deployment_->weights.kib[model.index()];
  return {start, link};
}

}  // namespace tangram
