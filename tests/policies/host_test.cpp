// The semantics of the seam (docs/model/policy-seam.md), one by one, message by message.
#include "policies/host.h"

#include <functional>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/policies/host_driver.h"

namespace tangram::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

// A policy that does what the test says and remembers what it was told.
class Scripted final : public Dispatcher {
 public:
  using Step = std::function<void(const View&, const Changes&, Decisions&)>;

  std::uint32_t timers(const View&) const override { return 2; }
  void decide(const View& view, const Changes& changes, Decisions& out) override {
    ++calls;
    grown.assign(changes.grown.begin(), changes.grown.end());
    finished.assign(changes.finished.begin(), changes.finished.end());
    refused.assign(changes.refused.begin(), changes.refused.end());
    timers_fired.assign(changes.timers.begin(), changes.timers.end());
    executors.assign(changes.executors.begin(), changes.executors.end());
    if (step) step(view, changes, out);
    step = nullptr;
  }

  Step step;
  int calls = 0;
  std::vector<QueueId> grown;
  std::vector<Finished> finished;
  std::vector<Refused> refused;
  std::vector<TimerId> timers_fired;
  std::vector<ExecutorId> executors;
};

constexpr QueueId kA{0}, kB{1};
constexpr ExecutorId kFirst{0}, kSecond{1};

// Two workloads of one model (SLO 10 and 20 ms) on two executors; latency(b) = 1 + b ms, b <= 4.
class HostTest : public ::testing::Test {
 protected:
  HostTest()
      : deployment_(deployment_of(
            {{.name = "a", .slo_ms = 10, .fixed_ms = 1, .max_batch = 4, .model = "m"},
             {.name = "b", .slo_ms = 20, .fixed_ms = 1, .max_batch = 4, .model = "m"}},
            {{}, {}})),
        host_(deployment_, policy_),
        events_(host_.timers()) {
    host_.start(kStart, events_, 0);
  }

  // n requests of a workload arrive now.
  void arrive(std::uint32_t workload, std::uint64_t n) {
    for (std::uint64_t i = 0; i < n; ++i) {
      host_.arrived(WorkloadId(workload),
                    {host_.view().now(), RequestId::of(WorkloadId(workload), next_[workload]++)});
    }
  }
  std::span<const Command> decide(Scripted::Step step = nullptr) {
    policy_.step = std::move(step);
    return host_.decide();
  }
  // Runs the n oldest of queue a on the first executor, in a call of its own.
  BatchId run(std::uint32_t n, Window window = {}) {
    return decide(
               [=](const View&, const Changes&, Decisions& out) { out.run(kFirst, kA, n, window); })
        .front()
        .batch;
  }
  std::vector<std::uint64_t> waiting(QueueId q) const {
    std::vector<std::uint64_t> numbers;
    for (std::uint32_t i = 0; i < host_.view().queue(q).size(); ++i) {
      numbers.push_back(host_.view().queue(q)[i].id.number());
    }
    return numbers;
  }
  // The policy asks for something that the books rule out.
  void expect_bug(Scripted::Step step) { EXPECT_THROW(decide(std::move(step)), InternalError); }

  Deployment deployment_;
  Scripted policy_;
  Host host_;
  EventQueue events_;
  std::uint64_t next_[2] = {0, 0};
};

TEST_F(HostTest, AppliesDecisionsAtOnce) {
  arrive(0, 3);
  const auto commands = decide([](const View& view, const Changes&, Decisions& out) {
    EXPECT_TRUE(view.is_idle(kFirst));
    out.run(kFirst, kA, 2);
    EXPECT_EQ(view.queue(kA).size(), 1U);
    EXPECT_FALSE(view.is_idle(kFirst));
    EXPECT_TRUE(view.first_idle(kA) == kSecond);
    EXPECT_EQ(view.executor(kFirst).outstanding, 1U);
    EXPECT_EQ(view.executor(kFirst).free_at, at_ms(3));  // l(2) = 1 + 2 ms
    out.drop_oldest(kA, 1, DropReason::kDeadline);
    EXPECT_TRUE(view.queue(kA).empty());
  });
  ASSERT_EQ(commands.size(), 2U);
  EXPECT_EQ(commands[0].kind, CommandKind::kRun);
  EXPECT_EQ(host_.batch(commands[0].batch).size(), 2U);
  EXPECT_EQ(host_.batch(commands[0].batch).predicted, from_ms(3));
  EXPECT_EQ(commands[1].kind, CommandKind::kDrop);
  EXPECT_EQ(host_.dropped(commands[1])[0].id.number(), 2U);
}

