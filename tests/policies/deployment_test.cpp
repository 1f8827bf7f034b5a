// From plans to executors, queues, groups, classes, beliefs and weights.
#include "policies/deployment.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "policies/placement.h"
#include "tests/policies/plan_fixtures.h"

namespace tangram {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

// Workloads a and b, both of model m; c of model n. latency_m(b) = 5 + b, latency_n(b) = 2 b ms.
struct DeployedWorld {
  std::vector<Workload> workloads{workload_of("a", "m", 50), workload_of("b", "m", 200),
                                  workload_of("c", "n", 100)};
  ProfileSet profiles;
  DeployedWorld() {
    profiles.add(linear_profile("m", "ideal", 5, 1, 16));
    profiles.add(linear_profile("n", "ideal", 0, 2, 4));
    profiles.add(linear_profile("m", "t4", 10, 1, 8));
    profiles.add(linear_profile("n", "t4", 0, 4, 4));
    std::vector<LatencyPoint> points;
    for (const std::uint32_t processes : {1u, 3u}) {
      points.push_back(point_of(kMig1, processes, 1, 4 * processes));
      points.push_back(point_of(kMig1, processes, 5, 12 * processes));
    }
    profiles.add(table_profile("m", "a100-80gb", points));
  }
  Deployment deployed(const Plan& plan, Routing routing = Routing::kCentral) const {
    return deploy(plan, workloads, profiles, routing);
  }
};

PlanGpu whole_gpu(std::uint32_t index,
                  std::vector<PlanReplica> replicas,
                  const std::string& type = "ideal") {
  return {index, type, GpuMode::kWhole, {whole_partition(std::move(replicas))}};
}

std::vector<std::uint32_t> values(const std::vector<QueueId>& ids) {
  std::vector<std::uint32_t> result;
  for (const QueueId id : ids) result.push_back(id.value());
  return result;
}
std::vector<std::uint32_t> values(const std::vector<ExecutorId>& ids) {
  std::vector<std::uint32_t> result;
  for (const ExecutorId id : ids) result.push_back(id.value());
  return result;
}

const Service* service(const Deployment& d, std::size_t executor, std::size_t queue) {
  return d.classes[d.executors[executor].cls.index()].find(QueueId(queue));
}

TEST(Deploy, CentralRoutingHasOneQueuePerServedWorkload) {
  Plan plan;
  plan.gpus = {whole_gpu(0, {replica_of("c", "n"), replica_of("a", "m")})};
  const Deployment d = DeployedWorld().deployed(plan);
  ASSERT_THAT(d.queues, SizeIs(2));
  EXPECT_EQ(d.queues[0].workload, WorkloadId(0));
  EXPECT_EQ(d.queues[1].workload, WorkloadId(2));
  EXPECT_EQ(d.queues[1].model, ModelId(1));
  EXPECT_EQ(d.queues[1].slo, from_ms(100));
  EXPECT_THAT(d.queues_of[1], IsEmpty());  // b is unserved
  EXPECT_THAT(d.models, ElementsAre("m", "n"));
}

TEST(Deploy, EqualGpusShareOneClassAndGroup) {
  Plan plan;
  plan.gpus = {whole_gpu(0, {replica_of("*", "*")}), whole_gpu(1, {replica_of("*", "*")}),
               // The same, written out in another order.
               whole_gpu(2, {replica_of("c", "n"), replica_of("b", "m"), replica_of("a", "m")})};
  const Deployment d = DeployedWorld().deployed(plan);
  ASSERT_THAT(d.classes, SizeIs(1));
  ASSERT_THAT(d.groups, SizeIs(1));
  EXPECT_THAT(values(d.groups[0].executors), ElementsAre(0, 1, 2));
  EXPECT_THAT(values(d.groups[0].queues), ElementsAre(0, 1, 2));
  EXPECT_EQ(d.executors[2].position, 2u);
  EXPECT_EQ(d.executors[2].gpu, GpuId(2));
}

TEST(Deploy, AGroupHoldsClassesOfDifferentSpeed) {
  Plan plan;
  plan.gpus = {whole_gpu(0, {replica_of("a", "m")}), whole_gpu(1, {replica_of("a", "m")}, "t4"),
               whole_gpu(2, {replica_of("a", "m", 4)})};
  const Deployment d = DeployedWorld().deployed(plan);
  EXPECT_THAT(d.groups, SizeIs(1));
  EXPECT_THAT(d.classes, SizeIs(3));
  EXPECT_THAT(d.gpu_types, ElementsAre("ideal", "t4"));
  EXPECT_THAT(d.queues[0].groups, ElementsAre(GroupId(0)));
}

TEST(Deploy, BeliefsAreTheProfilesMeansUpToTheSmallerOfPlannedAndProfiledBatch) {
  Plan plan;
  PlanReplica planned = replica_of("a", "m", 4);
  planned.rate_rps = 33;
  planned.duty_ms = 20;
  plan.gpus = {whole_gpu(0, {planned, replica_of("c", "n", 100)})};
  const Deployment d = DeployedWorld().deployed(plan);
  const Service* a = service(d, 0, 0);
  EXPECT_EQ(a->planned_batch, 4u);
  EXPECT_EQ(a->rate_rps, 33);
  EXPECT_EQ(a->duty, from_ms(20));
  EXPECT_THAT(a->predicted,
              ElementsAre(Duration(0), from_ms(6), from_ms(7), from_ms(8), from_ms(9)));
  EXPECT_EQ(service(d, 0, 1)->max_batch, 4u);  // the profile's largest
  EXPECT_EQ(service(d, 0, 2), nullptr);
}

TEST(Deploy, EveryProcessOfAReplicaGroupIsAnExecutor) {
  Plan plan;
  plan.gpus = {{5,
                "a100-80gb",
                GpuMode::kMig,
                {mig_partition(1, 0, {replica_of("a", "m", 5, 3), replica_of("b", "m", 2, 1, 7)}),
                 mig_partition(1, 1, {replica_of("b", "m")})}}};
  const Deployment d = DeployedWorld().deployed(plan);
  ASSERT_THAT(d.executors, SizeIs(5));
  std::vector<std::uint32_t> partitions, processes;
  for (const ExecutorInfo& executor : d.executors) {
    partitions.push_back(executor.partition);
    processes.push_back(executor.process);
  }
  EXPECT_THAT(partitions, ElementsAre(0, 0, 0, 0, 1));
  EXPECT_THAT(processes, ElementsAre(0, 1, 2, 3, 0));
  EXPECT_EQ(d.gpus[0].plan_index, 5u);
  // Measured with 3 processes: batch 1 takes 12 ms, 5 takes 36; linear, so 3 takes 24.
  EXPECT_EQ(d.classes[d.executors[0].cls.index()].processes, 3u);
  EXPECT_EQ(service(d, 0, 0)->predicted[3], from_ms(24));
  EXPECT_EQ(service(d, 4, 1)->predicted[3], from_ms(8));
  // b's two executors differ in the planned batch, so in class, but serve the same queues.
  EXPECT_EQ(d.executors[3].group, d.executors[4].group);
  EXPECT_NE(d.executors[3].cls, d.executors[4].cls);
}

TEST(Deploy, ClientsOfAWholeGpuAreLookedUpAlone) {
  // m and n are known for one process on the whole GPU only: latency_m(b) = 5 + b.
  for (const GpuMode mode :
       {GpuMode::kWhole, GpuMode::kMps, GpuMode::kStreams, GpuMode::kTimeSliced}) {
    Plan plan;
    plan.gpus = {{0, "ideal", mode, {whole_partition({replica_of("a", "m", {}, 64)})}}};
    const Deployment d = DeployedWorld().deployed(plan);
    ASSERT_THAT(d.executors, SizeIs(64));
    EXPECT_EQ(d.classes[0].processes, 64u);
    EXPECT_EQ(d.classes[0].profiled, 1u);
    EXPECT_EQ(service(d, 63, 0)->predicted[2], from_ms(7));
  }
}

TEST(Deploy, QueuesOfWorkloadsListEveryGroupThatServesThem) {
  Plan plan;
  plan.gpus = {whole_gpu(0, {replica_of("a", "m")}), whole_gpu(1, {replica_of("*", "*")})};
  const Deployment d = DeployedWorld().deployed(plan);
  EXPECT_THAT(d.queues[0].groups, ElementsAre(GroupId(0), GroupId(1)));
  EXPECT_THAT(d.queues[1].groups, ElementsAre(GroupId(1)));
}

TEST(Deploy, ReplicaRoutingHasAQueuePerReplicaSharedByItsProcesses) {
  Plan plan;
  plan.gpus = {whole_gpu(0, {replica_of("c", "n"), replica_of("a", "m")}),
               whole_gpu(1, {replica_of("a", "m", 5, 2)})};
  const Deployment d = DeployedWorld().deployed(plan, Routing::kWrr);
  ASSERT_THAT(d.queues, SizeIs(3));
  EXPECT_THAT(values(d.queues_of[0]), ElementsAre(0, 2));
  EXPECT_THAT(values(d.queues_of[2]), ElementsAre(1));
  ASSERT_THAT(d.groups, SizeIs(2));
  EXPECT_THAT(d.queues[2].groups, ElementsAre(GroupId(1)));
  EXPECT_THAT(values(d.groups[1].executors), ElementsAre(1, 2));
  EXPECT_NE(service(d, 1, 2), nullptr);
  EXPECT_EQ(service(d, 1, 0), nullptr);  // the other replica's queue
}

TEST(Deploy, WeightsFollowCapacityWhereNoRateIsPlanned) {
  Plan plan;
  plan.gpus = {whole_gpu(0, {replica_of("a", "m")}), whole_gpu(1, {replica_of("a", "m", 5)})};
  plan.gpus[1].partitions[0].replicas[0].rate_rps = 10;  // the other has none
  const Deployment d = DeployedWorld().deployed(plan, Routing::kWeightedRandom);
  // 16 / 21 ms and 5 / 10 ms.
  const double first = 16.0 / 21, second = 5.0 / 10;
  EXPECT_NEAR(d.queues[0].weight, first / (first + second), 1e-12);
  EXPECT_NEAR(d.queues[1].weight, second / (first + second), 1e-12);
}

TEST(Deploy, WeightsFollowPlannedRatesOfReplicas) {
  Plan plan;
  plan.gpus = {{0,
                "a100-80gb",
                GpuMode::kMig,
                {mig_partition(1, 0, {replica_of("a", "m", 5, 3)}),
                 mig_partition(1, 1, {replica_of("a", "m", 5, 1)})}}};
  plan.gpus[0].partitions[0].replicas[0].rate_rps = 30;
  plan.gpus[0].partitions[1].replicas[0].rate_rps = 70;
  const Deployment d = DeployedWorld().deployed(plan, Routing::kWrr);
  std::vector<double> weights;
  for (const QueueInfo& queue : d.queues) weights.push_back(queue.weight);
  EXPECT_THAT(weights, ElementsAre(0.3, 0.7));
}

TEST(Deploy, ABatchThatWasNotMeasuredIsNotUsable) {
  const Share whole;
  const std::vector<LatencyPoint> points{point_of(whole, 1, 1, 2), point_of(whole, 1, 2, 3),
                                         point_of(whole, 1, 8, 9)};
  EXPECT_EQ(usable_batch(table_profile("m", "t4", points, Interpolation::kNone), whole, 1), 2u);
  EXPECT_EQ(usable_batch(table_profile("m", "t4", points, Interpolation::kLinear), whole, 1), 8u);
  EXPECT_EQ(usable_batch(table_profile("m", "t4", points, Interpolation::kRoundUp), whole, 1), 8u);
  EXPECT_EQ(usable_batch(table_profile("m", "t4", points), whole, 2), 0u);
}

// Groups of more than eight queues are looked up by a table; it must agree with the scan.
TEST(Deploy, FindsTheServicesOfManyQueues) {
  DeployedWorld world;
  world.workloads.clear();
  Plan plan;
  std::vector<PlanReplica> odd;
  for (int w = 0; w < 40; ++w) {
    const std::string name = numbered("w", w);
    world.workloads.push_back(workload_of(name, "m"));
    if (w % 2 == 1) odd.push_back(replica_of(name, "m"));
  }
  plan.gpus = {whole_gpu(0, odd), whole_gpu(1, {replica_of("*", "*")})};
  for (const Routing routing : {Routing::kCentral, Routing::kWrr}) {
    const Deployment d = world.deployed(plan, routing);
    for (std::size_t e = 0; e < 2; ++e) {
      const GroupInfo& group = d.groups[d.executors[e].group.index()];
      EXPECT_THAT(group.queues, SizeIs(e == 0 ? 20 : 40));
      std::size_t served = 0;
      for (std::size_t q = 0; q < d.queues.size(); ++q) {
        const Service* found = service(d, e, q);
        const bool member =
            std::find(group.queues.begin(), group.queues.end(), QueueId(q)) != group.queues.end();
        ASSERT_EQ(found != nullptr, member) << "executor " << e << ", queue " << q;
        if (found != nullptr) {
          EXPECT_EQ(found->queue, QueueId(q));
          ++served;
        }
      }
      EXPECT_EQ(served, group.queues.size());
    }
  }
}

TEST(Deploy, TenThousandGpusWithAThousandWorkloadsShareOneClass) {
  DeployedWorld world;
  world.workloads.clear();
  for (int w = 0; w < 1000; ++w) {
    world.workloads.push_back(workload_of(numbered("w", w), "m"));
  }
  Plan plan;
  for (std::uint32_t g = 0; g < 10'000; ++g)
    plan.gpus.push_back(whole_gpu(g, {replica_of("*", "*")}));
  const Deployment d = world.deployed(plan);
  EXPECT_THAT(d.classes, SizeIs(1));
  EXPECT_THAT(d.executors, SizeIs(10'000));
  EXPECT_THAT(d.queues, SizeIs(1000));
}

// 6,100 replicas: a class of its own for each, and no table of all queues in any.
TEST(Deploy, ManyReplicasNeedMemoryInProportion) {
  DeployedWorld world;
  Plan plan;
  for (std::uint32_t g = 0; g < 6100; ++g)
    plan.gpus.push_back(whole_gpu(g, {replica_of("a", "m")}));
  const Deployment d = world.deployed(plan, Routing::kWrr);
  EXPECT_THAT(d.classes, SizeIs(6100));
  for (const ExecutorClass& cls : d.classes) ASSERT_THAT(cls.service_of, IsEmpty());
}

}  // namespace
}  // namespace tangram
