// Picks the queue of a request when it arrives: the only queue of its workload under central
// routing, else one of its replicas'. Deterministic: the draw for weighted_random is the caller's.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "policies/dispatcher.h"

namespace tangram {

class Router {
 public:
  explicit Router(const Deployment& deployment);

  // The queue of a workload that has just one.
  MaybeId<QueueId> only(WorkloadId workload) const { return only_[workload.index()]; }
  // none when nothing serves the workload. `draw` is uniform on 64 bits, for weighted_random.
  MaybeId<QueueId> route(const View& view, WorkloadId workload, std::uint64_t draw) {
    const MaybeId<QueueId> only = only_[workload.index()];
    if (only) [[likely]]
      return only;
    if (deployment_->queues_of[workload.index()].empty()) return {};
    return route_to_replica(view, workload, draw);
  }

 private:
  QueueId route_to_replica(const View& view, WorkloadId workload, std::uint64_t draw);
  // The first replica whose cumulative weight exceeds the draw. O(log replicas).
  std::size_t weighted_random(WorkloadId workload, std::uint64_t draw) const;
  // Smooth weighted round robin: every replica earns its weight, the richest (the first of equals)
  // is picked and pays the sum. Weights 5, 1, 1 give a a b a c a a. O(replicas).
  std::size_t smooth_round_robin(WorkloadId workload);
  // Deficit round robin, as the frontends of Nexus: the replicas in turn, each for as many requests
  // as its weight is of the smallest one; what is left of that is kept for its next turn. O(1).
  std::size_t deficit_round_robin(WorkloadId workload);
  // The replica with the smallest believed finish: the time at which the first of its processes is
  // free, after the full batches that already wait in its queue, then the batch that this request
  // joins. Replicas that are down come last; ties go to the lower index. O(processes).
  std::size_t shortest_finish(const View& view, WorkloadId workload);

  // The weights of one workload's replicas, in units of 2^-32, and what each has earned: integers,
  // so that ties stay ties however long the run.
  struct RoundRobin {
    std::vector<std::int64_t> weight;
    std::vector<std::int64_t> credit;
    std::int64_t total = 0;
  };

  const Deployment* deployment_;
  std::vector<MaybeId<QueueId>> only_;           // by workload: its queue, where it has just one
  std::vector<std::vector<double>> cumulative_;  // weighted_random: by workload, ends at 1
  std::vector<RoundRobin> round_robin_;          // wrr: by workload
  struct Deficit {
    std::vector<double> quantum;  // of a turn, >= 1
    std::vector<double> left;
    std::size_t turn = 0;
  };
  std::vector<Deficit> deficit_;  // drr: by workload
  std::vector<TimePoint> free_;   // scratch of shortest_finish
};

}  // namespace tangram