TEST_F(HostTest, CallsThePolicyOncePerInstantWithEveryGrownQueueOnce) {
  arrive(1, 2);
  arrive(0, 3);
  arrive(1, 1);
  decide();
  EXPECT_EQ(policy_.calls, 1);
  EXPECT_THAT(policy_.grown, ElementsAre(kB, kA));
  decide();
  EXPECT_THAT(policy_.grown, IsEmpty());
  arrive(1, 1);
  decide();
  EXPECT_THAT(policy_.grown, ElementsAre(kB));
}

TEST_F(HostTest, PutsRefusedRequestsBackInTheOrderOfTheirIds) {
  arrive(0, 5);
  const BatchId first = run(2);   // 0 1
  const BatchId second = run(2);  // 2 3, sent ahead
  arrive(0, 1);
  // The later batch comes back first; 0 and 1 then go before everything that waits.
  host_.refused(second, Refusal::kTooLate);
  EXPECT_THAT(waiting(kA), ElementsAre(2, 3, 4, 5));
  host_.refused(first, Refusal::kLost);
  EXPECT_THAT(waiting(kA), ElementsAre(0, 1, 2, 3, 4, 5));
  decide();
  EXPECT_THAT(policy_.grown, ElementsAre(kA));
  ASSERT_EQ(policy_.refused.size(), 2U);
  EXPECT_EQ(policy_.refused[0].batch, second);
  EXPECT_EQ(policy_.refused[1].why, Refusal::kLost);
  EXPECT_EQ(host_.counters().refused, 2U);
  EXPECT_TRUE(host_.view().is_idle(kFirst));
}

// 0 1 come back while 2 3 are still out, and 2 3 after them: 2 3 belong behind 0 1, before 4.
TEST_F(HostTest, PutsRefusedRequestsBehindOlderOnes) {
  arrive(0, 5);
  const BatchId first = run(2);
  const BatchId second = run(2);
  host_.refused(first, Refusal::kTooLate);
  EXPECT_THAT(waiting(kA), ElementsAre(0, 1, 4));
  host_.refused(second, Refusal::kTooLate);
  EXPECT_THAT(waiting(kA), ElementsAre(0, 1, 2, 3, 4));
}

TEST_F(HostTest, CountsStaleMessagesAndIgnoresThem) {
  arrive(0, 8);
  const BatchId old = run(1);
  EXPECT_TRUE(host_.finished(old, kStart, kStart));
  decide();
  EXPECT_FALSE(host_.finished(old, kStart, kStart));
  BatchId fresh = run(1);
  while (fresh.slot != old.slot) {  // the slots of an executor are used in turn
    EXPECT_TRUE(host_.finished(fresh, kStart, kStart));
    decide();
    fresh = run(1);
  }
  EXPECT_NE(fresh, old);
  EXPECT_FALSE(host_.refused(old, Refusal::kTooLate));
  EXPECT_EQ(host_.counters().stale, 2U);
  EXPECT_TRUE(host_.is_live(fresh));
  EXPECT_EQ(host_.in_flight(), 1U);
  decide();
  EXPECT_THAT(policy_.finished, IsEmpty());
  EXPECT_THAT(policy_.grown, IsEmpty());
}

