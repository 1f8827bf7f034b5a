// Layouts of worker processes: pure functions, tested without any process.
#include "engine/layout.h"

#include <gmock/gmock.h>

#include "sim/core/error.h"
#include "tests/engine/fixture.h"

namespace tangram {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

const Machine kFourCores{{0, 1, 2, 3}};

// A GPU whose partitions have these shares in percent (100: none given), with one executor each.
Plan plan_with_shares(const std::vector<double>& percents, std::uint32_t processes = 1) {
  Plan plan;
  PlanGpu gpu;
  gpu.type = "ideal";
  gpu.mode = GpuMode::kMps;
  for (const double percent : percents) {
    PlanPartition partition;
    if (percent < 100) partition.share_pct = percent;
    PlanReplica replica;
    replica.workload = "*";
    replica.model = "*";
    replica.processes = processes;
    partition.replicas = {replica};
    gpu.partitions.push_back(partition);
  }
  plan.gpus = {gpu};
  return plan;
}

Deployment deployment_of(const Scenario& scenario, const Plan& plan) {
  return deploy(plan, scenario.workloads, scenario.profiles, Routing::kCentral);
}

std::vector<ModelSpec> models_named(const Deployment& deployment) {
  std::vector<ModelSpec> models;
  for (const std::string& name : deployment.models) models.emplace_back().name = name;
  return models;
}

Layout lay_out(const Deployment& deployment,
               const Machine& machine,
               const EngineSettings& settings = {}) {
  return lay_out_cpu(deployment, machine, settings, models_named(deployment));
}

std::string fault_of(const Deployment& deployment,
                     const Machine& machine,
                     const EngineSettings& settings = {}) {
  try {
    lay_out(deployment, machine, settings);
  } catch (const ConfigError& error) {
    return error.what();
  }
  return "";
}

TEST(Cores, TheDispatcherHasTheFirstAndPartitionsTheOthers) {
  const Cores cores = divide_cores(kFourCores, {});
  EXPECT_EQ(cores.dispatcher, 0);
  EXPECT_THAT(cores.partitions, ElementsAre(1, 2, 3));
}

TEST(Cores, OneCoreIsForEverything) {
  const Cores cores = divide_cores({{5}}, {});
  EXPECT_EQ(cores.dispatcher, std::nullopt);
  EXPECT_THAT(cores.partitions, ElementsAre(5));
}

TEST(Cores, TheDispatcherTakesOneThatIsLeftOver) {
  EngineSettings settings;
  settings.cores = {0, 2};
  EXPECT_EQ(divide_cores(kFourCores, settings).dispatcher, 1);
  settings.cores = {3, 2, 1, 0};
  EXPECT_EQ(divide_cores(kFourCores, settings).dispatcher, 0);
  EXPECT_THAT(divide_cores(kFourCores, settings).partitions, ElementsAre(3, 2, 1, 0));
  settings = {};
  settings.dispatcher_core = 2;
  EXPECT_THAT(divide_cores(kFourCores, settings).partitions, ElementsAre(0, 1, 3));
}

TEST(Cores, ThatAreNotThereOrNamedTwiceAreToldTogether) {
  EngineSettings settings;
  settings.cores = {9, 1, 1};
  settings.dispatcher_core = 8;
  try {
    divide_cores(kFourCores, settings);
    FAIL() << "cores 8 and 9 of four were accepted";
  } catch (const ConfigError& error) {
    ASSERT_EQ(error.faults().size(), 3U);
    EXPECT_THAT(error.what(), HasSubstr("may not use core 9; it may use 0, 1, 2, 3"));
    EXPECT_THAT(error.what(), HasSubstr("--dispatcher-core"));
    EXPECT_THAT(error.what(), HasSubstr("named twice"));
  }
}

TEST(LayOutCpu, GivesEachGpuACoreAndEachExecutorAProcess) {
  const Scenario scenario = three_workloads();
  const Layout layout = lay_out(deployment_of(scenario, plan_of(scenario)), kFourCores);
  ASSERT_EQ(layout.workers.size(), 3U);
  for (std::uint32_t e = 0; e < 3; ++e) {
    EXPECT_EQ(layout.lane_of[e], (LaneAddress{e, 0}));
    EXPECT_THAT(layout.workers[e].cores, ElementsAre(static_cast<int>(e) + 1));
    EXPECT_EQ(layout.workers[e].cpu_quota, 0);
    ASSERT_EQ(layout.workers[e].lanes.size(), 1U);
    // Two models, "small" and "large", whatever the number of workloads.
    EXPECT_THAT(layout.workers[e].lanes[0].models, ElementsAre(0, 1));
    EXPECT_THAT(layout.workers[e].environment,
                ::testing::Contains(::testing::Pair("OMP_NUM_THREADS", "1")));
  }
  EXPECT_THAT(layout.notes, IsEmpty());
}

TEST(LayOutCpu, WarmsPowersOfTwoAndTheLargestBatch) {
  const Scenario scenario = three_workloads({{"/profiles/0/latency/max_batch", "6"}});
  const Deployment deployment = deployment_of(scenario, plan_of(scenario));
  EngineSettings settings;
  settings.runner = "native";
  const Layout layout = lay_out(deployment, kFourCores, settings);
  EXPECT_THAT(layout.workers[0].models[0].warm_batches, ElementsAre(1, 2, 4, 6));
  EXPECT_THAT(layout.workers[0].models[1].warm_batches, ElementsAre(1, 2, 4, 8, 16));
  settings.runner = "sleep";
  EXPECT_THAT(lay_out(deployment, kFourCores, settings).workers[0].models[0].warm_batches,
              IsEmpty());
}

TEST(LayOutCpu, AShareIsAQuotaThatThePartitionsProcessesHaveTogether) {
  const Scenario scenario = three_workloads(percent_profiles());
  const Layout layout = lay_out(deployment_of(scenario, plan_with_shares({25, 75}, 2)), kFourCores);
  ASSERT_EQ(layout.workers.size(), 4U);
  EXPECT_DOUBLE_EQ(layout.workers[0].cpu_quota, 0.25);
  EXPECT_DOUBLE_EQ(layout.workers[3].cpu_quota, 0.75);
  EXPECT_EQ(layout.workers[0].quota_group, layout.workers[1].quota_group);
  EXPECT_EQ(layout.workers[2].quota_group, layout.workers[3].quota_group);
  EXPECT_NE(layout.workers[1].quota_group, layout.workers[2].quota_group);
  for (const WorkerSpec& worker : layout.workers) EXPECT_THAT(worker.cores, ElementsAre(1));
  EXPECT_THAT(layout.notes, ElementsAre(HasSubstr("core 1 is shared by 4 executors")));
}

TEST(LayOutCpu, NeedsACoreForEachGpu) {
  const Scenario scenario = three_workloads();
  const Deployment deployment = deployment_of(scenario, plan_of(scenario));
  EXPECT_THAT(
      fault_of(deployment, {{0, 1}}),
      HasSubstr("the plan has 3 GPUs and partitions have 1 core (1), the dispatcher core 0"));
  EXPECT_EQ(fault_of(deployment, kFourCores), "");
}

TEST(LayOutCpu, HasNoSlicesAndNoSms) {
  const Scenario scenario = three_workloads({{"/cluster/gpus/0/count", "1"}});
  Deployment deployment = deployment_of(scenario, plan_of(scenario));
  deployment.classes[0].share = {ShareKind::kSms, 32};
  EXPECT_THAT(fault_of(deployment, kFourCores), HasSubstr("a partition of 32 SMs"));
}

WorkerSpec full_spec() {
  WorkerSpec spec;
  spec.runner = "native";
  spec.device = "cpu";
  spec.sharing = "cpu";
  spec.cores = {2, 3};
  spec.cpu_quota = 0.25;
  spec.quota_group = "gpu0-partition1";
  spec.environment = {{"A", "1"}, {"B", ""}};
  spec.models = {{"m", "folder/m.pt", "cnn", {3, 224, 224}, "int64", 8192, {1, 2, 32}}};
  spec.lanes = {{{ShareKind::kPercent, 40}, 7, {0}}, {{ShareKind::kMig, 3}, 0, {}}};
  return spec;
}

TEST(WorkerSpecJson, ReturnsWhatWasWritten) {
  const Json json = to_json(full_spec());
  EXPECT_EQ(to_json(worker_spec_from(Json::parse(json.dump()))), json);
  const WorkerSpec again = worker_spec_from(json);
  EXPECT_EQ(again.cores, full_spec().cores);
  EXPECT_EQ(again.environment, full_spec().environment);
  EXPECT_EQ(again.models[0].input, full_spec().models[0].input);
  EXPECT_EQ(again.models[0].warm_batches, full_spec().models[0].warm_batches);
  EXPECT_EQ(again.lanes[0].share, full_spec().lanes[0].share);
  EXPECT_EQ(again.lanes[0].partition, 7U);
}

TEST(WorkerSpecJson, AForeignTextIsRefused) {
  Json json = to_json(full_spec());
  json["lanes"][0]["models"] = {3};
  EXPECT_THROW(worker_spec_from(json), ConfigError);
  json = to_json(full_spec());
  json["cpu_quota"] = 2;
  EXPECT_THROW(worker_spec_from(json), ConfigError);
  json = to_json(full_spec());
  json["more"] = 1;
  EXPECT_THROW(worker_spec_from(json), ConfigError);
  json = to_json(full_spec());
  json.erase("models");
  EXPECT_THROW(worker_spec_from(json), ConfigError);
  EXPECT_THROW(worker_spec_from(Json::array()), ConfigError);
}

TEST(WorkerGrantJson, ReturnsWhatWasWritten) {
  WorkerGrant grant{"a CPU", "a kernel", "native", {{{ShareKind::kSms, 16}, "rounded up"}}};
  const Json json = to_json(grant);
  const WorkerGrant again = worker_grant_from(Json::parse(json.dump()));
  EXPECT_EQ(to_json(again), json);
  EXPECT_EQ(again.lanes[0].share, grant.lanes[0].share);
  EXPECT_EQ(again.lanes[0].note, "rounded up");
}

}  // namespace
}  // namespace tangram
