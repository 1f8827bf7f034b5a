// From profiles to points, and from packed segments to a plan.
#include "policies/planners/detail/mig_services.h"

#include <algorithm>
#include <map>
#include <tuple>
#include <utility>

#include <fmt/format.h>

#include "policies/placement.h"
#include "policies/plan_io.h"

namespace tangram::detail {
namespace {

// Legal starts of the partitions of a GPU. Thousands of GPUs have a few dozen different cuts, so
// each is searched for once.
class Starts {
 public:
  explicit Starts(const GpuType& type) : type_(type) {}

  void place(std::vector<PlanPartition>& partitions) {
    std::vector<std::pair<int, int>> key;
    for (const PlanPartition& p : partitions) key.emplace_back(*p.size, p.start.value_or(-1));
    auto found = known_.find(key);
    if (found == known_.end()) found = known_.emplace(std::move(key), search(partitions)).first;
    for (std::size_t i = 0; i < partitions.size(); ++i) {
      PlanPartition& p = partitions[i];
      if (p.start && *p.start != found->second[i]) p.released_start = p.start;
      p.start = found->second[i];
    }
  }

 private:
  std::vector<int> search(std::vector<PlanPartition> partitions) const {
    TANGRAM_CHECK(place_mig_partitions(type_, partitions), "a planner chose an illegal cut of ",
                  type_.name);
    std::vector<int> starts;
    for (const PlanPartition& p : partitions) starts.push_back(*p.start);
    return starts;
  }