TEST_F(HostTest, ReportsFinishesWithTheirTimes) {
  arrive(0, 2);
  const BatchId batch = run(2);
  host_.begin(at_ms(5));
  host_.finished(batch, at_ms(1), at_ms(4));  // in real time the message comes later
  decide();
  ASSERT_EQ(policy_.finished.size(), 1U);
  EXPECT_EQ(policy_.finished[0].executor, kFirst);
  EXPECT_EQ(policy_.finished[0].queue, kA);
  EXPECT_EQ(policy_.finished[0].count, 2U);
  EXPECT_EQ(policy_.finished[0].start, at_ms(1));
  EXPECT_EQ(policy_.finished[0].end, at_ms(4));
}

TEST_F(HostTest, ATimerHasOnePendingTimeThatArmingReplaces) {
  const TimerId timer(1);
  decide([=](const View&, const Changes&, Decisions& out) { out.wake(timer, at_ms(5)); });
  EXPECT_EQ(events_.time_of(SlotId(1)), at_ms(5));
  decide([=](const View&, const Changes&, Decisions& out) { out.wake(timer, at_ms(3)); });
  EXPECT_EQ(events_.next_time(), at_ms(3));
  decide([=](const View&, const Changes&, Decisions& out) { out.wake(timer, kNever); });
  EXPECT_TRUE(events_.empty());
}

TEST_F(HostTest, AWakeInThePastMeansNow) {
  host_.begin(at_ms(7));
  decide([](const View&, const Changes&, Decisions& out) { out.wake(TimerId(0), at_ms(3)); });
  EXPECT_EQ(events_.next_time(), at_ms(7));
  host_.timer(TimerId(0));
  decide();
  EXPECT_THAT(policy_.timers_fired, ElementsAre(TimerId(0)));
  expect_bug([](const View&, const Changes&, Decisions& out) { out.wake(TimerId(2), kStart); });
}

TEST_F(HostTest, AskingForMoreThanTheQueueHoldsIsABug) {
  arrive(0, 1);
  expect_bug([](const View&, const Changes&, Decisions& out) { out.run(kFirst, kA, 2); });
}
TEST_F(HostTest, AnEmptyBatchIsABug) {
  arrive(0, 1);
  expect_bug([](const View&, const Changes&, Decisions& out) { out.run(kFirst, kA, 0); });
}
TEST_F(HostTest, ABatchBeyondTheLargestIsABug) {
  arrive(0, 5);
  expect_bug([](const View&, const Changes&, Decisions& out) { out.run(kFirst, kA, 5); });
}
TEST_F(HostTest, ABatchBeyondTheDepthOfAnExecutorIsABug) {
  arrive(0, 3);
  run(1);
  run(1);
  expect_bug([](const View&, const Changes&, Decisions& out) { out.run(kFirst, kA, 1); });
}
TEST_F(HostTest, ABatchOnAnExecutorThatIsDownIsABug) {
  arrive(0, 1);
  host_.executor(kFirst, false);
  expect_bug([](const View&, const Changes&, Decisions& out) { out.run(kFirst, kA, 1); });
}
TEST_F(HostTest, UnknownExecutorsAndQueuesAreBugs) {
  arrive(0, 1);
  expect_bug([](const View&, const Changes&, Decisions& out) { out.run(ExecutorId(2), kA, 1); });
  expect_bug([](const View&, const Changes&, Decisions& out) { out.run(kFirst, QueueId(2), 1); });
}
TEST_F(HostTest, DroppingMoreThanTheQueueHoldsIsABug) {
  arrive(0, 1);
  expect_bug([](const View&, const Changes&, Decisions& out) {
    out.drop_newest(kA, 2, DropReason::kQueueFull);
  });
}
TEST_F(HostTest, TimeThatGoesBackIsABug) {
  host_.begin(at_ms(2));
  EXPECT_THROW(host_.begin(at_ms(1)), InternalError);
}

