#include "sim/shards.h"

#include <map>
#include <numeric>
#include <string>

namespace tangram {
namespace {

// Disjoint sets with path halving.
class UnionFind {
 public:
  explicit UnionFind(std::size_t n) : parent_(n) { std::iota(parent_.begin(), parent_.end(), 0U); }
  std::uint32_t find(std::uint32_t i) {
    while (parent_[i] != i) i = parent_[i] = parent_[parent_[i]];
    return i;
  }
  void join(std::uint32_t a, std::uint32_t b) {
    a = find(a);
    b = find(b);
    // The smaller index leads, so that the order of shards follows the order of workloads.
    if (a < b) {
      parent_[b] = a;
    } else {
      parent_[a] = b;
    }
  }

 private:
  std::vector<std::uint32_t> parent_;
};

}  // namespace

std::vector<Shard> split(const Plan& plan,
                         const std::vector<Workload>& workloads,
                         const std::vector<ApplicationLoad>& applications) {
  std::map<std::string, std::uint32_t> index;
  for (std::uint32_t w = 0; w < workloads.size(); ++w) index[workloads[w].name] = w;

  constexpr std::uint32_t kIdle = ~std::uint32_t{0};
  UnionFind sets(workloads.size());
  std::vector<std::uint32_t> some_workload(plan.gpus.size(), kIdle);
  bool everything_joined = false;
  for (std::size_t g = 0; g < plan.gpus.size(); ++g) {
    for (const PlanPartition& partition : plan.gpus[g].partitions) {
      for (const PlanReplica& replica : partition.replicas) {
        const bool all = replica.workload == "*";
        const std::uint32_t w = all ? 0 : index.at(replica.workload);
        if (some_workload[g] == kIdle) some_workload[g] = w;
        sets.join(some_workload[g], w);
        if (!all || everything_joined) continue;
        for (std::uint32_t other = 1; other < workloads.size(); ++other) sets.join(0, other);
        everything_joined = true;
      }
    }
  }

  for (const ApplicationLoad& application : applications) {
    for (const WorkloadId stage : application.stages) {
      sets.join(application.stages.front().value(), stage.value());
    }
  }

  std::vector<Shard> shards;
  std::vector<std::uint32_t> shard_of(workloads.size(), kIdle);
  for (std::uint32_t w = 0; w < workloads.size(); ++w) {
    const std::uint32_t root = sets.find(w);
    if (shard_of[root] == kIdle) {
      shard_of[root] = static_cast<std::uint32_t>(shards.size());
      shards.emplace_back();
    }
    shard_of[w] = shard_of[root];
    shards[shard_of[w]].workloads.push_back(w);
  }
  for (std::uint32_t a = 0; a < applications.size(); ++a) {
    shards[shard_of[applications[a].stages.front().index()]].applications.push_back(a);
  }
  for (std::uint32_t g = 0; g < plan.gpus.size(); ++g) {
    if (some_workload[g] != kIdle) shards[shard_of[some_workload[g]]].gpus.push_back(g);
  }
  return shards;
}

}  // namespace tangram
