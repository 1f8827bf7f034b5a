#include "engine/runtime.h"

#include <algorithm>
#include <thread>

#include <gmock/gmock.h>

#include "sim/simulation.h"
#include "tests/engine/fixture.h"

namespace tangram {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;

class EveryDispatcher : public ::testing::TestWithParam<std::tuple<std::string, std::string>> {
 protected:
  static Scenario scenario() {
    return three_workloads(
        {{"/dispatcher/name", std::get<0>(GetParam())}, {"/routing", std::get<1>(GetParam())}});
  }
};

TEST_P(EveryDispatcher, AnswersForEveryRequestAndReplaysToTheSameDecisions) {
  const RecordedRun recorded = run_recorded(scenario());
  expect_all_accounted_for(recorded.scenario, recorded.run.result);
  EXPECT_GT(recorded.run.result.host.batches, 0U);
  EXPECT_EQ(recorded.run.result.host.stale, 0U);
  EXPECT_EQ(replayed(recorded, recorded.log), std::nullopt);
}

TEST_P(EveryDispatcher, GoesOnWhenAnExecutorIsLost) {
  const RecordedRun recorded = run_recorded(scenario(), {{ExecutorId(0), 1}});
  expect_all_accounted_for(recorded.scenario, recorded.run.result);
  EXPECT_GE(recorded.run.result.host.refused, 1U);
  EXPECT_THAT(recorded.run.result.notes, Contains(HasSubstr("executor 0 was lost")));
  EXPECT_EQ(replayed(recorded, recorded.log), std::nullopt);
}

INSTANTIATE_TEST_SUITE_P(Registered,
                         EveryDispatcher,
                         ::testing::Combine(::testing::ValuesIn(dispatcher_names()),
                                            ::testing::Values("central", "weighted_random")),
                         [](const auto& param) {
                           return std::get<0>(param.param) + "_" + std::get<1>(param.param);
                         });

// Stages ask for each other in real time; the tracker is the simulator's, and what it starts is in
// the log as any other arrival.
TEST(Runtime, RunsApplicationsAndReplaysThem) {
  const Scenario scenario =
      three_workloads({{"/applications", R"([{"name": "chain", "stages": [
          {"name": "one", "model": "small"},
          {"name": "two", "model": "small", "after": ["one"], "fan_out": 2},
          {"name": "three", "model": "large", "after": ["one"]},
          {"name": "four", "model": "small", "after": ["two", "three"]}]}])"},
                       {"/workloads/-", R"({"application": "chain", "slo_ms": 100,
                            "arrivals": {"process": "poisson", "rate_rps": 40}})"},
                       {"/network", R"({"delay_ms": 2, "kind": "exponential"})"}});
  const RecordedRun recorded = run_recorded(scenario);
  const RunResult& result = recorded.run.result;
  expect_all_accounted_for(scenario, result);
  EXPECT_EQ(replayed(recorded, recorded.log), std::nullopt);
  EXPECT_EQ(unfinished(result), 0U);
  ASSERT_EQ(result.workloads.back().name, "chain");
  const WorkloadMetrics& chain = result.metrics.back();
  EXPECT_GT(chain.completed, 0U);
  EXPECT_EQ(chain.completed, chain.offered);
  // The same arrivals as in a simulation, stages included, as fan-out is constant.
  const RunResult simulated = simulate(scenario, recorded.plan);
  ASSERT_EQ(simulated.requests.size(), result.requests.size());
  for (std::size_t i = 0; i < result.requests.size(); ++i) {
    EXPECT_EQ(simulated.requests[i].id, result.requests[i].id);
    const bool is_stage = simulated.workloads[result.requests[i].id.workload().index()].kind ==
                          Workload::Kind::kStage;
    if (!is_stage) {
      EXPECT_EQ(simulated.requests[i].arrival, result.requests[i].arrival);
    }
  }
}

