// The four ways to choose among replicas.
#include "policies/router.h"

#include <algorithm>
#include <cmath>

namespace tangram {
namespace {

constexpr double kWeightUnits = 0x1p32;

// When a request that joins this replica's queue now is believed to finish; kNever when all of its
// processes are down. The full batches ahead of it and its own are spread over the processes in the
// order in which these become free; `free` is scratch.
TimePoint believed_finish(const View& view, QueueId queue, std::vector<TimePoint>& free) {
  free.clear();
  const std::vector<ExecutorId>& processes = view.group(view.groups_of(queue).front()).executors;
  for (const ExecutorId e : processes) {
    if (view.executor(e).up) free.push_back(std::max(view.now(), view.executor(e).free_at));
  }
  if (free.empty()) return kNever;
  std::sort(free.begin(), free.end());
  const Service& service = *view.service(processes.front(), queue);
  const std::uint32_t waiting = view.queue(queue).size();
  const std::size_t full = waiting / service.max_batch;
  const std::uint32_t rest = waiting % service.max_batch;
  const auto rounds = static_cast<std::int64_t>(full / free.size());
  return free[full % free.size()] + rounds * service.predicted[service.max_batch] +
         service.predicted[rest + 1];
}

}  // namespace

Router::Router(const Deployment& deployment) : deployment_(&deployment) {
  for (const std::vector<QueueId>& queues : deployment.queues_of) {
    only_.push_back(queues.size() == 1 ? MaybeId<QueueId>(queues.front()) : MaybeId<QueueId>());
  }
  if (deployment.routing == Routing::kWeightedRandom) {
    for (const std::vector<QueueId>& queues : deployment.queues_of) {
      std::vector<double>& cumulative = cumulative_.emplace_back();
      double sum = 0;
      for (const QueueId queue : queues) {
        cumulative.push_back(sum += deployment.queues[queue.index()].weight);
      }
      if (!cumulative.empty()) cumulative.back() = 1;
    }
  } else if (deployment.routing == Routing::kWrr) {
    for (const std::vector<QueueId>& queues : deployment.queues_of) {
      RoundRobin& robin = round_robin_.emplace_back();
      robin.credit.assign(queues.size(), 0);
      for (const QueueId queue : queues) {
        const double weight = deployment.queues[queue.index()].weight;
        robin.weight.push_back(std::llround(weight * kWeightUnits));
        robin.total += robin.weight.back();
      }
    }
  } else if (deployment.routing == Routing::kDrr) {
    for (const std::vector<QueueId>& queues : deployment.queues_of) {
      Deficit& deficit = deficit_.emplace_back();
      double least = 1;
      for (const QueueId queue : queues) {
        least = std::min(least, deployment.queues[queue.index()].weight);
      }
      for (const QueueId queue : queues) {
        deficit.quantum.push_back(deployment.queues[queue.index()].weight / least);
      }
      deficit.left.assign(queues.size(), 0);
      if (!queues.empty()) deficit.left.front() = deficit.quantum.front();
    }
  }
}

QueueId Router::route_to_replica(const View& view, WorkloadId workload, std::uint64_t draw) {
  std::size_t replica = 0;
  switch (deployment_->routing) {
    case Routing::kCentral:  // one queue per workload, so route() never comes here
      break;
    case Routing::kWeightedRandom:
      replica = weighted_random(workload, draw);
      break;
    case Routing::kWrr:
      replica = smooth_round_robin(workload);
      break;
    case Routing::kShortestFinish:
      replica = shortest_finish(view, workload);
      break;
    case Routing::kDrr:
      replica = deficit_round_robin(workload);
      break;
  }
  return deployment_->queues_of[workload.index()][replica];
}

std::size_t Router::weighted_random(WorkloadId workload, std::uint64_t draw) const {
  const std::vector<double>& cumulative = cumulative_[workload.index()];
  const double uniform = static_cast<double>(draw >> 11) * 0x1p-53;  // [0, 1)
  const auto found = std::upper_bound(cumulative.begin(), cumulative.end(), uniform);
  return static_cast<std::size_t>(found - cumulative.begin());
}

std::size_t Router::smooth_round_robin(WorkloadId workload) {
  RoundRobin& robin = round_robin_[workload.index()];
  std::size_t richest = 0;
  for (std::size_t i = 0; i < robin.credit.size(); ++i) {
    robin.credit[i] += robin.weight[i];
    if (robin.credit[i] > robin.credit[richest]) richest = i;
  }
  robin.credit[richest] -= robin.total;
  return richest;
}

std::size_t Router::deficit_round_robin(WorkloadId workload) {
  Deficit& deficit = deficit_[workload.index()];
  constexpr double kRounding = 1e-9;
  while (deficit.left[deficit.turn] < 1 - kRounding) {
    deficit.turn = deficit.turn + 1 == deficit.left.size() ? 0 : deficit.turn + 1;
    deficit.left[deficit.turn] += deficit.quantum[deficit.turn];
  }
  deficit.left[deficit.turn] -= 1;
  return deficit.turn;
}

std::size_t Router::shortest_finish(const View& view, WorkloadId workload) {
  const std::vector<QueueId>& queues = deployment_->queues_of[workload.index()];
  std::size_t best = 0;
  TimePoint earliest = kNever;
  for (std::size_t i = 0; i < queues.size(); ++i) {
    const TimePoint finish = believed_finish(view, queues[i], free_);
    if (finish < earliest) {
      earliest = finish;
      best = i;
    }
  }
  return best;
}

}  // namespace tangram
