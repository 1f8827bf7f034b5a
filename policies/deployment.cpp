// Turns a plan into executors, queues, groups and classes. Replicas are kept as the plan writes
// them
// ("*" stays one entry) until a class is seen for the first time, so that thousands of equal GPUs
// cost one expansion.
#include "policies/deployment.h"

#include <algorithm>
#include <map>
#include <tuple>
#include <unordered_map>
#include <utility>

#include "policies/placement.h"
#include "sim/core/check.h"

namespace tangram {
namespace {

constexpr std::uint32_t kEveryWorkload = ~std::uint32_t{0};
// Up to this many services a scan is faster than a table.
constexpr std::size_t kMostScanned = 8;

// A replica as the plan writes it, by the workload's index.
struct Planned {
  std::uint32_t workload = kEveryWorkload;
  std::uint32_t batch = 0;  // 0: none
  double rate_rps = 0;      // 0: none
  double duty_ms = 0;       // 0: none
  friend auto operator<=>(const Planned&, const Planned&) = default;
};

// What the processes of one group of a partition have in common.
struct Spec {
  std::uint32_t gpu_type = 0;
  Share share;
  std::uint32_t processes = 1;
  std::uint32_t profiled = 1;
  std::vector<Planned> replicas;  // ascending by workload
  friend auto operator<=>(const Spec&, const Spec&) = default;
};

class Builder {
 public:
  Builder(const Plan& plan,
          const std::vector<Workload>& workloads,
          const ProfileSet& beliefs,
          Routing routing)
      : plan_(plan), beliefs_(beliefs) {
    result_.workloads = workloads;
    result_.routing = routing;
    result_.queues_of.resize(workloads.size());
  }

  Deployment build() {
    index_workloads();
    if (result_.routing == Routing::kCentral) add_central_queues();
    for (const PlanGpu& gpu : plan_.gpus) add_gpu(gpu);
    if (result_.routing == Routing::kCentral) {
      name_groups_of_queues();
    } else {
      normalise_weights();
    }
    return std::move(result_);
  }

 private:
  void index_workloads();
  void add_central_queues();
  void add_queue(std::uint32_t workload);
  void add_gpu(const PlanGpu& gpu);
  void add_executors(const PlanPartition& partition, ExecutorInfo first, std::uint32_t group);
  std::vector<Planned> expanded(const std::vector<Planned>& replicas) const;
  ClassId central_class(const Spec& spec);
  ClassId replica_class(const Spec& spec);
  GroupId group_of(const std::vector<QueueId>& queues);
  ClassId add_class(const Spec& spec, GroupId group);
  Service service_of(const Spec& spec, const Planned& planned, QueueId queue) const;
  void name_groups_of_queues();
  void normalise_weights();
  std::uint32_t type_index(const std::string& type);