// The log with one change to the message at `place` (counted over the messages of type T).
template <typename T, typename Change>
MessageLog mutated(MessageLog log, std::size_t place, Change change) {
  for (Instant& instant : log.instants) {
    for (std::size_t i = 0; i < instant.messages.size(); ++i) {
      if (!std::holds_alternative<T>(instant.messages[i]) || place-- > 0) continue;
      change(instant, i);
      return log;
    }
  }
  ADD_FAILURE() << "the log has too few messages";
  return log;
}

void remove(Instant& instant, std::size_t i) {
  instant.messages.erase(instant.messages.begin() + static_cast<std::ptrdiff_t>(i));
}

class ChangedLog : public ::testing::TestWithParam<std::string> {};

TEST_P(ChangedLog, IsCaughtAndTheFirstDifferenceNamed) {
  const RecordedRun recorded = run_recorded(three_workloads({{"/dispatcher/name", GetParam()}}));
  ASSERT_EQ(replayed(recorded, recorded.log), std::nullopt);

  const std::map<std::string, MessageLog> changes{
      {"without an arrival", mutated<ArrivedMessage>(recorded.log, 20, remove)},
      {"without a finish", mutated<FinishedMessage>(recorded.log, 10, remove)},
      {"with another request", mutated<ArrivedMessage>(recorded.log, 20,
                                                       [](Instant& instant, std::size_t i) {
                                                         auto& m = std::get<ArrivedMessage>(
                                                             instant.messages[i]);
                                                         ++m.request.id.value;
                                                       })},
      {"with a finish twice",
       mutated<FinishedMessage>(recorded.log, 10, [](Instant& instant, std::size_t i) {
         const Message again = instant.messages[i];
         instant.messages.push_back(again);
       })}};
  for (const auto& [what, log] : changes) {
    SCOPED_TRACE(what);
    const std::optional<std::string> difference = replayed(recorded, log);
    ASSERT_TRUE(difference.has_value());
    EXPECT_THAT(*difference, HasSubstr("instant "));
    EXPECT_THAT(*difference, ::testing::AnyOf(HasSubstr("logged"), HasSubstr("not outstanding")));
  }
}

INSTANTIATE_TEST_SUITE_P(Policies,
                         ChangedLog,
                         ::testing::Values("fifo", "eager", "tf_serving"),
                         [](const auto& param) { return param.param; });

TEST(ChangedLog, ATimerThatWasNotDueIsNamed) {
  // tf_serving holds the first request back for its timeout: the log has timers.
  const RecordedRun recorded = run_recorded(three_workloads(
      {{"/dispatcher/name", "tf_serving"}, {"/dispatcher/params/timeout_ms", "4"}}));
  const MessageLog log =
      mutated<TimerMessage>(recorded.log, 3, [](Instant& instant, std::size_t i) {
        const Message early = instant.messages[i];
        instant.messages.insert(instant.messages.begin(), {early, early});
      });
  const std::optional<std::string> difference = replayed(recorded, log);
  ASSERT_TRUE(difference.has_value());
  EXPECT_THAT(*difference, HasSubstr("is not due"));
}

TEST(Runtime, SendsTheRequestsThatTheSimulatorSends) {
  const RecordedRun recorded = run_recorded(three_workloads());
  const RunResult simulated = simulate(recorded.scenario, recorded.plan);
  const auto arrivals = [](const RunResult& result) {
    std::vector<std::pair<std::uint64_t, std::int64_t>> list;
    for (const RequestRow& row : result.requests) list.emplace_back(row.id.value, row.arrival);
    return list;
  };
  EXPECT_GT(simulated.requests.size(), 100U);
  EXPECT_EQ(arrivals(recorded.run.result), arrivals(simulated));
}

TEST(Runtime, WithoutDrainOffersAllAndLeavesTheRestUnfinished) {
  // "large" alone asks for 100 x 50 ms of the 3 s that three executors have each second.
  const RecordedRun recorded = run_recorded(three_workloads(
      {{"/drain", "false"}, {"/profiles/1/latency/fixed_ms", "50"}, {"/warmup_s", "0"}}));
  expect_all_accounted_for(recorded.scenario, recorded.run.result);
  const RunResult simulated = simulate(recorded.scenario, recorded.plan);
  for (std::size_t w = 0; w < simulated.metrics.size(); ++w) {
    EXPECT_EQ(recorded.run.result.metrics[w].offered, simulated.metrics[w].offered);
  }
  EXPECT_GT(unfinished(recorded.run.result), 0U);
}