TEST(HostServiceTest, ABatchOnAnExecutorThatDoesNotServeTheQueueIsABug) {
  const Deployment deployment =
      deployment_of({{.name = "a"}, {.name = "b"}}, {{{{.workload = "a"}}}, {{{.workload = "b"}}}});
  Scripted policy;
  Host host(deployment, policy);
  EventQueue events(host.timers());
  host.start(kStart, events, 0);
  host.arrived(WorkloadId(0), {kStart, RequestId::of(WorkloadId(0), 0)});
  policy.step = [](const View& view, const Changes&, Decisions& out) {
    EXPECT_EQ(view.service(kSecond, kA), nullptr);
    EXPECT_EQ(view.max_batch(kSecond, kA), 0U);
    out.run(kSecond, kA, 1);
  };
  EXPECT_THROW(host.decide(), InternalError);
}

// l(1) = 2 ms, l(2) = 3 ms. Believed free at 2 + 3 = 5 ms. The first finishes at 4 instead of 2:
// what is left makes 4 + 3 = 7. The second finishes early at 5: free now.
TEST_F(HostTest, RebasesTheBelievedFreeTimeAtEveryFinish) {
  arrive(0, 3);
  const BatchId first = run(1);
  const BatchId second = run(2);
  EXPECT_EQ(host_.view().executor(kFirst).free_at, at_ms(5));
  host_.begin(at_ms(4));
  host_.finished(first, kStart, at_ms(4));
  EXPECT_EQ(host_.view().executor(kFirst).free_at, at_ms(7));
  EXPECT_FALSE(host_.view().is_idle(kFirst));
  host_.begin(at_ms(5));
  host_.finished(second, at_ms(4), at_ms(5));
  EXPECT_EQ(host_.view().executor(kFirst).free_at, at_ms(5));
  EXPECT_TRUE(host_.view().is_idle(kFirst));
}

// A batch that may not start before 10 ms and takes l(1) = 2 ms: free at 12, after the batch before
// it is done and after a rebase, too.
TEST_F(HostTest, TheBelievedFreeTimeKnowsWindows) {
  arrive(0, 2);
  const BatchId first = run(1);
  const BatchId second = run(1, {at_ms(10), at_ms(11)});
  EXPECT_EQ(host_.view().executor(kFirst).free_at, at_ms(12));
  host_.begin(at_ms(2));
  host_.finished(first, kStart, at_ms(2));
  EXPECT_EQ(host_.view().executor(kFirst).free_at, at_ms(12));
  EXPECT_EQ(host_.batch(second).window.earliest, at_ms(10));
  EXPECT_EQ(host_.batch(second).window.latest, at_ms(11));
}

TEST_F(HostTest, OneBatchMayMixTwoQueuesOfOneModel) {
  arrive(1, 2);
  arrive(0, 2);
  const auto commands = decide([](const View& view, const Changes&, Decisions& out) {
    const Pick picks[] = {{kB, 1}, {kA, 2}};
    out.run(kFirst, picks);
    EXPECT_EQ(view.queue(kA).size(), 0U);
    EXPECT_EQ(view.queue(kB).size(), 1U);
    EXPECT_EQ(view.executor(kFirst).free_at, at_ms(4));  // l(3)
  });
  ASSERT_EQ(commands.size(), 1U);
  const Batch& batch = host_.batch(commands[0].batch);
  ASSERT_EQ(batch.size(), 3U);
  EXPECT_EQ(batch.requests[0].id, RequestId::of(WorkloadId(1), 0));
  EXPECT_EQ(batch.requests[2].id, RequestId::of(WorkloadId(0), 1));
  // A refusal gives every request back to its own queue, and both have grown.
  host_.refused(commands[0].batch, Refusal::kTooLate);
  EXPECT_THAT(waiting(kA), ElementsAre(0, 1));
  EXPECT_THAT(waiting(kB), ElementsAre(0, 1));
  decide();
  EXPECT_THAT(policy_.grown, ElementsAre(kB, kA));
}

TEST_F(HostTest, ABatchOfPicksObeysTheSameLimits) {
  arrive(0, 3);
  arrive(1, 3);
  expect_bug([](const View&, const Changes&, Decisions& out) {
    const Pick picks[] = {{kA, 2}, {kB, 3}};
    out.run(kFirst, picks);
  });
  expect_bug([](const View&, const Changes&, Decisions& out) {
    const Pick picks[] = {{kA, 1}, {kB, 0}};
    out.run(kFirst, picks);
  });
  expect_bug([](const View&, const Changes&, Decisions& out) { out.run(kFirst, {}); });
}

