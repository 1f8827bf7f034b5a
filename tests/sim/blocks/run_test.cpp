// Whole runs on the block device model: closed forms, every stage dispatcher, the same bits again.
#include <cmath>

#include <gtest/gtest.h>

#include "tests/sim/blocks/fixture.h"

namespace tangram {
namespace {

Workload offered_load(const std::string& model, ArrivalSpec arrivals, double slo_ms = 1e6) {
  Workload workload;
  workload.name = workload.model = model;
  workload.slo = from_ms(slo_ms);
  workload.arrivals = std::move(arrivals);
  return workload;
}

ArrivalSpec poisson(double rate) {
  ArrivalSpec spec;
  spec.rate_rps = rate;
  return spec;
}

ArrivalSpec clients(std::uint32_t count) {
  ArrivalSpec spec;
  spec.process = ArrivalSpec::Process::kClosedLoop;
  spec.clients = count;
  return spec;
}

// Requests count by their arrival: those of the last latency are still under way at the end.
double throughput(const RunResult& run) {
  const double latency_s = run.metrics[0].latency.mean_ns() / 1e9;
  return static_cast<double>(run.metrics[0].completed) / (run.measured_s - latency_s);
}

// Figure 2: jobs of K kernels of one block and time t, more jobs than anything can hold.
constexpr int kKernels = 8;
constexpr double kTimeUs = 300;
RunResult figure_2(const std::string& stages, BlockSpec spec) {
  const Profile profile =
      kernel_profile("job", std::vector<Kernel>(kKernels, kernel_of(1, 128, kTimeUs)));
  Scenario scenario =
      block_scenario({profile}, {offered_load("job", clients(400))}, 2, stages_of(stages), spec);
  scenario.warmup_s = 0.2;
  scenario.drain = false;
  return run(scenario, one_gpu());
}

TEST(BlockRun, Figure2JobsInTheirOwnStreams) {
  // A queue that frees at dispatch holds a job for its first K - 1 kernels: N / ((K - 1) t) jobs
  // per second; at completion for all K.
  BlockSpec spec = bare_spec(32);
  const double at_dispatch = 32 / ((kKernels - 1) * kTimeUs * 1e-6);
  EXPECT_NEAR(throughput(figure_2("streams_job", spec)), at_dispatch, 0.01 * at_dispatch);
  spec.release_at_completion = true;
  const double at_completion = 32 / (kKernels * kTimeUs * 1e-6);
  EXPECT_NEAR(throughput(figure_2("streams_job", spec)), at_completion, 0.01 * at_completion);
}

TEST(BlockRun, Figure2KernelByKernel) {
  // Nothing waits for a queue: 128 resident grids (320 blocks would fit), R / (K t); at completion
  // the queues bind again.
  BlockSpec spec = bare_spec(32);
  const double resident = 128 / (kKernels * kTimeUs * 1e-6);
  const RunResult kernels = figure_2("streams_kernel", spec);
  EXPECT_NEAR(throughput(kernels), resident, 0.01 * resident);
  spec.release_at_completion = true;
  const double queues = 32 / (kKernels * kTimeUs * 1e-6);
  EXPECT_NEAR(throughput(figure_2("streams_kernel", spec)), queues, 0.01 * queues);
}

TEST(BlockRun, Figure2TheServerBindsWhereItsCostDoes) {
  // 1 / (K h) jobs per second: h = decision + launch + the records of a block's start and end.
  BlockSpec spec = bare_spec(32);
  spec.decision = Duration(500);
  spec.launch = Duration(2750);
  spec.poll = Duration(50);
  const double expected = 1 / (kKernels * (2.75 + 0.5 + 2 * 0.05) * 1e-6 + 0.05e-6);
  EXPECT_NEAR(throughput(figure_2("streams_kernel", spec)), expected, 0.01 * expected);
}

std::vector<Profile> two_models() {
  // One kernel of "long" has more blocks than the device holds at once, and needs registers.
  Kernel large = kernel_of(2000, 256, 400);
  large.registers = 64;
  return {kernel_profile("short", {kernel_of(40, 128, 50), kernel_of(80, 256, 70)}),
          kernel_profile("long", {kernel_of(100, 128, 100), large, kernel_of(30, 1024, 200),
                                  kernel_of(100, 64, 100)})};
}

Scenario two_workloads(const std::string& stages, double duration_s = 0.5) {
  BlockSpec spec;
  spec.input_bytes = 100'000;
  spec.output_bytes = 4'000;
  spec.contention = Contention::kRoofline;
  Scenario scenario = block_scenario(
      two_models(),
      {offered_load("short", poisson(900), 5), offered_load("long", poisson(250), 20)}, duration_s,
      stages_of(stages), spec);
  scenario.log_requests = true;
  scenario.log_timeline = true;
  return scenario;
}

class EveryStageDispatcher : public ::testing::TestWithParam<std::string> {};

TEST_P(EveryStageDispatcher, AnswersEveryRequest) {
  const RunResult result = run(two_workloads(GetParam()), one_gpu());
  for (const WorkloadMetrics& metrics : result.metrics) {
    EXPECT_GT(metrics.offered, 50U);
    EXPECT_EQ(metrics.completed, metrics.offered);
  }
  for (const RequestRow& row : result.requests) {
    EXPECT_LE(row.arrival, row.dispatch);
    EXPECT_LT(row.dispatch, row.finish);
    EXPECT_LT(row.start, row.finish);
  }
}

TEST_P(EveryStageDispatcher, GivesTheSameBitsAgain) {
  const RunResult a = run(two_workloads(GetParam(), 0.1), one_gpu());
  const RunResult b = run(two_workloads(GetParam(), 0.1), one_gpu());
  ASSERT_EQ(a.requests.size(), b.requests.size());
  for (std::size_t i = 0; i < a.requests.size(); ++i) {
    EXPECT_EQ(a.requests[i].finish, b.requests[i].finish);
    EXPECT_EQ(a.requests[i].start, b.requests[i].start);
  }
  EXPECT_EQ(a.events, b.events);
}

INSTANTIATE_TEST_SUITE_P(Stages,
                         EveryStageDispatcher,
                         ::testing::ValuesIn(stage_dispatcher_names()),
                         [](const auto& given) { return given.param; });

TEST(BlockRun, PaellaNeverStopsForAKernelLargerThanTheGpu) {
  for (const char* fit : {"pool", "per_sm"}) {
    Scenario scenario = two_workloads("paella");
    scenario.stages.policy = stages_of("paella", {{"fit", fit}});
    const RunResult result = run(scenario, one_gpu());
    EXPECT_EQ(result.metrics[1].completed, result.metrics[1].offered) << fit;
  }
}

TEST(BlockRun, PaellaServesShortJobsFirst) {
  // Near saturation, the same gate with and without the rank by remaining time.
  Scenario scenario = two_workloads("paella");
  scenario.workloads[1].arrivals = poisson(1500);
  const RunResult ranked = run(scenario, one_gpu());
  scenario.stages.policy = stages_of("paella", {{"order", "fifo"}});
  const RunResult in_order = run(scenario, one_gpu());
  EXPECT_LT(ranked.metrics[0].latency.mean_ns(), 0.7 * in_order.metrics[0].latency.mean_ns());
}

TEST(BlockRun, TheSubmitterLetsInNoMoreThanItMay) {
  // One outstanding request at a time: each takes its two kernels in turn and nothing overlaps.
  Scenario scenario = two_workloads("streams_job", 0.2);
  scenario.stages.outstanding = 1;
  const RunResult result = run(scenario, one_gpu());
  std::vector<std::pair<std::int64_t, std::int64_t>> spans;
  for (const RequestRow& row : result.requests) spans.emplace_back(row.dispatch, row.finish);
  std::sort(spans.begin(), spans.end());
  for (std::size_t i = 1; i < spans.size(); ++i) EXPECT_GE(spans[i].first, spans[i - 1].second);
}

TEST(BlockRun, InstancesLimitAWorkload) {
  Scenario scenario = two_workloads("streams_job", 0.2);
  scenario.stages.instances["long"] = 1;
  const RunResult result = run(scenario, one_gpu());
  std::int64_t last = 0;
  std::vector<std::pair<std::int64_t, std::int64_t>> spans;
  for (const RequestRow& row : result.requests) {
    if (row.id.workload() == WorkloadId(1)) spans.emplace_back(row.start, row.finish);
  }
  std::sort(spans.begin(), spans.end());
  for (const auto& [start, finish] : spans) {
    EXPECT_GE(start, last);
    last = finish;
  }
}

TEST(BlockRun, MigInstancesAreDevicesOfTheirOwn) {
  // A kernel of 132 blocks that fill an SM each: one wave on the whole H200, 9 waves of 10 us on an
  // instance of 16 SMs, 3 on one of 60.
  const Profile profile =
      kernel_profile("a", {kernel_of(132, 1024, 10), kernel_of(132, 1024, 10)}, "h200");
  Kernel kernel = kernel_of(132, 1024, 10);
  kernel.shared_memory = 200 * 1024;
  Profile own = kernel_profile("a", {kernel}, "h200");
  Profile other = kernel_profile("b", {kernel}, "h200");
  for (Profile* p : {&own, &other}) {
    for (const double slices : {1.0, 3.0}) {
      LatencyPoint point = p->points.front();
      point.share = {ShareKind::kMig, slices};
      p->points.push_back(point);
    }
    std::sort(p->points.begin(), p->points.end(), point_before);
  }
  Scenario scenario =
      block_scenario({own, other}, {offered_load("a", clients(1)), offered_load("b", clients(1))},
                     0.01, stages_of("streams_job"), bare_spec());
  Plan plan;
  PlanPartition small = whole_partition({replica_of("a", "a")});
  small.size = 1;
  small.start = 6;
  PlanPartition large = whole_partition({replica_of("b", "b")});
  large.size = 3;
  large.start = 0;
  plan.gpus.push_back(gpu_of(0, GpuMode::kMig, {small, large}, "h200"));
  const RunResult result = run(scenario, plan);
  EXPECT_EQ(result.metrics[0].latency.max(), from_ms(0.090));
  EXPECT_EQ(result.metrics[1].latency.max(), from_ms(0.030));
}

TEST(BlockRun, SharesAsRangesOfSms) {
  // Half of a T4 is 20 SMs: 40 blocks that fill an SM each take 2 waves of 10 us, whoever is there.
  Profile a = kernel_profile("a", {kernel_of(40, 1024, 10)});
  for (const double percent : {1.0, 50.0}) {
    LatencyPoint point = a.points.front();
    point.share = {ShareKind::kPercent, percent};
    a.points.push_back(point);
  }
  std::sort(a.points.begin(), a.points.end(), point_before);
  Profile b = a;
  b.model = "b";
  Scenario scenario =
      block_scenario({a, b}, {offered_load("a", clients(1)), offered_load("b", clients(1))}, 0.01,
                     stages_of("mps_clients"), bare_spec());
  scenario.device.sharing = Sharing::kSm;
  Plan plan;
  plan.gpus.push_back(gpu_of(0, GpuMode::kMps,
                             {percent_partition(50, {replica_of("a", "a")}),
                              percent_partition(50, {replica_of("b", "b")})},
                             "t4"));
  const RunResult result = run(scenario, plan);
  for (const WorkloadMetrics& metrics : result.metrics) {
    EXPECT_EQ(metrics.latency.min(), from_ms(0.020));
    EXPECT_EQ(metrics.latency.max(), from_ms(0.020));
  }
  // The least range is a pair of SMs: 21 of them are more than the GPU has.
  plan.gpus[0].partitions.clear();
  for (int i = 0; i < 21; ++i) {
    plan.gpus[0].partitions.push_back(
        percent_partition(1, {replica_of(i == 0 ? "b" : "a", i == 0 ? "b" : "a")}));
  }
  EXPECT_THROW(run(scenario, plan), ConfigError);
}

TEST(BlockRun, WithoutDrainTheRestIsUnfinished) {
  Scenario scenario = two_workloads("streams_single", 0.2);
  scenario.workloads[1].arrivals = poisson(3000);
  scenario.drain = false;
  const RunResult result = run(scenario, one_gpu());
  EXPECT_GT(result.metrics[1].unfinished(), 0U);
  std::uint64_t offered = 0;
  for (const WorkloadMetrics& metrics : result.metrics) offered += metrics.offered;
  EXPECT_EQ(result.requests.size(), offered);
}

}  // namespace
}  // namespace tangram
