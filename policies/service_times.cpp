#include "policies/service_times.h"

#include <map>
#include <utility>

#include "sim/core/check.h"

namespace tangram {
namespace {

// A sampler that makes the draws for all batches of a profile.
LatencySampler shape_of(const Profile& profile) {
  // Ranks do not depend on the samples that they are looked up in.
  return LatencySampler(profile.variability, {0.5, 1.5});
}

// A sampler per batch; between measured batches the nearest smaller one lends its scatter.
std::vector<LatencySampler> empirical_samplers(const Profile& profile,
                                               const ExecutorClass& cls,
                                               std::uint32_t max_batch) {
  std::vector<LatencySampler> samplers;
  for (std::uint32_t b = 0; b <= max_batch; ++b) {
    const LatencyPoint* point = profile.point(cls.share, cls.profiled, b);
    if (point != nullptr) {
      samplers.emplace_back(profile.variability, point->samples_ms);
    } else {
      samplers.push_back(samplers.empty() ? LatencySampler() : samplers.back());
    }
  }
  return samplers;
}

}  // namespace

ServiceTimes::ServiceTimes(const Deployment& truth, const ProfileSet& profiles, StreamKey key) {
  std::map<std::pair<WorkloadId, std::uint32_t>, std::size_t> source_of;
  for (const ExecutorClass& cls : truth.classes) {
    std::vector<Service>& services = services_.emplace_back();
    for (const tangram::Service& planned : cls.services) {
      const QueueInfo& queue = truth.queues[planned.queue.index()];
      const std::string& model = truth.models[queue.model.index()];
      const std::string& gpu_type = truth.gpu_types[cls.gpu_type];
      const Profile* profile = profiles.find(model, gpu_type);
      TANGRAM_CHECK(profile != nullptr, "no profile of ", model, " on ", gpu_type);

      const auto [found, is_new] =
          source_of.try_emplace({queue.workload, cls.gpu_type}, sources_.size());
      if (is_new) {
        const std::string& workload = truth.workloads[queue.workload.index()].name;
        RandomStream stream(key.with("service").with(workload).with(gpu_type));
        const LatencySampler shape = shape_of(*profile);
        const double next = shape.draw(stream);
        sources_.push_back({stream, shape, next, nullptr, {}, {}});
      }
      Service service{planned.predicted.data(), {}, false, found->second};
      service.by_batch = profile->variability.kind == Variability::Kind::kEmpirical;
      if (service.by_batch) {
        service.samplers = empirical_samplers(*profile, cls, planned.max_batch);
      } else {
        service.samplers.emplace_back(profile->variability);
      }
      services.push_back(std::move(service));
    }
  }
}

}  // namespace tangram