TEST(HostPickTest, OneBatchDoesNotMixModels) {
  const Deployment deployment = deployment_of({{.name = "a"}, {.name = "b"}}, {{}});
  Scripted policy;
  Host host(deployment, policy);
  EventQueue events(host.timers());
  host.start(kStart, events, 0);
  host.arrived(WorkloadId(0), {kStart, RequestId::of(WorkloadId(0), 0)});
  host.arrived(WorkloadId(1), {kStart, RequestId::of(WorkloadId(1), 0)});
  policy.step = [](const View&, const Changes&, Decisions& out) {
    const Pick picks[] = {{kA, 1}, {kB, 1}};
    out.run(kFirst, picks);
  };
  EXPECT_THROW(host.decide(), InternalError);
}

TEST_F(HostTest, DropsFromEitherEnd) {
  arrive(0, 5);
  const auto commands = decide([](const View&, const Changes&, Decisions& out) {
    out.drop_newest(kA, 2, DropReason::kQueueFull);
    out.drop_oldest(kA, 1, DropReason::kTimeout);
    out.drop_oldest(kA, 0, DropReason::kTimeout);  // nothing, and no command
  });
  ASSERT_EQ(commands.size(), 2U);
  EXPECT_EQ(commands[0].reason, DropReason::kQueueFull);
  EXPECT_EQ(host_.dropped(commands[0])[0].id.number(), 3U);
  EXPECT_EQ(host_.dropped(commands[0])[1].id.number(), 4U);
  EXPECT_EQ(commands[1].reason, DropReason::kTimeout);
  EXPECT_EQ(host_.dropped(commands[1])[0].id.number(), 0U);
  EXPECT_THAT(waiting(kA), ElementsAre(1, 2));
}

TEST_F(HostTest, AnExecutorThatIsDownIsNotIdleUntilItComesUp) {
  arrive(0, 1);
  const BatchId batch = run(1);
  host_.executor(kFirst, false);
  host_.executor(kSecond, false);
  host_.refused(batch, Refusal::kLost);
  decide();
  EXPECT_THAT(policy_.executors, ElementsAre(kFirst, kSecond));
  EXPECT_THAT(waiting(kA), ElementsAre(0));
  EXPECT_FALSE(host_.view().is_idle(kFirst));
  EXPECT_FALSE(host_.view().first_idle(kA));
  host_.executor(kFirst, true);
  host_.executor(kFirst, true);  // no change
  decide();
  EXPECT_THAT(policy_.executors, ElementsAre(kFirst));
  EXPECT_TRUE(host_.view().first_idle(kA) == kFirst);
}

TEST(HostArrivalTest, ARequestThatThePlanDoesNotServeIsNotTaken) {
  const Deployment deployment =
      deployment_of({{.name = "a"}, {.name = "b"}}, {{{{.workload = "a"}}}});
  Scripted policy;
  Host host(deployment, policy);
  EventQueue events(host.timers());
  host.start(kStart, events, 0);
  EXPECT_FALSE(host.arrived(WorkloadId(1), {kStart, RequestId::of(WorkloadId(1), 0)}));
  EXPECT_TRUE(host.arrived(WorkloadId(0), {kStart, RequestId::of(WorkloadId(0), 0)}));
  EXPECT_EQ(host.in_queues(), 1U);
}

// Picks and drops from inside a queue.

TEST_F(HostTest, ABatchMayBeTakenFromInsideAQueue) {
  arrive(0, 6);
  const auto commands = decide([](const View&, const Changes&, Decisions& out) {
    const Pick pick{kA, 2, 3};
    out.run(kFirst, {&pick, 1});
  });
  std::vector<std::uint64_t> taken;
  for (const Request& request : host_.batch(commands[0].batch).requests) {
    taken.push_back(request.id.number());
  }
  EXPECT_THAT(taken, ElementsAre(3, 4));
  EXPECT_THAT(waiting(kA), ElementsAre(0, 1, 2, 5));
}

