// A plan made ready to run: executors, the queues they serve, and what the policy believes about
// their speed. Built once per run; the Host, the simulator and the engine all read it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "policies/cluster.h"
#include "policies/plan.h"
#include "policies/weights.h"
#include "profiles/profile.h"
#include "sim/core/ids.h"
#include "sim/core/time.h"
#include "workloads/workload.h"

namespace tangram {

using GroupId = Id<struct GroupTag>;  // executors that serve exactly the same queues
using ClassId =
    Id<struct ClassTag>;  // executors of a group with the same speed and planned batches

// Where a request waits. Central: one queue per workload, from which any executor that serves it
// may take. Else one queue per (workload, executor), and the router picks it when the request
// arrives.
enum class Routing : std::uint8_t { kCentral, kWeightedRandom, kWrr, kShortestFinish, kDrr };
// "central", "weighted_random", "wrr", "shortest_finish", "drr", in the order of Routing.
const std::vector<std::string>& routing_names();

// A queue served by the executors of one class.
struct Service {
  QueueId queue;
  std::uint32_t max_batch = 0;  // min(planned batch if any, the profile's largest); 0: not served
  std::uint32_t planned_batch = 0;  // 0: none
  double rate_rps = 0;              // planned; 0: none
  Duration duty{};                  // planned duty cycle; 0: none
  std::vector<Duration> predicted;  // believed latency by batch, [0 .. max_batch]; [0] is 0
};

struct ExecutorClass {
  GroupId group;
  std::uint32_t gpu_type = 0;  // index into Deployment::gpu_types
  Share share;
  std::uint32_t processes = 1;    // that run side by side on the partition
  std::uint32_t profiled = 1;     // of them, at which the profile is looked up (profiled_processes)
  std::vector<Service> services;  // one per queue of the group, in the group's order
  // By queue - first_queue, over the range of the group's queues; only for groups of many queues,
  // else empty.
  std::vector<std::uint32_t> service_of;
  std::uint32_t first_queue = 0;

  static constexpr std::uint32_t kNotServed = ~std::uint32_t{0};
  // The index of a queue's service, or kNotServed.
  std::uint32_t index_of(QueueId queue) const {
    if (!service_of.empty()) {
      const std::size_t offset = std::size_t{queue.value()} - first_queue;
      return offset < service_of.size() ? service_of[offset] : kNotServed;
    }
    std::uint32_t i = 0;
    for (const Service& service : services) {
      if (service.queue == queue) return i;
      ++i;
    }
    return kNotServed;
  }
  // The service of a queue, or nullptr when this class does not serve it.
  const Service* find(QueueId queue) const {
    const std::uint32_t i = index_of(queue);
    return i == kNotServed ? nullptr : &services[i];
  }
};

struct ExecutorInfo {
  ClassId cls;
  GroupId group;
  std::uint32_t position = 0;   // within the group
  GpuId gpu;                    // index into Deployment::gpus
  std::uint32_t partition = 0;  // within the GPU's plan
  std::uint32_t process = 0;    // within the partition
};

struct QueueInfo {
  WorkloadId workload;
  ModelId model;
  Duration slo{};
  std::vector<GroupId> groups;  // whose executors serve it
  double weight = 1;            // share of its workload's requests, by planned rate or capacity
};

struct GroupInfo {
  std::vector<ExecutorId> executors;
  std::vector<QueueId> queues;
};

struct GpuInfo {
  std::uint32_t plan_index = 0;  // PlanGpu::index
  std::uint32_t type = 0;        // index into gpu_types
  GpuMode mode = GpuMode::kWhole;
};

struct Deployment {
  std::vector<Workload> workloads;
  std::vector<std::string> models;  // by ModelId
  std::vector<ModelId> model_of;    // by WorkloadId
  std::vector<std::string> gpu_types;
  std::vector<GpuInfo> gpus;
  std::vector<ExecutorInfo> executors;
  std::vector<ExecutorClass> classes;
  std::vector<GroupInfo> groups;
  std::vector<QueueInfo> queues;
  std::vector<std::vector<QueueId>> queues_of;  // by WorkloadId; empty: unserved
  Routing routing = Routing::kCentral;
  Weights weights;  // by manage_weights; empty: all are always on the devices
};

// Builds the deployment of a plan that check_plan passed with these workloads. `beliefs` are the
// profiles that the policy sees: predicted latencies are their means, and the largest batch is the
// largest b for which the latency of every batch 1 .. b is known. Executors are numbered by GPU,
// partition, group of the partition and process. Queues are numbered by workload under central
// routing, else by replica, in the plan's order. Weights follow the planned rates where every
// replica of the workload has one, else the capacities processes * max_batch / latency(max_batch).
// A replica
// "*" is expanded once per class; with routing other than central there is a queue per replica and
// workload.
Deployment deploy(const Plan& plan,
                  const std::vector<Workload>& workloads,
                  const ProfileSet& beliefs,
                  Routing routing);

// For devices that do not do what the policies believe: the deployment of the same plan with the
// true profiles. Lowers the largest batches of `believed` to what the truth has.
Deployment true_deployment(Deployment& believed, const Plan& plan, const ProfileSet& truth);

}  // namespace tangram
