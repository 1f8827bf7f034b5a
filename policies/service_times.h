// The true times of batches: the means of a deployment, scattered as the profiles say. The
// simulator and the emulated backend draw from the same streams, so that both worlds see the same
// times as long as they take the same decisions.
#pragma once

#include <vector>

#include "policies/deployment.h"
#include "profiles/profile.h"
#include "sim/core/random.h"

namespace tangram {

class ServiceTimes {
 public:
  // How one class serves one queue.
  struct Service {
    const Duration* mean = nullptr;        // by batch
    std::vector<LatencySampler> samplers;  // one for all batches, or one by batch (empirical)
    bool by_batch = false;
    std::size_t source = 0;
  };

  // `truth` has the true means as its predictions and must outlive this; `key` is the root of the
  // run's random streams. Requires: a profile for every service.
  ServiceTimes(const Deployment& truth, const ProfileSet& profiles, StreamKey key);

  // The services of a class, in its order.
  const Service* services(ClassId cls) const { return services_[cls.index()].data(); }
  // Draws the time of a batch.
  Duration draw(const Service& service, std::uint32_t batch) {
    const Duration time = next(service, batch);
    advance(service, batch);
    return time;
  }
  // The two halves of draw(): what the next draw will return, and the draw itself. Whoever has to
  // say soon when the batch ends does so between them, and waits neither for the generator nor for
  // the arithmetic: advance() foresees that the next batch is like this one.
  Duration next(const Service& service, std::uint32_t batch) const {
    const LatencySampler& sampler = service.samplers[service.by_batch ? batch : 0];
    const Duration mean = service.mean[batch];
    if (sampler.constant()) return mean;
    const Source& source = sources_[service.source];
    if (mean == source.foreseen_mean && &sampler == source.foreseen_by) [[likely]]
      return source.foreseen;
    return sampler.scale(mean, source.next);
  }
  void advance(const Service& service, std::uint32_t batch) {
    const LatencySampler& sampler = service.samplers[service.by_batch ? batch : 0];
    if (sampler.constant()) return;
    Source& source = sources_[service.source];
    source.next = source.shape.draw(source.stream);
    source.foreseen_by = &sampler;
    source.foreseen_mean = service.mean[batch];
    source.foreseen = sampler.scale(source.foreseen_mean, source.next);
  }

 private:
  // One stream per workload and GPU type: its draws all have one shape.
  struct Source {
    RandomStream stream;
    LatencySampler shape;
    double next;
    // The time that `next` means to one sampler at one mean.
    const LatencySampler* foreseen_by = nullptr;
    Duration foreseen_mean{};
    Duration foreseen{};
  };
  std::vector<std::vector<Service>> services_;  // by class
  std::vector<Source> sources_;
};

}  // namespace tangram
