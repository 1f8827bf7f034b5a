// Deployments laid out on machines with NVIDIA GPUs that are written down here.
#include "engine/cuda/layout.h"

#include <algorithm>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sim/core/error.h"
#include "sim/scenario/plan_of_scenario.h"

namespace tangram {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr const char* kLayoutScenario = R"json({
  "schema": 1, "duration_s": 1,
  "profiles": [
    {"model": "m", "gpu": "h200", "latency": {"points": [
      {"batch": 1, "latency_ms": 1}, {"batch": 1, "latency_ms": 1, "sms": 48},
      {"batch": 1, "latency_ms": 1, "sms": 80}, {"batch": 1, "latency_ms": 1, "share_pct": 40},
      {"batch": 1, "latency_ms": 1, "processes": 3},
      {"batch": 1, "latency_ms": 1, "sms": 48, "processes": 2},
      {"batch": 1, "latency_ms": 1, "mig": 3, "processes": 2},
      {"batch": 1, "latency_ms": 1, "mig": 3}, {"batch": 1, "latency_ms": 1, "mig": 1}]}}],
  "cluster": {"gpus": [{"type": "h200", "count": 2}]},
  "workloads": [{"model": "m", "slo_ms": 100,
                 "arrivals": {"process": "poisson", "rate_rps": 10}}]})json";

PlanPartition partition_of(const Share& share, std::uint32_t processes = 1) {
  PlanPartition partition;
  const int whole = static_cast<int>(share.amount);
  if (share.kind == ShareKind::kMig) partition.size = whole;
  if (share.kind == ShareKind::kPercent) partition.share_pct = share.amount;
  if (share.kind == ShareKind::kSms) partition.sms = whole;
  PlanReplica replica;
  replica.workload = "m";
  replica.model = "m";
  replica.processes = processes;
  partition.replicas = {replica};
  return partition;
}

Deployment deployment_of(const std::vector<std::vector<PlanPartition>>& gpus) {
  const Scenario scenario = parse_scenario(kLayoutScenario, "layout test", ".", {});
  Plan plan;
  for (const std::vector<PlanPartition>& partitions : gpus) {
    const auto index = static_cast<std::uint32_t>(plan.gpus.size());
    plan.gpus.push_back({index, "h200", GpuMode::kSm, partitions});
  }
  return deploy(plan, scenario.workloads, scenario.profiles, Routing::kCentral);
}

CudaMachine machine_of(std::size_t gpus) {
  CudaMachine machine;
  machine.green_contexts = true;
  for (std::size_t i = 0; i < gpus; ++i) {
    CudaGpu gpu;
    gpu.uuid = "GPU-" + std::to_string(i);
    gpu.name = "NVIDIA H200";
    gpu.compute_major = 9;
    gpu.sms = 132;
    machine.gpus.push_back(gpu);
  }
  return machine;
}

CudaMachine mig_machine(const std::vector<MigInstance>& instances) {
  CudaMachine machine = machine_of(1);
  machine.gpus[0].mig = true;
  machine.gpus[0].instances = instances;
  return machine;
}

Layout lay_out(const std::string& backend,
               const CudaMachine& machine,
               const Deployment& deployment,
               const std::string& runner = "torch") {
  EngineSettings settings;
  settings.runner = runner;
  ModelSpec model;
  model.name = "m";
  return lay_out_cuda(backend, machine, deployment, settings, {model});
}

std::string faults_of(const std::string& backend,
                      const CudaMachine& machine,
                      const Deployment& deployment) {
  try {
    lay_out(backend, machine, deployment);
  } catch (const ConfigError& error) {
    std::string text;
    for (const Fault& fault : error.faults()) text += fault.where + ": " + fault.what + '\n';
    return text;
  }
  return "";
}

std::string variable(const WorkerSpec& worker, const std::string& name) {
  for (const auto& [key, value] : worker.environment) {
    if (key == name) return value;
  }
  return "(unset)";
}

const Share kSms48{ShareKind::kSms, 48};
const Share kSms80{ShareKind::kSms, 80};
const Share kMig1{ShareKind::kMig, 1};
const Share kMig3{ShareKind::kMig, 3};

TEST(CudaLayout, GreenContextsAreLanesOfOneProcessPerGpu) {
  const Deployment deployment =
      deployment_of({{partition_of(kSms48, 2), partition_of(kSms80)}, {partition_of(kSms80)}});
  const Layout layout = lay_out("cuda-green", machine_of(2), deployment);
  ASSERT_EQ(layout.workers.size(), 2U);
  const WorkerSpec& first = layout.workers[0];
  EXPECT_EQ(variable(first, "CUDA_VISIBLE_DEVICES"), "GPU-0");
  EXPECT_EQ(variable(layout.workers[1], "CUDA_VISIBLE_DEVICES"), "GPU-1");
  EXPECT_EQ(variable(first, "CUDA_DEVICE_MAX_CONNECTIONS"), "32");
  EXPECT_EQ(first.device, "cuda:0");
  EXPECT_EQ(first.sharing, "cuda-green");
  ASSERT_EQ(first.lanes.size(), 3U);
  // Two processes of a partition share its green context.
  EXPECT_EQ(first.lanes[0].partition, first.lanes[1].partition);
  EXPECT_NE(first.lanes[1].partition, first.lanes[2].partition);
  EXPECT_EQ(first.lanes[0].share, kSms48);
  EXPECT_EQ(first.lanes[2].share, kSms80);
  EXPECT_THAT(first.lanes[0].models, ElementsAre(0));
  EXPECT_THAT(first.models[0].warm_batches, ElementsAre(1));
  EXPECT_THAT(layout.lane_of, ElementsAre(LaneAddress{0, 0}, LaneAddress{0, 1}, LaneAddress{0, 2},
                                          LaneAddress{1, 0}));
}