TEST_F(HostTest, ABatchMayNameItsRequests) {
  arrive(0, 6);
  const auto commands = decide([](const View&, const Changes&, Decisions& out) {
    const std::vector<RequestId> ids{RequestId::of(WorkloadId(0), 1),
                                     RequestId::of(WorkloadId(0), 4),
                                     RequestId::of(WorkloadId(0), 5)};
    out.run(kFirst, kA, ids);
  });
  EXPECT_EQ(host_.batch(commands[0].batch).size(), 3U);
  EXPECT_THAT(waiting(kA), ElementsAre(0, 2, 3));
  // A refusal puts them back where they were.
  host_.begin(at_ms(1));
  host_.refused(commands[0].batch, Refusal::kTooLate);
  decide();
  EXPECT_THAT(waiting(kA), ElementsAre(0, 1, 2, 3, 4, 5));
  EXPECT_THAT(policy_.grown, ElementsAre(kA));
}

TEST_F(HostTest, RequestsAreDroppedFromInsideAQueue) {
  arrive(0, 7);
  const auto commands = decide([](const View& view, const Changes&, Decisions& out) {
    out.drop_range(kA, 4, 2, DropReason::kDeadline);
    EXPECT_EQ(view.queue(kA).size(), 5U);
    const std::vector<RequestId> ids{RequestId::of(WorkloadId(0), 1),
                                     RequestId::of(WorkloadId(0), 3)};
    out.drop(kA, ids, DropReason::kTimeout);
    out.drop_newest(kA, 1, DropReason::kQueueFull);
  });
  ASSERT_EQ(commands.size(), 3U);
  EXPECT_EQ(host_.dropped(commands[0])[0].id.number(), 4U);
  EXPECT_EQ(host_.dropped(commands[1])[1].id.number(), 3U);
  EXPECT_EQ(host_.dropped(commands[2])[0].id.number(), 6U);
  EXPECT_THAT(waiting(kA), ElementsAre(0, 2));
}

TEST_F(HostTest, NamingWhatDoesNotWaitIsABug) {
  arrive(0, 3);
  const RequestId here = RequestId::of(WorkloadId(0), 1), gone = RequestId::of(WorkloadId(0), 9);
  expect_bug([=](const View&, const Changes&, Decisions& out) {
    out.run(kFirst, kA, std::vector{here, gone});
  });
  expect_bug([=](const View&, const Changes&, Decisions& out) {
    out.drop(kB, std::vector{here}, DropReason::kDeadline);
  });
  expect_bug([](const View&, const Changes&, Decisions& out) {
    const Pick pick{kA, 2, 2};
    out.run(kSecond, {&pick, 1});
  });
  expect_bug([](const View&, const Changes&, Decisions& out) {
    out.drop_range(kA, 2, 2, DropReason::kDeadline);
  });
}

// Weights.

constexpr ModelId kSmall{0}, kLarge{1};

// Models of 100 and 200 MiB on one executor with room for 250 MiB; 1 and 2 ms a load.
class WeightsTest : public ::testing::Test {
 protected:
  WeightsTest()
      : deployment_(with_weights(
            deployment_of({{.name = "small"}, {.name = "large"}}, {{}}), {100, 200}, 250, 100)),
        host_(deployment_, policy_),
        events_(host_.timers()) {
    host_.record(&log_);
    host_.start(kStart, events_, 0);
  }
  std::span<const Command> decide(Scripted::Step step = nullptr) {
    policy_.step = std::move(step);
    return host_.decide();
  }
  void expect_bug(Scripted::Step step) { EXPECT_THROW(decide(std::move(step)), InternalError); }

  Deployment deployment_;
  Scripted policy_;
  Host host_;
  EventQueue events_;
  MessageLog log_;
};