  const Plan& plan_;
  const ProfileSet& beliefs_;
  Deployment result_;
  std::unordered_map<std::string, std::uint32_t> workload_index_;
  std::map<Spec, ClassId> as_written_;   // central: "*" not expanded
  std::map<Spec, ClassId> as_expanded_;  // central
  std::map<std::vector<QueueId>, GroupId> groups_;
};

void Builder::index_workloads() {
  std::unordered_map<std::string, std::uint32_t> models;
  for (std::size_t w = 0; w < result_.workloads.size(); ++w) {
    const Workload& workload = result_.workloads[w];
    workload_index_.emplace(workload.name, static_cast<std::uint32_t>(w));
    const auto [model, is_new] =
        models.try_emplace(workload.model, static_cast<std::uint32_t>(result_.models.size()));
    if (is_new) result_.models.push_back(workload.model);
    result_.model_of.push_back(ModelId(model->second));
  }
}

void Builder::add_queue(std::uint32_t workload) {
  const QueueId queue(result_.queues.size());
  QueueInfo info;
  info.workload = WorkloadId(workload);
  info.model = result_.model_of[workload];
  info.slo = result_.workloads[workload].slo;
  result_.queues.push_back(std::move(info));
  result_.queues_of[workload].push_back(queue);
}

void Builder::add_central_queues() {
  std::vector<bool> served(result_.workloads.size(), false);
  for (const PlanGpu& gpu : plan_.gpus) {
    for (const PlanPartition& partition : gpu.partitions) {
      for (const PlanReplica& replica : partition.replicas) {
        if (replica.workload == "*") {
          served.assign(served.size(), true);
        } else {
          served[workload_index_.at(replica.workload)] = true;
        }
      }
    }
  }
  for (std::size_t w = 0; w < served.size(); ++w) {
    if (served[w]) add_queue(static_cast<std::uint32_t>(w));
  }
}

std::uint32_t Builder::type_index(const std::string& type) {
  const auto found = std::find(result_.gpu_types.begin(), result_.gpu_types.end(), type);
  const auto index = static_cast<std::uint32_t>(found - result_.gpu_types.begin());
  if (found == result_.gpu_types.end()) result_.gpu_types.push_back(type);
  return index;
}

void Builder::add_gpu(const PlanGpu& gpu) {
  const GpuId id(result_.gpus.size());
  result_.gpus.push_back({gpu.index, type_index(gpu.type), gpu.mode});
  for (std::size_t p = 0; p < gpu.partitions.size(); ++p) {
    const PlanPartition& partition = gpu.partitions[p];
    ExecutorInfo first;
    first.gpu = id;
    first.partition = static_cast<std::uint32_t>(p);
    std::vector<std::uint32_t> seen;
    for (const PlanReplica& replica : partition.replicas) {
      if (std::find(seen.begin(), seen.end(), replica.group) != seen.end()) continue;
      seen.push_back(replica.group);
      add_executors(partition, first, replica.group);
      first.process += replica.processes;
    }
  }
}

void Builder::add_executors(const PlanPartition& partition,
                            ExecutorInfo first,
                            std::uint32_t group) {
  Spec spec;
  spec.gpu_type = result_.gpus[first.gpu.index()].type;
  spec.share = partition.share();
  for (const PlanReplica& replica : partition.replicas) {
    if (replica.group != group) continue;
    spec.processes = replica.processes;
    spec.profiled = profiled_processes(result_.gpus[first.gpu.index()].mode, replica.processes);
    const std::uint32_t workload =
        replica.workload == "*" ? kEveryWorkload : workload_index_.at(replica.workload);
    spec.replicas.push_back({workload, replica.batch.value_or(0), replica.rate_rps.value_or(0),
                             replica.duty_ms.value_or(0)});
  }
  std::sort(spec.replicas.begin(), spec.replicas.end());
  const ClassId cls =
      result_.routing == Routing::kCentral ? central_class(spec) : replica_class(spec);
  for (std::uint32_t process = 0; process < spec.processes; ++process) {
    const ExecutorId id(result_.executors.size());
    ExecutorInfo executor = first;
    executor.process += process;
    executor.cls = cls;
    executor.group = result_.classes[executor.cls.index()].group;
    std::vector<ExecutorId>& members = result_.groups[executor.group.index()].executors;
    executor.position = static_cast<std::uint32_t>(members.size());
    members.push_back(id);
    result_.executors.push_back(executor);
  }
}

std::vector<Planned> Builder::expanded(const std::vector<Planned>& replicas) const {
  std::vector<Planned> result;
  for (const Planned& replica : replicas) {
    if (replica.workload != kEveryWorkload) {
      result.push_back(replica);
      continue;
    }
    for (std::size_t w = 0; w < result_.workloads.size(); ++w) {
      result.push_back(replica);
      result.back().workload = static_cast<std::uint32_t>(w);
    }
  }
  return result;
}

ClassId Builder::central_class(const Spec& spec) {
  const auto known = as_written_.find(spec);
  if (known != as_written_.end()) return known->second;
  Spec full = spec;
  full.replicas = expanded(spec.replicas);
  const auto same = as_expanded_.find(full);
  ClassId cls;
  if (same != as_expanded_.end()) {
    cls = same->second;
  } else {
    std::vector<QueueId> queues;
    for (const Planned& planned : full.replicas) {
      queues.push_back(result_.queues_of[planned.workload].front());
    }
    cls = add_class(full, group_of(queues));
    as_expanded_.emplace(std::move(full), cls);
  }
  as_written_.emplace(spec, cls);
  return cls;
}

ClassId Builder::replica_class(const Spec& spec) {
  Spec full = spec;
  full.replicas = expanded(spec.replicas);
  GroupInfo group;
  for (const Planned& planned : full.replicas) {
    group.queues.emplace_back(result_.queues.size());
    add_queue(planned.workload);
    result_.queues.back().groups = {GroupId(result_.groups.size())};
  }
  result_.groups.push_back(std::move(group));
  return add_class(full, GroupId(result_.groups.size() - 1));
}

GroupId Builder::group_of(const std::vector<QueueId>& queues) {
  const auto [group, is_new] = groups_.try_emplace(queues, GroupId(result_.groups.size()));
  if (is_new) result_.groups.push_back({{}, queues});
  return group->second;
}

// `spec` is expanded, and its replicas are in the order of the group's queues.
ClassId Builder::add_class(const Spec& spec, GroupId group) {
  const std::vector<QueueId>& queues = result_.groups[group.index()].queues;
  ExecutorClass cls;
  cls.group = group;
  cls.gpu_type = spec.gpu_type;
  cls.share = spec.share;
  cls.processes = spec.processes;
  cls.profiled = spec.profiled;
  for (std::size_t i = 0; i < queues.size(); ++i) {
    cls.services.push_back(service_of(spec, spec.replicas[i], queues[i]));
  }
  if (queues.size() > kMostScanned) {
    cls.first_queue = queues.front().value();
    cls.service_of.assign(queues.back().value() - cls.first_queue + 1, ExecutorClass::kNotServed);
    for (std::size_t i = 0; i < queues.size(); ++i) {
      cls.service_of[queues[i].value() - cls.first_queue] = static_cast<std::uint32_t>(i);
    }
  }
  result_.classes.push_back(std::move(cls));
  return ClassId(result_.classes.size() - 1);
}

Service Builder::service_of(const Spec& spec, const Planned& planned, QueueId queue) const {
  const std::string& model = result_.workloads[planned.workload].model;
  const Profile* profile = beliefs_.find(model, result_.gpu_types[spec.gpu_type]);
  TANGRAM_CHECK(profile != nullptr, "no profile of ", model, " in a plan that was checked");
  Service service;
  service.queue = queue;
  service.planned_batch = planned.batch;
  service.rate_rps = planned.rate_rps;
  service.duty = from_ms(planned.duty_ms);
  service.max_batch = usable_batch(*profile, spec.share, spec.profiled);
  if (planned.batch > 0) service.max_batch = std::min(service.max_batch, planned.batch);
  TANGRAM_CHECK(service.max_batch > 0, "no batch of ", model, " in a plan that was checked");
  service.predicted.reserve(service.max_batch + 1);
  service.predicted.push_back(Duration::zero());
  for (std::uint32_t batch = 1; batch <= service.max_batch; ++batch) {
    service.predicted.push_back(from_ms(*profile->latency_ms(spec.share, spec.profiled, batch)));
  }
  return service;
}

void Builder::name_groups_of_queues() {
  for (std::size_t g = 0; g < result_.groups.size(); ++g) {
    for (const QueueId queue : result_.groups[g].queues) {
      result_.queues[queue.index()].groups.emplace_back(g);
    }
  }
}

void Builder::normalise_weights() {
  for (const std::vector<QueueId>& queues : result_.queues_of) {
    std::vector<double> rates, capacities;
    for (const QueueId queue : queues) {
      const GroupInfo& group = result_.groups[result_.queues[queue.index()].groups.front().index()];
      const ExecutorInfo& executor = result_.executors[group.executors.front().index()];
      const Service& service = *result_.classes[executor.cls.index()].find(queue);
      rates.push_back(service.rate_rps);
      const Duration latency = std::max(service.predicted[service.max_batch], Duration(1));
      capacities.push_back(static_cast<double>(group.executors.size()) * service.max_batch /
                           to_seconds(latency));
    }
    const bool planned = std::all_of(rates.begin(), rates.end(), [](double r) { return r > 0; });
    const std::vector<double>& weights = planned ? rates : capacities;
    double sum = 0;
    for (const double weight : weights) sum += weight;
    for (std::size_t i = 0; i < queues.size(); ++i) {
      result_.queues[queues[i].index()].weight = weights[i] / sum;
    }
  }
}

}  // namespace

const std::vector<std::string>& routing_names() {
  static const std::vector<std::string> names{"central", "weighted_random", "wrr",
                                              "shortest_finish", "drr"};
  return names;
}

Deployment deploy(const Plan& plan,
                  const std::vector<Workload>& workloads,
                  const ProfileSet& beliefs,
                  Routing routing) {
  return Builder(plan, workloads, beliefs, routing).build();
}

Deployment true_deployment(Deployment& believed, const Plan& plan, const ProfileSet& truth) {
  Deployment result = deploy(plan, believed.workloads, truth, believed.routing);
  for (std::size_t c = 0; c < result.classes.size(); ++c) {
    for (std::size_t s = 0; s < result.classes[c].services.size(); ++s) {
      Service& service = believed.classes[c].services[s];
      service.max_batch = std::min(service.max_batch, result.classes[c].services[s].max_batch);
    }
  }
  result.weights = believed.weights;
  return result;
}

}  // namespace tangram
