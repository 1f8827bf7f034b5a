// Planning again during a run: when, what it costs, and that no request is lost over it.
#include "sim/replanned_run.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/sim/fixture.h"

namespace tangram {
namespace {

using ::testing::SizeIs;

ReplanSpec rule_of(const std::string& name, const Json& given, double rebuild_s = 3) {
  Faults faults;
  const JsonNode node(given, "test", faults);
  ReplanSpec spec;
  spec.rule = {name, read_params(find_replan_rule(name)->info, node, faults)};
  spec.rebuild_s = rebuild_s;
  faults.throw_if_any();
  return spec;
}

// Plans for the last second's rate, at most every two seconds.
ReplanSpec every_2_s(double rebuild_s = 3) {
  return rule_of("periodic", {{"period_s", 2}, {"weight", 1}, {"margin", 1}}, rebuild_s);
}

ArrivalSpec constant_segment(double rate_rps, double seconds) {
  ArrivalSpec segment;
  segment.process = ArrivalSpec::Process::kConstant;
  segment.rate_rps = rate_rps;
  segment.duration_s = seconds;
  return segment;
}

// One workload whose requests take 10 ms one by one: 50/s for 10 s, then 150/s for 20 s. A GPU of
// the planner `dedicated` carries 90/s.
Scenario step_up() {
  Workload workload = workload_of("w", "m", 1000, 0);
  workload.arrivals.process = ArrivalSpec::Process::kPiecewise;
  workload.arrivals.segments = {constant_segment(50, 10), constant_segment(150, 20)};
  Scenario scenario = scenario_of({linear_profile("m", "ideal", 10, 0, 1)}, {workload}, 30);
  scenario.cluster.gpus = {{"ideal", 3}};
  Faults faults;
  scenario.planner = {"dedicated", read_params(find_planner("dedicated")->info, {}, faults)};
  return scenario;
}

RunResult run_it(const Scenario& scenario, const RunOptions& options = {}) {
  std::vector<std::string> notes;
  return simulate(scenario, make_plan(scenario, notes), options);
}

// The first plan is for the mean of 116.7/s: 2 GPUs. At 2 s it is 50/s: 1 GPU, nothing to build. At
// 12 s it is 150/s: 2 GPUs, the second is there at 15 s. Until then the queue grows by 50/s, after
// that it shrinks by 50/s. A request that arrives at 10 + x and ends at 15 has waited for the 50 x
// before it: x + 50 x / 100 = 5, x = 10 / 3, so that the longest latency is 5 / 3 s (and 10 ms).
TEST(Replanning, AStepIsFollowedAfterPeriodAndRebuild) {
  Scenario scenario = step_up();
  scenario.replanning = every_2_s();
  const RunResult result = run_it(scenario);
  ASSERT_TRUE(result.replanning.has_value());
  // Asked at 2, 4, .. 12, and from 15 on, when the plan of 12 s is in place, every 2 s.
  EXPECT_EQ(result.replanning->plans, 14u);
  EXPECT_EQ(result.replanning->reconfigurations, 2u);
  EXPECT_EQ(result.replanning->kept, 12u);
  EXPECT_EQ(result.replanning->rebuilt, 1u);
  // 2 GPUs for 2 s, 1 for 10 s, and 2 from the moment on when the second is prepared.
  EXPECT_NEAR(result.replanning->gpus_mean, (2 * 2 + 1 * 10 + 2 * 18) / 30.0, 1e-9);
  EXPECT_EQ(result.replanning->gpus_most, 2u);
  const WorkloadMetrics& metrics = result.metrics[0];
  EXPECT_EQ(metrics.offered, 50u * 10 + 150 * 20);
  EXPECT_EQ(metrics.completed, metrics.offered);
  EXPECT_NEAR(to_ms(metrics.latency.max()), 5000.0 / 3 + 10, 15);
}

TEST(Replanning, WithoutRebuildingTheQueueLastsForThePeriodOnly) {
  Scenario scenario = step_up();
  scenario.replanning = every_2_s(0);
  // x + x / 2 = 2: the longest latency is 2 / 3 s.
  EXPECT_NEAR(to_ms(run_it(scenario).metrics[0].latency.max()), 2000.0 / 3 + 10, 15);
}

TEST(Replanning, AModelsLoadIsAdded) {
  Scenario scenario = step_up();
  Profile profile = linear_profile("m", "ideal", 10, 0, 1);
  profile.load_ms = 1000;
  scenario.profiles = {};
  scenario.profiles.add(profile);
  scenario.replanning = every_2_s(2);
  EXPECT_NEAR(to_ms(run_it(scenario).metrics[0].latency.max()), 5000.0 / 3 + 10, 15);
}

// The GPU that goes on is not disturbed in either way; the other is there at 15 s in both.
TEST(Replanning, InPlaceOnlyWhatChangesIsOutOfService) {
  Scenario scenario = step_up();
  scenario.replanning = every_2_s();
  scenario.replanning->in_place = true;
  const RunResult result = run_it(scenario);
  EXPECT_EQ(result.replanning->reconfigurations, 2u);
  EXPECT_NEAR(to_ms(result.metrics[0].latency.max()), 5000.0 / 3 + 10, 15);
}

// Two workloads whose GPUs change hands: in place, both are out of service for the rebuild.
TEST(Replanning, InPlaceAPartitionThatChangesServesNobodyMeanwhile) {
  Scenario scenario = step_up();
  Workload second = workload_of("v", "m", 1000, 20);
  second.arrivals.process = ArrivalSpec::Process::kConstant;
  scenario.workloads.push_back(second);
  scenario.cluster.gpus = {{"ideal", 4}};
  scenario.replanning = every_2_s();
  scenario.replanning->in_place = true;
  scenario.log_timeline = true;
  const RunResult result = run_it(scenario);
  // w: 2 GPUs, then 1, then 2. So v moves from GPU 2 to 1 at 2 s and back at 12 s.
  EXPECT_EQ(result.replanning->rebuilt, 1u + 2u);
  for (const BatchSpan& span : result.timeline) {
    if (span.workload != WorkloadId(1)) continue;
    const double start_s = to_seconds(span.start - kStart);
    EXPECT_FALSE(start_s > 2.011 && start_s < 5) << start_s;
    EXPECT_FALSE(start_s > 12.011 && start_s < 15) << start_s;
  }
  EXPECT_EQ(result.metrics[1].completed, 600u);
}

TEST(Replanning, ARuleThatNeverPlansChangesNothing) {
  Scenario scenario = step_up();
  scenario.log_requests = scenario.log_timeline = true;
  const RunResult plain = run_it(scenario);
  scenario.replanning = rule_of("periodic", {{"period_s", 1000}});
  const RunResult same = run_it(scenario);
  EXPECT_EQ(same.replanning->plans, 0u);
  ASSERT_EQ(same.requests.size(), plain.requests.size());
  for (std::size_t i = 0; i < plain.requests.size(); ++i) {
    EXPECT_EQ(same.requests[i].id, plain.requests[i].id);
    EXPECT_EQ(same.requests[i].finish, plain.requests[i].finish);
    EXPECT_EQ(same.requests[i].executor, plain.requests[i].executor);
  }
  EXPECT_EQ(same.busy.gpus, plain.busy.gpus);
  EXPECT_EQ(same.events, plain.events);
}

TEST(Replanning, DemandThatNoPlanCarriesKeepsTheOldOne) {
  Scenario scenario = step_up();
  scenario.cluster.gpus = {{"ideal", 1}};
  scenario.workloads[0].arrivals.segments = {constant_segment(50, 20), constant_segment(95, 10)};
  scenario.replanning = every_2_s();
  const RunResult result = run_it(scenario);
  EXPECT_GT(result.replanning->plans, 0u);
  EXPECT_EQ(result.replanning->reconfigurations + result.replanning->kept,
            result.replanning->plans);
  EXPECT_EQ(result.metrics[0].completed, result.metrics[0].offered);
}

// Every dispatcher under every routing, over plans that come and go, with a network between.
class ReplanningOf : public ::testing::TestWithParam<std::string> {};

TEST_P(ReplanningOf, LosesNoRequestAndRunsNothingTwiceAtOnce) {
  for (std::size_t routing = 0; routing < routing_names().size(); ++routing) {
    Scenario scenario = step_up();
    Workload bursty = workload_of("v", "m", 200, 60);
    bursty.arrivals.process = ArrivalSpec::Process::kGamma;
    bursty.arrivals.shape = 0.25;
    scenario.workloads.push_back(bursty);
    scenario.cluster.gpus = {{"ideal", 6}};
    scenario.network = {NetworkDelay::Kind::kExponential, from_ms(20)};
    scenario.routing = static_cast<Routing>(routing);
    scenario.dispatcher = dispatcher_of(GetParam());
    scenario.log_requests = scenario.log_timeline = true;
    scenario.replanning = every_2_s(0.5);
    const RunResult result = run_it(scenario);
    EXPECT_GT(result.replanning->reconfigurations, 1u);
    std::uint64_t offered = 0;
    for (const WorkloadMetrics& metrics : result.metrics) {
      EXPECT_EQ(metrics.completed + metrics.dropped_total() + metrics.unfinished(),
                metrics.offered);
      offered += metrics.offered;
    }
    ASSERT_THAT(result.requests, SizeIs(offered));
    for (std::size_t i = 1; i < result.requests.size(); ++i) {
      EXPECT_TRUE(result.requests[i - 1].id < result.requests[i].id);
    }
    // GPUs are whole, so that batches on one must follow each other.
    std::vector<TimePoint> busy_until(result.executor_names.size(), kStart);
    for (const BatchSpan& span : result.timeline) {
      EXPECT_GE(span.start, busy_until[span.executor.index()])
          << result.executor_names[span.executor.index()];
      busy_until[span.executor.index()] = span.end;
    }
    const RunResult again = run_it(scenario);
    EXPECT_EQ(again.events, result.events);
    EXPECT_EQ(again.busy.gpus, result.busy.gpus);
  }
}

INSTANTIATE_TEST_SUITE_P(AllDispatchers,
                         ReplanningOf,
                         ::testing::ValuesIn(dispatcher_names()),
                         [](const auto& name) { return name.param; });

}  // namespace
}  // namespace tangram
