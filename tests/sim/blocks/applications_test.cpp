// Applications and the network delay on the block device model.
#include <gtest/gtest.h>

#include "tests/sim/application_fixture.h"
#include "tests/sim/blocks/fixture.h"

namespace tangram {
namespace {

// A model of one kernel that takes `ms` on a T4.
Profile one_kernel(const std::string& model, double ms) {
  return kernel_profile(model, {kernel_of(40, 1024, ms * 1e3)});
}

Scenario on_blocks(Scenario scenario, const std::string& stages = "streams_single") {
  scenario.device.model = DeviceModel::kBlocks;
  scenario.device.blocks = bare_spec();
  scenario.stages.policy = stages_of(stages);
  return scenario;
}

// a 10 ms -> b 15 ms and c 30 ms -> d 5 ms, nobody in the way: 10 + max(15, 30) + 5 = 45 ms, and 2
// ms under way.
TEST(BlockApplications, ALoneRequestTakesItsCriticalPath) {
  const std::vector<Profile> profiles{one_kernel("a", 10), one_kernel("b", 15), one_kernel("c", 30),
                                      one_kernel("d", 5)};
  Scenario scenario = on_blocks(scenario_of(profiles, {}, 20));
  add_application(
      scenario, "app",
      {stage_of("a", {}), stage_of("b", {0}), stage_of("c", {0}), stage_of("d", {1, 2})}, 45,
      kOneASecond);
  const RunResult plain = run(scenario, one_gpu_each(scenario, "t4"));
  const WorkloadMetrics& app = metrics_of(plain, "app");
  EXPECT_EQ(app.completed, 20U);
  EXPECT_EQ(app.late, 0U);  // exactly at the deadline
  EXPECT_EQ(app.latency.min(), from_ms(45));
  EXPECT_EQ(app.latency.max(), from_ms(45));
  EXPECT_EQ(app.exec.mean_ns(), 45e6);
  EXPECT_EQ(metrics_of(plain, "app.d").offered, 20U);

  scenario.network = {NetworkDelay::Kind::kConstant, from_ms(2), 1, Duration::zero()};
  const RunResult delayed = run(scenario, one_gpu_each(scenario, "t4"));
  EXPECT_EQ(metrics_of(delayed, "app").latency.min(), from_ms(47));
  EXPECT_EQ(metrics_of(delayed, "app").latency.max(), from_ms(47));
  EXPECT_EQ(metrics_of(delayed, "app").late, 20U);
  EXPECT_EQ(metrics_of(delayed, "app.d").latency.max(), from_ms(5));
}

// Applications with joins and random fan-out, a plain workload, and requests that overtake each
// other on their way.
Scenario busy_scenario() {
  Scenario scenario = scenario_of({one_kernel("a", 2), one_kernel("b", 3), one_kernel("c", 4),
                                   one_kernel("d", 1), one_kernel("p", 5)},
                                  {workload_of("plain", "p", 20, 100)}, 10);
  scenario.log_requests = true;
  scenario.network = {NetworkDelay::Kind::kExponential, from_ms(8), 1, Duration::zero()};
  add_application(scenario, "app",
                  {stage_of("a", {}), stage_of("b", {0}, FanOut::poisson(1.5)), stage_of("c", {0}),
                   stage_of("d", {1, 2})},
                  30, arrivals_of(ArrivalSpec::Process::kPoisson, 120));
  ArrivalSpec loop = arrivals_of(ArrivalSpec::Process::kClosedLoop, 0);
  loop.clients = 3;
  loop.think = from_ms(4);
  add_application(scenario, "second", {stage_of("a", {}, FanOut(2)), stage_of("d", {0})}, 30, loop);
  return scenario;
}

// Whole GPUs that serve one request at a time are the same thing in both device models: a kernel
// that takes as long as the batch.
TEST(BlockApplications, AreThoseOfTheRateModelWhereTheDevicesAreTheSame) {
  const Scenario rate = busy_scenario();
  const Plan plan = one_gpu_each(rate, "t4");
  const RunResult there = run(rate, plan);
  const RunResult here = run(on_blocks(rate), plan);
  expect_conserved(here);
  ASSERT_EQ(here.requests.size(), there.requests.size());
  for (std::size_t i = 0; i < here.requests.size(); ++i) {
    EXPECT_EQ(here.requests[i].id, there.requests[i].id);
    EXPECT_EQ(here.requests[i].arrival, there.requests[i].arrival);
    EXPECT_EQ(here.requests[i].finish, there.requests[i].finish);
    EXPECT_EQ(here.requests[i].outcome, there.requests[i].outcome);
  }
  const WorkloadMetrics& app = metrics_of(here, "app");
  EXPECT_GT(app.completed, 1000U);
  EXPECT_EQ(app.latency.sum(), metrics_of(there, "app").latency.sum());
}

TEST(BlockApplications, LoseAndDoubleNoRequest) {
  for (const std::string& stages : stage_dispatcher_names()) {
    for (const bool drain : {true, false}) {
      SCOPED_TRACE(stages);
      Scenario scenario = on_blocks(busy_scenario(), stages);
      scenario.duration_s = 2;
      scenario.drain = drain;
      const RunResult result = run(scenario, one_gpu());  // overloaded
      expect_conserved(result);
      EXPECT_EQ(metrics_of(result, "app").unfinished() > 0, !drain);
    }
  }
}

// One stage is on no GPU: its application is dropped as unserved, what runs beside it is served.
TEST(BlockApplications, AStageThatNoGpuServesDropsTheRequest) {
  Scenario scenario =
      on_blocks(scenario_of({one_kernel("a", 10), one_kernel("b", 5), one_kernel("c", 5)}, {}, 10));
  add_application(scenario, "app", {stage_of("a", {}), stage_of("b", {0}), stage_of("c", {0})}, 100,
                  kOneASecond);
  scenario.log_requests = true;
  Plan plan = one_gpu_each(scenario, "t4");
  plan.gpus.erase(plan.gpus.begin() + 1);
  plan.gpus[1].index = 1;
  plan.unserved.push_back({"app.b", 1, "test"});
  const RunResult result = run(scenario, plan);
  expect_conserved(result);
  const auto unserved = static_cast<std::size_t>(DropReason::kUnserved);
  EXPECT_EQ(metrics_of(result, "app").dropped[unserved], 10U);
  EXPECT_EQ(metrics_of(result, "app.c").completed, 10U);
}

}  // namespace
}  // namespace tangram