TEST(CudaLayout, TimeSlicingNeedsAProcessPerExecutor) {
  const Deployment deployment = deployment_of({{partition_of({}, 3)}});
  const Layout layout = lay_out("cuda-time-sliced", machine_of(1), deployment);
  ASSERT_EQ(layout.workers.size(), 3U);
  for (const WorkerSpec& worker : layout.workers) EXPECT_EQ(worker.lanes.size(), 1U);
  EXPECT_THAT(layout.lane_of, ElementsAre(LaneAddress{0, 0}, LaneAddress{1, 0}, LaneAddress{2, 0}));
}

TEST(CudaLayout, MpsFixesThePercentageBeforeTheProcessStarts) {
  CudaMachine machine = machine_of(1);
  machine.mps_pipe = "/run/mps";
  const Deployment deployment =
      deployment_of({{partition_of({ShareKind::kPercent, 40}), partition_of(kSms48)}});
  const Layout layout = lay_out("cuda-mps", machine, deployment);
  ASSERT_EQ(layout.workers.size(), 2U);
  EXPECT_EQ(variable(layout.workers[0], "CUDA_MPS_ACTIVE_THREAD_PERCENTAGE"), "40");
  EXPECT_EQ(variable(layout.workers[0], "CUDA_MPS_PIPE_DIRECTORY"), "/run/mps");
  // 48 of 132 SMs are 36.4 %; rounded up.
  EXPECT_EQ(variable(layout.workers[1], "CUDA_MPS_ACTIVE_THREAD_PERCENTAGE"), "37");
  // The kernel runner asks for SMs itself.
  const Layout kernels = lay_out("cuda-mps", machine, deployment, "kernels");
  EXPECT_EQ(variable(kernels.workers[1], "CUDA_MPS_ACTIVE_THREAD_PERCENTAGE"), "(unset)");
}

TEST(CudaLayout, MpsWithoutADaemonIsSaid) {
  EXPECT_THAT(faults_of("cuda-mps", machine_of(1), deployment_of({{partition_of(kSms48)}})),
              HasSubstr("--backend cuda-mps: no MPS control daemon"));
}

TEST(CudaLayout, MigTakesInstancesOfThePlansSizes) {
  const CudaMachine machine =
      mig_machine({{"MIG-a", 1, 16, 0}, {"MIG-b", 3, 60, 0}, {"MIG-c", 1, 16, 0}});
  const Deployment deployment =
      deployment_of({{partition_of(kMig3, 2), partition_of(kMig1), partition_of(kMig1)}});
  const Layout layout = lay_out("cuda-mig", machine, deployment);
  std::vector<std::string> visible;
  for (const WorkerSpec& worker : layout.workers) {
    visible.push_back(variable(worker, "CUDA_VISIBLE_DEVICES"));
    EXPECT_EQ(worker.device, visible.back());
  }
  EXPECT_THAT(visible, ElementsAre("MIG-b", "MIG-b", "MIG-a", "MIG-c"));
  EXPECT_THAT(layout.notes, Contains("cuda-mig: 2 processes take turns on MIG-b"));
}

TEST(CudaLayout, AMissingMigInstanceIsSaidWithThoseThatAreThere) {
  const CudaMachine machine = mig_machine({{"MIG-a", 1, 16, 0}, {"MIG-b", 3, 60, 0}});
  EXPECT_EQ(
      faults_of("cuda-mig", machine, deployment_of({{partition_of(kMig3), partition_of(kMig3)}})),
      "--backend cuda-mig: GPU 0 of the plan has a partition of 3 slices for which no "
      "instance is free; NVIDIA H200 has instances of: 1, 3\n");
}

TEST(CudaLayout, TellsAllFaultsAtOnce) {
  CudaMachine machine = machine_of(1);
  machine.green_contexts = false;
  const std::string faults =
      faults_of("cuda-green", machine, deployment_of({{partition_of(kMig3)}, {partition_of({})}}));
  EXPECT_EQ(std::count(faults.begin(), faults.end(), '\n'), 3);
  EXPECT_THAT(faults, HasSubstr("no green contexts"));
  EXPECT_THAT(faults, HasSubstr("the plan has 2 GPUs, the machine 1"));
  EXPECT_THAT(faults, HasSubstr("GPU 0 of the plan has a partition of mig 3; only cuda-mig"));
}

TEST(CudaLayout, AGpuInMigModeServesNoOtherBackend) {
  EXPECT_THAT(faults_of("cuda-green", mig_machine({}), deployment_of({{partition_of(kSms48)}})),
              HasSubstr("the plan has 1 GPUs, the machine 0"));
  EXPECT_THAT(faults_of("cuda-mig", machine_of(1), deployment_of({{partition_of(kMig3)}})),
              HasSubstr("the machine 0 in MIG mode"));
}

}  // namespace
}  // namespace tangram