  const GpuType& type_;
  std::map<std::vector<std::pair<int, int>>, std::vector<int>> known_;
};

// Numbers of the cluster's GPUs of that type, ascending, at most so many.
std::vector<std::uint32_t> first_indices_of(const Cluster& cluster,
                                            const std::string& type,
                                            std::size_t most) {
  std::vector<std::uint32_t> indices;
  std::uint32_t first = 0;
  for (const GpuGroup& group : cluster.gpus) {
    for (std::uint32_t i = 0; i < group.count && group.type == type; ++i) {
      if (indices.size() == most) return indices;
      indices.push_back(first + i);
    }
    first += group.count;
  }
  return indices;
}

PlanPartition instance_of(const Workload& workload, const MigSegment& segment, double rate_rps) {
  PlanReplica replica;
  replica.workload = workload.name;
  replica.model = workload.model;
  replica.batch = segment.batch;
  replica.processes = segment.processes;
  replica.rate_rps = rate_rps;
  PlanPartition partition;
  partition.size = segment.size;
  partition.start = segment.label;
  partition.replicas.push_back(std::move(replica));
  return partition;
}

}  // namespace

const GpuType& mig_type_of(const Cluster& cluster) {
  const GpuType* found = nullptr;
  for (const GpuGroup& group : cluster.gpus) {
    const GpuType* type = find_gpu_type(group.type, cluster.own_types);
    TANGRAM_CHECK(type != nullptr, "unknown GPU type ", group.type);
    if (type->mig_slices == 0 || type == found) continue;
    if (found != nullptr) {
      throw NoAnswer(
          fmt::format("this planner cuts GPUs of one type, and the cluster has two with "
                      "MIG: {} and {}",
                      found->name, type->name));
    }
    found = type;
  }
  if (found == nullptr) throw NoAnswer("this planner cuts GPUs by MIG, and the cluster has none");
  return *found;
}

std::vector<MigPoint> mig_points(const ProfileSet& profiles,
                                 const std::string& model,
                                 const GpuType& type,
                                 std::uint32_t max_processes) {
  const Profile* profile = profiles.find(model, type.name);
  if (profile == nullptr) return {};
  std::vector<MigPoint> points;
  for (const LatencyPoint& p : profile->points) {
    if (p.share.kind != ShareKind::kMig || p.processes > max_processes) continue;
    MigPoint point;
    point.size = static_cast<int>(p.share.amount);
    if (find_mig_size(type, point.size) == nullptr) continue;
    point.batch = p.batch;
    point.processes = p.processes;
    point.process_rps = p.reported_throughput_rps.value_or(p.batch * 1000.0 / p.latency_ms);
    point.latency_ms = p.reported_latency_ms.value_or(p.latency_ms);
    point.suspect = !p.suspicion.empty();
    points.push_back(point);
  }
  std::sort(points.begin(), points.end(), [](const MigPoint& a, const MigPoint& b) {
    return std::tie(a.size, a.batch, a.processes) < std::tie(b.size, b.batch, b.processes);
  });
  return points;
}

std::vector<MigPoint> runnable_points(const ProfileSet& profiles,
                                      const std::string& model,
                                      const GpuType& type,
                                      std::uint32_t max_processes) {
  std::vector<MigPoint> points = mig_points(profiles, model, type, max_processes);
  if (points.empty()) return points;
  const Profile& profile = *profiles.find(model, type.name);
  std::map<std::pair<int, std::uint32_t>, std::uint32_t> usable;  // by (size, processes)
  std::erase_if(points, [&](const MigPoint& p) {
    const Share share{ShareKind::kMig, static_cast<double>(p.size)};
    const auto [known, is_new] = usable.try_emplace({p.size, p.processes}, 0);
    if (is_new) known->second = usable_batch(profile, share, p.processes);
    const std::optional<double> needed = memory_mib(profile, p.processes, p.batch);
    const std::optional<double> there = memory_of_mib(type, share);
    return p.batch > known->second || (needed && there && *needed > *there);
  });
  return points;
}

Plan plan_of(const PlanningProblem& problem,
             const GpuType& type,
             const std::vector<MigGpu>& gpus,
             const std::vector<std::string>& reasons) {
  const std::vector<Workload>& workloads = problem.workloads;
  const std::vector<std::optional<double>> rates = mean_rates(workloads);
  const std::vector<std::uint32_t> indices =
      first_indices_of(problem.cluster, type.name, gpus.size());
  const std::size_t count = indices.size();
  const std::vector<double> capacities = capacities_of(gpus, count, workloads.size());
  Plan plan;
  Starts starts(type);
  for (std::size_t g = 0; g < count; ++g) {
    if (gpus[g].empty()) continue;
    PlanGpu gpu{indices[g], type.name, GpuMode::kMig, {}};
    for (const MigSegment& segment : gpus[g]) {
      const double carried = std::min(*rates[segment.workload], capacities[segment.workload]);
      const double share = segment.capacity_rps / capacities[segment.workload];
      gpu.partitions.push_back(instance_of(workloads[segment.workload], segment, carried * share));
    }
    starts.place(gpu.partitions);
    plan.gpus.push_back(std::move(gpu));
  }
  const std::vector<double> wanted = capacities_of(gpus, gpus.size(), workloads.size());
  for (std::size_t w = 0; w < workloads.size(); ++w) {
    if (!rates[w]) {
      plan.unserved.push_back({workloads[w].name, 0, "its rate is not known in advance"});
    } else if (!covers(capacities[w], *rates[w])) {
      std::string reason = reasons[w];
      if (wanted[w] > capacities[w]) {
        reason = fmt::format("the plan needs {} GPUs, and the cluster has {} of type {}",
                             gpus.size(), indices.size(), type.name);
      }
      plan.unserved.push_back({workloads[w].name, *rates[w] - capacities[w], std::move(reason)});
    }
  }
  return plan;
}

std::vector<std::optional<double>> mean_rates(const std::vector<Workload>& workloads) {
  std::vector<std::optional<double>> rates;
  for (const Workload& workload : workloads) rates.push_back(mean_rate(workload.arrivals));
  return rates;
}

std::vector<double> capacities_of(const std::vector<MigGpu>& gpus,
                                  std::size_t count,
                                  std::size_t workloads) {
  std::vector<double> capacities(workloads, 0.0);
  for (std::size_t g = 0; g < count; ++g) {
    for (const MigSegment& segment : gpus[g]) capacities[segment.workload] += segment.capacity_rps;
  }
  return capacities;
}

bool covers(double capacity_rps, double rate_rps) {
  constexpr double kRounding = 1e-6;
  return capacity_rps >= rate_rps * (1 - kRounding);
}

}  // namespace tangram::detail