TEST_F(WeightsTest, AreAbsentThenLoadingThenLoaded) {
  const auto commands = decide([](const View& view, const Changes&, Decisions& out) {
    EXPECT_TRUE(view.manages_weights());
    EXPECT_EQ(view.weights(kFirst, kSmall), WeightState::kAbsent);
    EXPECT_EQ(view.predict_load(kFirst, kLarge), from_ms(2));
    out.load(kFirst, kSmall);
    EXPECT_EQ(view.weights(kFirst, kSmall), WeightState::kLoading);
    EXPECT_EQ(view.room_kib(kFirst), 150 * 1024);
  });
  ASSERT_EQ(commands.size(), 1U);
  EXPECT_EQ(commands[0].kind, CommandKind::kLoad);
  EXPECT_EQ(commands[0].model(), kSmall);
  host_.begin(at_ms(1));
  host_.loaded(kFirst, kSmall, true, kStart, at_ms(1));
  decide([](const View& view, const Changes& changes, Decisions& out) {
    ASSERT_EQ(changes.loads.size(), 1U);
    EXPECT_EQ(changes.loads[0].model, kSmall);
    EXPECT_EQ(changes.executors.size(), 1U);
    EXPECT_TRUE(view.is_loaded(kFirst, kSmall));
    out.unload(kFirst, kSmall);
    EXPECT_EQ(view.room_kib(kFirst), 250 * 1024);
  });
}

TEST_F(WeightsTest, ABatchWithoutThemIsABugAndSoIsALoadWithoutRoom) {
  host_.arrived(WorkloadId(0), {kStart, RequestId::of(WorkloadId(0), 0)});
  expect_bug([](const View&, const Changes&, Decisions& out) { out.run(kFirst, kA, 1); });
  decide([](const View&, const Changes&, Decisions& out) { out.load(kFirst, kLarge); });
  expect_bug([](const View&, const Changes&, Decisions& out) { out.run(kFirst, kB, 1); });
  expect_bug([](const View&, const Changes&, Decisions& out) { out.load(kFirst, kLarge); });
  expect_bug([](const View&, const Changes&, Decisions& out) { out.load(kFirst, kSmall); });
  expect_bug([](const View&, const Changes&, Decisions& out) { out.unload(kFirst, kLarge); });
}

TEST_F(WeightsTest, WhatABatchUsesStays) {
  decide([](const View&, const Changes&, Decisions& out) { out.load(kFirst, kSmall); });
  host_.loaded(kFirst, kSmall, true, kStart, kStart);
  host_.arrived(WorkloadId(0), {kStart, RequestId::of(WorkloadId(0), 0)});
  decide([](const View&, const Changes&, Decisions& out) { out.run(kFirst, kA, 1); });
  expect_bug([](const View&, const Changes&, Decisions& out) { out.unload(kFirst, kSmall); });
}

TEST_F(WeightsTest, AreGoneWithTheirExecutorAndALateMessageDoesNotBringThemBack) {
  decide([](const View&, const Changes&, Decisions& out) { out.load(kFirst, kSmall); });
  host_.executor(kFirst, false);
  host_.loaded(kFirst, kSmall, true, kStart, kStart);
  decide([](const View& view, const Changes& changes, Decisions&) {
    EXPECT_TRUE(changes.loads.empty());
    EXPECT_EQ(view.weights(kFirst, kSmall), WeightState::kAbsent);
    EXPECT_EQ(view.room_kib(kFirst), 250 * 1024);
  });
}

TEST_F(WeightsTest, ALoadThatFailsLeavesThemAbsent) {
  decide([](const View&, const Changes&, Decisions& out) { out.load(kFirst, kSmall); });
  host_.loaded(kFirst, kSmall, false, kStart, kStart);
  decide([](const View& view, const Changes& changes, Decisions&) {
    ASSERT_EQ(changes.loads.size(), 1U);
    EXPECT_FALSE(changes.loads[0].done);
    EXPECT_EQ(view.weights(kFirst, kSmall), WeightState::kAbsent);
    EXPECT_EQ(view.room_kib(kFirst), 250 * 1024);
  });
}

}  // namespace
}  // namespace tangram::testing
