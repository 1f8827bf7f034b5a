// What a run counts: windows of measurement, ends of runs, closed loops, and the logs against the
// sums.
#include "sim/event_loop.h"

#include <algorithm>
#include <map>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/sim/fixture.h"

namespace tangram {
namespace {

using ::testing::ElementsAre;
using ::testing::SizeIs;

// Arrivals at 5, 15, 25, ... ms.
Workload every_10_ms(const std::string& name, double slo_ms) {
  Workload workload = workload_of(name, "m", slo_ms, 100);
  workload.arrivals.process = ArrivalSpec::Process::kConstant;
  return workload;
}
Workload closed_loop(std::uint32_t clients, double think_ms) {
  Workload workload = workload_of("w", "m", 1000, 0);
  workload.arrivals.process = ArrivalSpec::Process::kClosedLoop;
  workload.arrivals.clients = clients;
  workload.arrivals.think = from_ms(think_ms);
  workload.arrivals.think_exponential = false;
  return workload;
}
Profile takes(double ms) {
  return linear_profile("m", "ideal", ms, 0, 8);
}

TEST(Metrics, RequestsCountFromTheWarmUpToTheEnd) {
  Scenario scenario = scenario_of({takes(10)}, {every_10_ms("w", 100)}, 0.1);
  scenario.warmup_s = 0.055;
  const RunResult result = run(scenario, whole_gpus(1));
  // 55 (at the very edge), 65, 75, 85, 95; each runs for 10 ms at once.
  const WorkloadMetrics& m = result.metrics[0];
  EXPECT_EQ(m.offered, 5u);
  EXPECT_EQ(m.completed, 5u);
  EXPECT_EQ(m.latency.count(), 5u);
  EXPECT_EQ(m.batches, 5u);
  EXPECT_EQ(result.measured_s, 0.1 - 0.055);
  EXPECT_NEAR(result.simulated_s, 0.105, 1e-12);
  // Busy from 55 to 100 of the window: what goes on before and after is outside.
  EXPECT_EQ(result.busy.gpus[0], from_ms(45));
  EXPECT_THAT(result.busy.executors, ElementsAre(from_ms(45)));
}

TEST(Metrics, ARequestThatEndsAtItsDeadlineIsGood) {
  const RunResult in_time =
      run(scenario_of({takes(10)}, {every_10_ms("w", 10)}, 0.1), whole_gpus(1));
  EXPECT_EQ(in_time.metrics[0].late, 0u);
  Workload tighter = every_10_ms("w", 10);
  tighter.slo -= Duration(1);
  const RunResult late = run(scenario_of({takes(10)}, {tighter}, 0.1), whole_gpus(1));
  EXPECT_EQ(late.metrics[0].late, 10u);
  EXPECT_EQ(late.metrics[0].completed, 10u);
}

TEST(Metrics, WithoutDrainTheRestIsUnfinished) {
  Scenario scenario = scenario_of({takes(30)}, {every_10_ms("w", 100)}, 0.1);
  scenario.log_requests = true;
  const RunResult drained = run(scenario, whole_gpus(1));
  EXPECT_EQ(drained.metrics[0].completed, 10u);
  EXPECT_NEAR(drained.simulated_s, 0.305, 1e-12);
  scenario.drain = false;
  const RunResult cut = run(scenario, whole_gpus(1));
  // Batches end at 35, 65, 95; the fourth runs at the end.
  EXPECT_EQ(cut.metrics[0].offered, 10u);
  EXPECT_EQ(cut.metrics[0].completed, 3u);
  EXPECT_EQ(cut.metrics[0].unfinished(), 7u);
  EXPECT_EQ(cut.simulated_s, 0.1);
  EXPECT_THAT(cut.requests, SizeIs(10));
  EXPECT_EQ(std::count_if(cut.requests.begin(), cut.requests.end(),
                          [](const RequestRow& row) { return row.outcome == 2; }),
            7);
  // The GPU worked from 5 to 100 in both.
  EXPECT_EQ(drained.busy.gpus[0], from_ms(95));
  EXPECT_EQ(cut.busy.gpus[0], from_ms(95));
}

TEST(Metrics, ASharedGpuIsBusyWhileAnyOfItsBatchesRuns) {
  Plan plan;
  plan.gpus = {gpu_of(0, GpuMode::kStreams, {whole_partition({replica_of("w", "m", {}, 4)})})};
  Scenario scenario = scenario_of({takes(12)}, {every_10_ms("w", 100)}, 0.1);
  scenario.drain = false;
  const RunResult result = run(scenario, plan);
  // 12 ms of work every 10 ms: never idle from 5 on, and batches run at the end.
  EXPECT_EQ(result.busy.gpus[0], from_ms(95));
  Duration executors{};
  for (const Duration d : result.busy.executors) executors += d;
  EXPECT_GT(executors, from_ms(95));
}

TEST(Beliefs, DecideForThePolicyAndNotForTheDevice) {
  Scenario scenario = scenario_of({takes(10)}, {every_10_ms("w", 100)}, 0.1);
  scenario.log_timeline = true;
  scenario.beliefs.emplace();
  scenario.beliefs->add(linear_profile("m", "ideal", 4, 0, 2));
  const RunResult result = run(scenario, whole_gpus(1));
  ASSERT_THAT(result.timeline, SizeIs(10));
  for (const BatchSpan& batch : result.timeline) {
    EXPECT_EQ(batch.predicted, from_ms(4));
    EXPECT_EQ(batch.end - batch.start, from_ms(10));
  }
}

// Twenty gather while a batch runs; the device takes 8.
TEST(Beliefs, TheLargestBatchIsTheSmallerOfTheTwo) {
  for (const auto& [believed, largest] : {std::pair{2U, 2U}, std::pair{64U, 8U}}) {
    Scenario scenario =
        scenario_of({linear_profile("m", "ideal", 200, 0, 8)}, {every_10_ms("w", 1000)}, 2);
    scenario.dispatcher = dispatcher_of("eager");
    scenario.log_timeline = true;
    scenario.beliefs.emplace();
    scenario.beliefs->add(linear_profile("m", "ideal", 1, 0, believed));
    const RunResult result = run(scenario, whole_gpus(1));
    std::uint32_t seen = 0;
    for (const BatchSpan& batch : result.timeline) seen = std::max(seen, batch.size);
    EXPECT_EQ(seen, largest);
  }
}

TEST(Metrics, DroppedRequestsAreCountedByReason) {
  Scenario scenario = scenario_of({takes(40)}, {every_10_ms("w", 100)}, 1);
  scenario.dispatcher =
      dispatcher_of("tf_serving", {{"max_batch", 1}, {"max_enqueued_batches", 2}});
  scenario.drain = false;
  scenario.log_requests = true;
  const RunResult result = run(scenario, whole_gpus(1));
  const WorkloadMetrics& m = result.metrics[0];
  EXPECT_GT(m.dropped[static_cast<std::size_t>(DropReason::kQueueFull)], 50u);
  EXPECT_EQ(m.dropped_total(), m.dropped[static_cast<std::size_t>(DropReason::kQueueFull)]);
  EXPECT_GT(m.unfinished(), 0u);
  EXPECT_EQ(m.offered, 100u);
  EXPECT_EQ(m.offered, m.completed + m.dropped_total() + m.unfinished());
}

TEST(Metrics, WhatThePlanDoesNotServeIsDropped) {
  Plan plan;
  plan.gpus = {gpu_of(0, GpuMode::kWhole, {whole_partition({replica_of("w", "m")})})};
  plan.unserved = {{"v", 100, "no room"}};
  Scenario scenario = scenario_of({takes(1)}, {every_10_ms("w", 100), every_10_ms("v", 100)}, 0.1);
  const RunResult result = run(scenario, plan);
  EXPECT_EQ(result.metrics[0].completed, 10u);
  EXPECT_EQ(result.metrics[1].offered, 10u);
  EXPECT_EQ(result.metrics[1].dropped[static_cast<std::size_t>(DropReason::kUnserved)], 10u);
}

TEST(ClosedLoop, UnservedClientsAskAgainAfterThinking) {
  Plan plan;
  plan.unserved = {{"w", 0, "no room"}};
  // Two clients at 10, 20, ... 90 ms.
  EXPECT_EQ(run(scenario_of({takes(1)}, {closed_loop(2, 10)}, 0.1), plan).metrics[0].offered, 18u);
  // Without a thought they would never get past the first instant: they ask once.
  const RunResult result = run(scenario_of({takes(1)}, {closed_loop(2, 0)}, 0.1), plan);
  EXPECT_EQ(result.metrics[0].offered, 2u);
  EXPECT_EQ(result.metrics[0].dropped_total(), 2u);
}

// Interactive response-time law: R = N / X - Z, here without any randomness.
TEST(ClosedLoop, AnIdleServerAnswersAtOnce) {
  Scenario scenario = scenario_of({takes(1)}, {closed_loop(4, 9)}, 1.2);
  scenario.warmup_s = 0.2;
  const WorkloadMetrics m = run(scenario, whole_gpus(1)).metrics[0];
  // The first round spaces the clients out; then each has R = 1 and a cycle of 10 ms.
  EXPECT_EQ(m.offered, 400u);
  EXPECT_EQ(m.latency.min(), from_ms(1));
  EXPECT_EQ(m.latency.max(), from_ms(1));  // 4 / 0.4 - 9
}

TEST(ClosedLoop, ABusyServerSetsThePace) {
  Scenario scenario = scenario_of({takes(2)}, {closed_loop(8, 6)}, 1.2);
  scenario.warmup_s = 0.2;
  const WorkloadMetrics m = run(scenario, whole_gpus(1)).metrics[0];
  // X = 1 / 2 per ms, R = 8 / 0.5 - 6 = 10.
  EXPECT_EQ(m.offered, 500u);
  EXPECT_EQ(m.latency.min(), from_ms(10));
  EXPECT_EQ(m.latency.max(), from_ms(10));
}

TEST(ClosedLoop, ClientsThatNeverThinkKeepTheServerBusy) {
  const RunResult result = run(scenario_of({takes(2)}, {closed_loop(3, 0)}, 1), whole_gpus(1));
  EXPECT_EQ(result.busy.gpus[0], from_seconds(1));
  EXPECT_EQ(result.metrics[0].latency.max(), from_ms(6));  // 3 x 2
}

// A run with everything in it: sharing, interference, batches, drops, two workloads on one GPU.
RunResult full_run() {
  Plan plan;
  plan.gpus = {gpu_of(0, GpuMode::kMps,
                      {percent_partition(
                          100, {replica_of("a", "m", {}, 3), replica_of("b", "n", {}, 2, 1)})}),
               gpu_of(1, GpuMode::kWhole, {whole_partition({replica_of("a", "m")})})};
  Profile m = with_scatter(linear_profile("m", "ideal", 2, 1, 8), Variability::Kind::kExponential);
  Profile n = linear_profile("n", "ideal", 3, 2, 4);
  m.interference_factor = n.interference_factor = 1.25;
  Scenario scenario =
      scenario_of({m, n}, {workload_of("a", "m", 20, 900), workload_of("b", "n", 40, 150)}, 4);
  scenario.warmup_s = 1;
  scenario.dispatcher = dispatcher_of(
      "tf_serving", {{"max_batch", 8}, {"timeout_ms", 2}, {"max_enqueued_batches", 3}});
  scenario.drain = false;
  scenario.log_requests = scenario.log_timeline = true;
  return run(scenario, plan);
}

TEST(Logs, TheRequestLogAddsUpToTheMetrics) {
  const RunResult result = full_run();
  const std::int64_t warmup = from_seconds(1).count();
  std::set<int> seen;
  for (std::uint32_t w = 0; w < 2; ++w) {
    const WorkloadMetrics& m = result.metrics[w];
    std::map<std::uint8_t, std::uint64_t> outcomes;
    std::int64_t latency = 0, wait = 0, held = 0, exec = 0;
    std::uint64_t offered = 0, next = 0;
    for (const RequestRow& row : result.requests) {
      if (row.id.workload() != WorkloadId(w)) continue;
      EXPECT_EQ(row.id.number(), next++);  // every request exactly once
      if (row.arrival < warmup) continue;
      ++offered;
      ++outcomes[row.outcome];
      if (row.outcome > 1) continue;
      latency += row.finish - row.arrival;
      wait += row.start - row.arrival;
      held += row.dispatch - row.arrival;
      exec += row.finish - row.start;
      EXPECT_EQ(row.outcome == 1, row.finish - row.arrival > result.workloads[w].slo.count());
    }
    for (const auto& [outcome, count] : outcomes) seen.insert(outcome);
    EXPECT_EQ(m.offered, offered);
    EXPECT_EQ(m.completed, outcomes[0] + outcomes[1]);
    EXPECT_EQ(m.late, outcomes[1]);
    EXPECT_EQ(m.unfinished(), outcomes[2]);
    EXPECT_EQ(m.dropped_total(), outcomes[3] + outcomes[4] + outcomes[5] + outcomes[6]);
    EXPECT_EQ(static_cast<std::int64_t>(m.latency.sum()), latency);
    EXPECT_EQ(static_cast<std::int64_t>(m.wait.sum()), wait);
    EXPECT_EQ(static_cast<std::int64_t>(m.exec.sum()), exec);
    EXPECT_EQ(static_cast<std::int64_t>(m.batch_wait), held);
    // The parts of the latency: held for the batch, queued at the device, execution with
    // interference.
    EXPECT_EQ(static_cast<std::int64_t>(m.batch_wait + m.queue()) + exec, latency);
  }
  EXPECT_THAT(seen, ElementsAre(0, 1, 2, 4));  // good, late, unfinished, queue full
}

TEST(Logs, TheTimelineAgreesWithTheRequestLog) {
  const RunResult result = full_run();
  std::map<std::uint32_t, std::vector<BatchSpan>> by_executor;
  for (const BatchSpan& span : result.timeline) by_executor[span.executor.value()].push_back(span);
  ASSERT_THAT(by_executor, SizeIs(6));
  std::map<std::pair<std::int32_t, std::int64_t>, std::uint32_t>
      served;  // executor, start: requests
  for (const RequestRow& row : result.requests) {
    if (row.outcome < 2) ++served[{row.executor, row.start}];
  }
  EXPECT_EQ(served.size(), result.timeline.size());
  Duration busy{};
  for (const auto& [executor, spans] : by_executor) {
    TimePoint free = kStart;
    for (const BatchSpan& span : spans) {
      EXPECT_GE(span.start, free);  // one batch at a time
      EXPECT_GE(span.start, span.decided);
      EXPECT_GE(span.end - span.start, span.alone);  // neighbours never help
      const auto start = span.start.time_since_epoch().count();
      EXPECT_EQ((served[{static_cast<std::int32_t>(executor), start}]), span.size);
      free = span.end;
      busy += std::max(Duration{}, span.end - std::max(span.start, kStart + from_seconds(1)));
    }
  }
  Duration counted{};
  for (const Duration d : result.busy.executors) counted += d;
  EXPECT_LE(busy, counted);  // the batches that ran at the end are in no log
  EXPECT_LT(counted - busy, from_ms(300));
  EXPECT_LE(result.busy.gpus[0], from_seconds(3));
}

TEST(Logs, InterferenceIsWhatExecutionTakesBeyondTheBatchAlone) {
  const RunResult result = full_run();
  for (std::uint32_t w = 0; w < 2; ++w) {
    std::map<std::pair<std::int32_t, std::int64_t>, Duration> excess;
    for (const BatchSpan& span : result.timeline) {
      excess[{static_cast<std::int32_t>(span.executor.value()),
              span.start.time_since_epoch().count()}] = span.end - span.start - span.alone;
    }
    std::int64_t sum = 0;
    for (const RequestRow& row : result.requests) {
      if (row.id.workload() != WorkloadId(w) || row.outcome > 1) continue;
      if (row.arrival >= from_seconds(1).count()) sum += excess[{row.executor, row.start}].count();
    }
    EXPECT_EQ(static_cast<std::int64_t>(result.metrics[w].interference), sum);
    EXPECT_GT(sum, 0);
  }
}

// Keeps one batch ahead of the running one, in a window that closes before it can start.
class SendsAheadTooTight final : public Dispatcher {
 public:
  void decide(const View& view, const Changes&, Decisions& out) override {
    const QueueId q(0);
    const ExecutorId e(0);
    while (!view.queue(q).empty() && view.executor(e).outstanding < view.depth()) {
      const bool ahead = view.executor(e).outstanding > 0;
      out.run(e, q, 1, {kStart, ahead ? view.now() + from_ms(1) : kNever});
    }
  }
};

// Wakes once a second for ever, and runs nothing.
class Sleeper final : public Dispatcher {
 public:
  std::uint32_t timers(const View&) const override { return 1; }
  void start(const View& view, Decisions& out) override { wake(view, out); }
  void decide(const View& view, const Changes& changes, Decisions& out) override {
    if (!changes.timers.empty()) wake(view, out);
  }