TEST(Runtime, EndsWhenAllExecutorsAreLost) {
  const RecordedRun recorded =
      run_recorded(three_workloads(), {{ExecutorId(0), 1}, {ExecutorId(1), 1}, {ExecutorId(2), 1}});
  expect_all_accounted_for(recorded.scenario, recorded.run.result);
  EXPECT_GT(unfinished(recorded.run.result), 0U);
  EXPECT_EQ(replayed(recorded, recorded.log), std::nullopt);
}

TEST(Runtime, AStopFromAnotherThreadLeavesTheResultOfWhatRan) {
  std::stop_source source;
  std::jthread stopper([&source] {
    std::this_thread::sleep_for(std::chrono::milliseconds(300));
    source.request_stop();
  });
  const RecordedRun recorded =
      run_recorded(three_workloads({{"/duration_s", "3600"}}), {}, source.get_token());
  EXPECT_TRUE(recorded.run.stopped);
  expect_all_accounted_for(recorded.scenario, recorded.run.result);
  EXPECT_LT(recorded.run.result.measured_s, 3600);
  EXPECT_THAT(recorded.run.result.notes, Contains(HasSubstr("stopped after")));
  EXPECT_EQ(replayed(recorded, recorded.log), std::nullopt);
}

TEST(Runtime, AClientOfAClosedLoopAsksOnlyAfterItsAnswer) {
  const RecordedRun recorded = run_recorded(three_workloads(
      {{"/workloads/0/arrivals", R"({"process": "closed_loop", "clients": 4, "think_ms": 1})"}}));
  const RunResult& result = recorded.run.result;
  expect_all_accounted_for(recorded.scenario, result);
  // +1 at each arrival, -1 at each finish: never more in the system than clients.
  std::vector<std::pair<std::int64_t, int>> steps;
  for (const RequestRow& row : result.requests) {
    if (row.id.workload() != WorkloadId(0)) continue;
    steps.emplace_back(row.arrival, 1);
    steps.emplace_back(row.finish, -1);
  }
  ASSERT_GT(steps.size(), 8U);
  std::sort(steps.begin(), steps.end());
  int inside = 0;
  for (const auto& [time, step] : steps) {
    inside += step;
    EXPECT_LE(inside, 4);
  }
  EXPECT_EQ(replayed(recorded, recorded.log), std::nullopt);
}

TEST(Runtime, SaysWhatItCosts) {
  const RecordedRun recorded = run_recorded(three_workloads());
  EXPECT_EQ(recorded.run.costs.decide.count(), recorded.run.result.host.instants);
  EXPECT_EQ(recorded.run.costs.load_lag.count(), recorded.run.result.requests.size());
  EXPECT_THAT(recorded.run.result.notes, Contains(HasSubstr("runtime: intake and decision")));
  EXPECT_EQ(recorded.run.result.runtime, "emulated");
}

// Asks for more than the queue holds: a bug of the policy.
class Faulty final : public Dispatcher {
 public:
  void decide(const View& view, const Changes& changes, Decisions& out) override {
    for (const QueueId q : changes.grown) {
      if (const auto idle = view.first_idle(q)) out.run(*idle, q, view.queue(q).size() + 1);
    }
  }
};

TEST(Runtime, APolicyThatThrowsEndsTheThreadsAndIsPassedOn) {
  const Scenario scenario = three_workloads();
  const Plan plan = plan_of(scenario);
  const Deployment deployment =
      deploy(plan, scenario.workloads, scenario.profiles, scenario.routing);
  Faulty faulty;
  EmulatedBackend backend(scenario, StreamKey(scenario.seed));
  EXPECT_THROW(run_engine(scenario, plan, deployment, faulty, backend), InternalError);
}

}  // namespace
}  // namespace tangram
