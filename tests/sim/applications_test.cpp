// Applications and the network delay in whole simulations: exact cases worked by hand, and that no
// request is lost or doubled.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sim/results/summary.h"
#include "tests/sim/application_fixture.h"

namespace tangram {
namespace {

using ::testing::ElementsAre;

// a 10 ms -> b 15 ms and c 30 ms -> d 5 ms, nobody in the way: 10 + max(15, 30) + 5 = 45 ms.
TEST(Applications, ALoneRequestTakesItsCriticalPath) {
  const std::vector<Stage> stages{stage_of("a", {}), stage_of("b", {0}), stage_of("c", {0}),
                                  stage_of("d", {1, 2})};
  const std::vector<double> ms{10, 15, 30, 5};
  std::vector<Profile> profiles;
  for (std::size_t v = 0; v < 4; ++v) {
    profiles.push_back(linear_profile(stages[v].model, "ideal", ms[v], 0, 4));
  }
  Scenario scenario = scenario_of(profiles, {}, 20);
  add_application(scenario, "app", stages, 45, kOneASecond);
  const RunResult result = run(scenario, one_gpu_each(scenario));
  EXPECT_EQ(StageGraph(stages).critical_path(ms).length, 45);
  const WorkloadMetrics& app = metrics_of(result, "app");
  EXPECT_EQ(app.completed, 20U);
  EXPECT_EQ(app.late, 0U);  // exactly at the deadline
  EXPECT_EQ(app.latency.min(), from_ms(45));
  EXPECT_EQ(app.latency.max(), from_ms(45));
  EXPECT_EQ(app.wait.max(), Duration::zero());
  EXPECT_EQ(app.exec.mean_ns(), 45e6);
  EXPECT_EQ(metrics_of(result, "app.b").latency.max(), from_ms(15));
  EXPECT_EQ(metrics_of(result, "app.d").offered, 20U);
  // With a deadline of a nanosecond less all are late.
  scenario.applications[0].load.slo -= Duration(1);
  EXPECT_EQ(metrics_of(run(scenario, one_gpu_each(scenario)), "app").late, 20U);
}

// a 10 ms, then three of b, batch at most 2, 2 + 3 n ms: batches of 2 and 1 take 8 + 5 ms; the join
// c 1 ms: 10 + 13 + 1 = 24 ms.
TEST(Applications, FanOutWaitsForTheLastAndJoinsOnce) {
  std::vector<Stage> stages{stage_of("a", {}), stage_of("b", {0}, FanOut(3)), stage_of("c", {1})};
  stages[2].wait = Stage::Wait::kAll;
  Scenario scenario =
      scenario_of({linear_profile("a", "ideal", 10, 0, 1), linear_profile("b", "ideal", 2, 3, 2),
                   linear_profile("c", "ideal", 1, 0, 1)},
                  {}, 10);
  scenario.dispatcher = dispatcher_of("eager");
  add_application(scenario, "app", stages, 100, kOneASecond);
  const RunResult result = run(scenario, one_gpu_each(scenario));
  const WorkloadMetrics& app = metrics_of(result, "app");
  EXPECT_EQ(app.completed, 10U);
  EXPECT_EQ(app.latency.min(), from_ms(24));
  EXPECT_EQ(app.latency.max(), from_ms(24));
  EXPECT_EQ(metrics_of(result, "app.b").offered, 30U);
  EXPECT_EQ(metrics_of(result, "app.b").batches, 20U);
  EXPECT_EQ(metrics_of(result, "app.c").offered, 10U);
  // Along the last request of b: 10 ms, 8 ms of waiting, 5 ms, 1 ms.
  EXPECT_EQ(app.exec.mean_ns(), 16e6);
  EXPECT_EQ(app.wait.mean_ns(), 8e6);
}

// Two first stages side by side: 6 requests of 1 + n ms as one batch, 7 ms, against 5 ms.
TEST(Applications, TheSlowerOfTwoFirstStagesDecides) {
  Scenario scenario = scenario_of(
      {linear_profile("lenet", "ideal", 1, 1, 8), linear_profile("resnet50", "ideal", 5, 0, 8)}, {},
      10);
  scenario.dispatcher = dispatcher_of("eager");
  add_application(scenario, "game", known_applications()[0].stages, 100, kOneASecond);
  const RunResult result = run(scenario, one_gpu_each(scenario));
  EXPECT_EQ(metrics_of(result, "game").latency.max(), from_ms(7));
  EXPECT_EQ(metrics_of(result, "game.digits").offered, 60U);
  EXPECT_EQ(metrics_of(result, "game.image").offered, 10U);
}

Scenario busy_scenario(const std::string& dispatcher) {
  const auto scattered = [](const std::string& model, double fixed_ms) {
    return with_scatter(linear_profile(model, "ideal", fixed_ms, 1, 8),
                        Variability::Kind::kExponential);
  };
  Scenario scenario = scenario_of({scattered("a", 2), scattered("b", 1), scattered("c", 3),
                                   scattered("d", 1), scattered("p", 2)},
                                  {workload_of("plain", "p", 20, 100)}, 20);
  scenario.dispatcher = dispatcher_of(dispatcher);
  scenario.log_requests = true;
  add_application(scenario, "app",
                  {stage_of("a", {}), stage_of("b", {0}, FanOut::poisson(1.5)), stage_of("c", {0}),
                   stage_of("d", {1, 2})},
                  30, arrivals_of(ArrivalSpec::Process::kPoisson, 120));
  add_application(scenario, "second", {stage_of("a", {}, FanOut(2)), stage_of("d", {0})}, 30,
                  arrivals_of(ArrivalSpec::Process::kPoisson, 60));
  return scenario;
}

class EveryDispatcherWithApplications : public ::testing::TestWithParam<std::string> {};

TEST_P(EveryDispatcherWithApplications, LosesAndDoublesNoRequest) {
  Scenario scenario = busy_scenario(GetParam());
  // Everything shares two GPUs: overloaded, so that what can be dropped is.
  for (const bool drain : {true, false}) {
    scenario.drain = drain;
    const RunResult result = run(scenario, whole_gpus(2));
    expect_conserved(result);
    const WorkloadMetrics& app = metrics_of(result, "app");
    EXPECT_GT(app.completed + app.dropped_total(), 0U);
  }
}

INSTANTIATE_TEST_SUITE_P(Registered,
                         EveryDispatcherWithApplications,
                         ::testing::ValuesIn(dispatcher_names()),
                         [](const auto& param) { return param.param; });

TEST(Applications, StagesGetWhatTheirFanOutSays) {
  Scenario scenario = busy_scenario("eager");
  scenario.duration_s = 100;
  const RunResult result = run(scenario, one_gpu_each(scenario));
  const std::uint64_t n = metrics_of(result, "app").offered;
  EXPECT_EQ(metrics_of(result, "app").completed, n);
  EXPECT_EQ(metrics_of(result, "app.a").offered, n);
  EXPECT_EQ(metrics_of(result, "app.c").offered, n);
  EXPECT_EQ(metrics_of(result, "app.d").offered, n);
  const double each =
      static_cast<double>(metrics_of(result, "app.b").offered) / static_cast<double>(n);
  // Standard error sqrt(1.5 / 12000) = 0.011.
  EXPECT_NEAR(each, 1.5, 0.05);
  EXPECT_EQ(metrics_of(result, "second.d").offered, 2 * metrics_of(result, "second").offered);
}

TEST(Applications, DoNotMoveTheArrivalsOfOthers) {
  const Scenario with = busy_scenario("eager");
  Scenario without = with;
  without.applications.clear();
  without.workloads.resize(1);
  const WorkloadMetrics a = metrics_of(run(with, one_gpu_each(with)), "plain");
  const WorkloadMetrics b = metrics_of(run(without, one_gpu_each(without)), "plain");
  EXPECT_EQ(a.offered, b.offered);
  EXPECT_EQ(a.latency.sum(), b.latency.sum());
}

TEST(Applications, SplittingTheClusterChangesNothing) {
  const Scenario scenario = busy_scenario("eager");
  const Plan plan = one_gpu_each(scenario);
  RunOptions whole;
  whole.split = false;
  const RunResult together = run(scenario, plan, whole);
  for (const unsigned threads : {1U, 3U}) {
    RunOptions options;
    options.threads = threads;
    const RunResult apart = run(scenario, plan, options);
    ASSERT_EQ(apart.requests.size(), together.requests.size());
    for (std::size_t i = 0; i < apart.requests.size(); ++i) {
      EXPECT_EQ(apart.requests[i].id, together.requests[i].id);
      EXPECT_EQ(apart.requests[i].finish, together.requests[i].finish);
      EXPECT_EQ(apart.requests[i].outcome, together.requests[i].outcome);
    }
    for (std::size_t w = 0; w < apart.metrics.size(); ++w) {
      EXPECT_EQ(apart.metrics[w].latency.sum(), together.metrics[w].latency.sum());
      EXPECT_EQ(apart.metrics[w].offered, together.metrics[w].offered);
    }
  }
}

// One stage is on no GPU: its application is dropped as unserved, what runs beside it is served.
TEST(Applications, AStageThatNoGpuServesDropsTheRequest) {
  Scenario scenario =
      scenario_of({linear_profile("a", "ideal", 10, 0, 1), linear_profile("b", "ideal", 5, 0, 1),
                   linear_profile("c", "ideal", 5, 0, 1)},
                  {}, 10);
  add_application(scenario, "app", {stage_of("a", {}), stage_of("b", {0}), stage_of("c", {0})}, 100,
                  kOneASecond);
  scenario.log_requests = true;
  Plan plan = one_gpu_each(scenario);
  plan.gpus.erase(plan.gpus.begin() + 1);
  plan.gpus[1].index = 1;
  plan.unserved.push_back({"app.b", 1, "test"});
  const RunResult result = run(scenario, plan);
  expect_conserved(result);
  const auto unserved = static_cast<std::size_t>(DropReason::kUnserved);
  EXPECT_EQ(metrics_of(result, "app").dropped[unserved], 10U);
  EXPECT_EQ(metrics_of(result, "app.b").dropped[unserved], 10U);
  EXPECT_EQ(metrics_of(result, "app.c").completed, 10U);
}

TEST(Applications, AClientOfAClosedLoopAsksAgainWhenAllStagesAnswered) {
  Scenario scenario = scenario_of(
      {linear_profile("a", "ideal", 10, 0, 1), linear_profile("b", "ideal", 30, 0, 1)}, {}, 10);
  ArrivalSpec loop = arrivals_of(ArrivalSpec::Process::kClosedLoop, 0);
  loop.clients = 1;
  loop.think = from_ms(10);
  loop.think_exponential = false;
  add_application(scenario, "app", {stage_of("a", {}), stage_of("b", {0})}, 100, loop);
  const RunResult result = run(scenario, one_gpu_each(scenario));
  // A round is 10 ms of thinking, 10 ms and 30 ms: 200 of them begin in 10 s.
  EXPECT_EQ(metrics_of(result, "app").offered, 200U);
  EXPECT_EQ(metrics_of(result, "app").completed, 200U);
  EXPECT_EQ(metrics_of(result, "app").latency.max(), from_ms(40));
}

TEST(Applications, TheTotalCountsWhatWasAskedForOnce) {
  Scenario scenario = busy_scenario("eager");
  const RunResult result = run(scenario, one_gpu_each(scenario));
  const Json summary = summarize(std::span(&result, 1));
  const auto offered = [&](const std::string& name) {
    return summary["workloads"][name]["offered"].get<std::uint64_t>();
  };
  EXPECT_EQ(summary["total"]["offered"].get<std::uint64_t>(),
            offered("plain") + offered("app") + offered("second"));
  for (const char* name : {"app", "second"}) {
    const Json& app = summary["workloads"][name];
    double sum = 0;
    for (const auto& [part, ms] : app["parts_ms"].items()) sum += ms.get<double>();
    EXPECT_NEAR(sum, app["latency_ms"]["mean"].get<double>(), 1e-6) << name;
  }
}

TEST(NetworkDelay, CountsFromTheIntendedArrivalAndMovesNoArrival) {
  Scenario scenario =
      scenario_of({linear_profile("m", "ideal", 2, 0, 1)}, {workload_of("w", "m", 100, 50)}, 20);
  scenario.log_requests = true;
  const RunResult plain = run(scenario, whole_gpus(1));
  scenario.network = {NetworkDelay::Kind::kConstant, from_ms(7), 1, Duration::zero()};
  const RunResult delayed = run(scenario, whole_gpus(1));
  ASSERT_EQ(delayed.requests.size(), plain.requests.size());
  for (std::size_t i = 0; i < plain.requests.size(); ++i) {
    EXPECT_EQ(delayed.requests[i].arrival, plain.requests[i].arrival);
    // All alike, so that what follows is the same 7 ms later.
    EXPECT_EQ(delayed.requests[i].finish, plain.requests[i].finish + from_ms(7).count());
  }
  EXPECT_EQ(metrics_of(delayed, "w").latency.min(), from_ms(9));
  expect_conserved(delayed);
}

TEST(NetworkDelay, LosesNoRequestThatIsUnderWayWhenTheRunEnds) {
  Scenario scenario = busy_scenario("eager");
  scenario.network = {NetworkDelay::Kind::kExponential, from_ms(300), 1, Duration::zero()};
  for (const bool drain : {true, false}) {
    scenario.drain = drain;
    const RunResult result = run(scenario, one_gpu_each(scenario));
    expect_conserved(result);
    EXPECT_EQ(metrics_of(result, "plain").unfinished() > 0, !drain);
    EXPECT_EQ(metrics_of(result, "app").unfinished() > 0, !drain);
  }
}

TEST(NetworkDelay, AnApplicationCountsItOnce) {
  Scenario scenario = scenario_of(
      {linear_profile("a", "ideal", 10, 0, 1), linear_profile("b", "ideal", 30, 0, 1)}, {}, 10);
  scenario.network = {NetworkDelay::Kind::kConstant, from_ms(3), 1, Duration::zero()};
  add_application(scenario, "app", {stage_of("a", {}), stage_of("b", {0})}, 100, kOneASecond);
  const RunResult result = run(scenario, one_gpu_each(scenario));
  EXPECT_EQ(metrics_of(result, "app").latency.min(), from_ms(43));
  EXPECT_EQ(metrics_of(result, "app").latency.max(), from_ms(43));
  EXPECT_EQ(metrics_of(result, "app.a").latency.max(), from_ms(13));
  EXPECT_EQ(metrics_of(result, "app.b").latency.max(), from_ms(30));
}

}  // namespace
}  // namespace tangram
