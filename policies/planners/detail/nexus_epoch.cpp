#include "policies/planners/detail/nexus_epoch.h"

#include <algorithm>
#include <map>
#include <utility>

namespace tangram::detail {
namespace {

struct Place {
  std::size_t gpu;
  std::size_t share;
};

class Epoch {
 public:
  Epoch(const std::vector<SquishyGpu>& gpus, const GpuType& type, const NexusEpochOptions& options)
      : gpus_(gpus), changed_(gpus.size(), false), type_(type), options_(options) {}

  // Gives the session's shares their new rates.
  void adjust(const SquishySession& session, double rate_rps) {
    const std::vector<Place> places = places_of(session);
    double assigned = 0;
    for (const Place& place : places) assigned += rate(place);
    if (rate_rps >= options_.shrink_below * assigned && rate_rps <= assigned) return;
    const bool rises = rate_rps > assigned;
    double left = rate_rps;
    for (const Place& place : places) {
      double given = std::min(left, rises ? session.throughput_rps() : rate(place));
      if (given <= session.throughput_rps() * kSquishyRounding) given = 0;
      left -= given;
      if (given == rate(place)) continue;
      rate(place) = given;
      changed_[place.gpu] = true;
    }
    if (rises && left > 0) homeless_[session.workload] += left;
  }

  // Takes what is too much from the GPUs that changed.
  void settle() {
    for (std::size_t g = 0; g < gpus_.size(); ++g) {
      SquishyGpu& gpu = gpus_[g];
      if (!changed_[g]) continue;
      gpu.shares.erase(std::remove_if(gpu.shares.begin(), gpu.shares.end(),
                                      [](const SquishyShare& s) { return s.rate_rps == 0; }),
                       gpu.shares.end());
      if (gpu.shares.empty()) continue;
      squishy_settle(gpu);
      if (gpu.occupancy() > options_.spill_above || exceeds_memory(gpu, type_)) spill(gpu);
    }
    gpus_.erase(std::remove_if(gpus_.begin(), gpus_.end(),
                               [](const SquishyGpu& gpu) { return gpu.shares.empty(); }),
                gpus_.end());
  }

  // Places what has no place.
  std::vector<SquishyGpu> finish(const std::vector<SquishySession>& sessions) {
    std::vector<SquishyGpu> rests;
    for (const SquishySession& session : sessions) {
      const auto found = homeless_.find(session.workload);
      if (found == homeless_.end()) continue;
      squishy_fill(session, found->second, options_.most_gpus, gpus_, rests);
    }
    sort_rests(options_.order, rests);
    for (const SquishyGpu& rest : rests) squishy_place(rest, 0, type_, gpus_);
    return std::move(gpus_);
  }

 private:
  double& rate(const Place& place) { return gpus_[place.gpu].shares[place.share].rate_rps; }

  // Largest share first, of equal ones the first.
  std::vector<Place> places_of(const SquishySession& session) {
    std::vector<Place> places;
    for (std::size_t g = 0; g < gpus_.size(); ++g) {
      for (std::size_t s = 0; s < gpus_[g].shares.size(); ++s) {
        if (gpus_[g].shares[s].session == &session) places.push_back({g, s});
      }
    }
    std::stable_sort(places.begin(), places.end(),
                     [&](const Place& a, const Place& b) { return rate(a) > rate(b); });
    return places;
  }

  void spill(SquishyGpu& gpu) {
    std::vector<SquishyShare> longest_first = gpu.shares;
    std::stable_sort(longest_first.begin(), longest_first.end(),
                     [](const SquishyShare& a, const SquishyShare& b) {
                       return a.session->latency(a.batch) > b.session->latency(b.batch);
                     });
    std::optional<SquishyGpu> kept;
    for (const SquishyShare& share : longest_first) {
      const SquishyGpu alone = squishy_alone(*share.session, share.rate_rps);
      std::optional<SquishyGpu> both = kept ? squishy_merged(*kept, alone, type_) : alone;
      if (both) {
        kept = std::move(both);
      } else {
        homeless_[share.session->workload] += share.rate_rps;
      }
    }
    // In their old order, so that a GPU that loses nothing goes on as it is.
    const auto position = [&](const SquishyShare& share) {
      return std::find_if(gpu.shares.begin(), gpu.shares.end(),
                          [&](const SquishyShare& old) { return old.session == share.session; });
    };
    std::sort(
        kept->shares.begin(), kept->shares.end(),
        [&](const SquishyShare& a, const SquishyShare& b) { return position(a) < position(b); });
    gpu.duty_ms = kept->duty_ms;
    gpu.shares = std::move(kept->shares);
  }

  std::vector<SquishyGpu> gpus_;
  std::vector<bool> changed_;
  std::map<std::size_t, double> homeless_;  // requests/s that need a place, by workload
  const GpuType& type_;
  const NexusEpochOptions& options_;
};

}  // namespace

std::vector<SquishyGpu> nexus_epoch(const std::vector<SquishyGpu>& gpus,
                                    const std::vector<SquishySession>& sessions,
                                    const std::vector<double>& rates_rps,
                                    const GpuType& type,
                                    const NexusEpochOptions& options) {
  Epoch epoch(gpus, type, options);
  for (const SquishySession& session : sessions) epoch.adjust(session, rates_rps[session.workload]);
  epoch.settle();
  return epoch.finish(sessions);
}

}  // namespace tangram::detail