 private:
  static void wake(const View& view, Decisions& out) {
    out.wake(TimerId(0), view.now() + from_seconds(1));
  }
};

class Loop {
 public:
  Loop(const Scenario& scenario, Dispatcher& dispatcher)
      : deployment_(
            deploy(whole_gpus(1), scenario.workloads, scenario.profiles, Routing::kCentral)),
        loop_(scenario,
              deployment_,
              scenario.applications,
              dispatcher,
              StreamKey(1),
              {kStart, kStart + from_seconds(scenario.duration_s), true, false}) {
    loop_.start();
    loop_.finish({});
  }
  EventLoop& loop() { return loop_; }

 private:
  Deployment deployment_;
  EventLoop loop_;
};

TEST(EventLoop, RefusedBatchesAreServedLaterAndEveryRequestIsCountedOnce) {
  const Scenario scenario = scenario_of({takes(25)}, {every_10_ms("w", 1000)}, 1);
  SendsAheadTooTight dispatcher;
  Loop loop(scenario, dispatcher);
  EXPECT_GT(loop.loop().host().counters().refused, 50u);
  EXPECT_EQ(loop.loop().recorder().workloads()[0].completed, 100u);
  std::vector<std::uint64_t> ids;
  for (const RequestRow& row : loop.loop().recorder().rows()) ids.push_back(row.id.number());
  std::sort(ids.begin(), ids.end());
  ASSERT_THAT(ids, SizeIs(100));
  for (std::uint64_t i = 0; i < ids.size(); ++i) EXPECT_EQ(ids[i], i);
}

TEST(EventLoop, APolicyThatOnlySleepsDoesNotKeepTheRunAlive) {
  const Scenario scenario = scenario_of({takes(10)}, {every_10_ms("w", 1000)}, 1);
  Sleeper dispatcher;
  Loop loop(scenario, dispatcher);
  EXPECT_EQ(loop.loop().recorder().workloads()[0].unfinished(), 100u);
  EXPECT_LE(loop.loop().now(), kStart + from_seconds(3700));
}

TEST(EventLoop, ABatchMayTakeHours) {
  const RunResult result =
      run(scenario_of({takes(7.2e6)}, {every_10_ms("w", 1000)}, 0.03), whole_gpus(1));
  EXPECT_EQ(result.metrics[0].completed, 3u);
  EXPECT_NEAR(result.simulated_s, 3 * 7200 + 0.005, 1e-9);
}

TEST(EventLoop, BatchesThatTakeNoTimeAreEachCounted) {
  Scenario scenario = scenario_of({takes(0)}, {every_10_ms("w", 0)}, 0.1);
  scenario.log_timeline = true;
  const RunResult result = run(scenario, whole_gpus(1));
  EXPECT_EQ(result.metrics[0].completed, 10u);
  EXPECT_EQ(result.metrics[0].late, 0u);
  EXPECT_EQ(result.metrics[0].latency.max(), Duration(0));
  EXPECT_THAT(result.timeline, SizeIs(10));
}

}  // namespace
}  // namespace tangram
