// Which replica a request goes to.
#include "policies/router.h"

#include <cmath>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sim/core/random.h"
#include "tests/policies/plan_fixtures.h"

namespace tangram {
namespace {

using ::testing::ElementsAre;

// One workload on whole GPUs with the given planned rates; latency(b) = 5 + b ms, batches to 4.
class RoutedWorld {
 public:
  RoutedWorld(Routing routing, const std::vector<double>& rates, std::uint32_t processes = 1) {
    workloads_ = {workload_of("w", "m"), workload_of("nobody", "m")};
    profiles_.add(linear_profile("m", "ideal", 5, 1, 4));
    Plan plan;
    for (const double rate : rates) {
      PlanReplica replica = replica_of("w", "m");
      replica.rate_rps = rate;
      replica.processes = processes;
      plan.gpus.push_back({static_cast<std::uint32_t>(plan.gpus.size()),
                           "ideal",
                           GpuMode::kWhole,
                           {whole_partition({replica})}});
    }
    deployment_ = deploy(plan, workloads_, profiles_, routing);
    books_.deployment = &deployment_;
    for (const QueueInfo& queue : deployment_.queues) books_.queues.emplace_back(queue);
    for (const ExecutorInfo& info : deployment_.executors) {
      ExecutorBooks& executor = books_.executors.emplace_back();
      executor.cls = &deployment_.classes[info.cls.index()];
    }
  }
  Books& books() { return books_; }
  const Deployment& deployment() const { return deployment_; }
  void fill(std::uint32_t queue, int requests) {
    for (int i = 0; i < requests; ++i) books_.push(QueueId(queue), {kStart, RequestId{}});
  }
  MaybeId<QueueId> route(Router& router, int workload = 0, std::uint64_t draw = 0) {
    return router.route(View(books_), WorkloadId(workload), draw);
  }
  std::uint32_t pick(Router& router, std::uint64_t draw = 0) {
    return (*route(router, 0, draw)).value();
  }

 private:
  std::vector<Workload> workloads_;
  ProfileSet profiles_;
  Deployment deployment_;
  Books books_;
};

std::string smooth_sequence(const std::vector<double>& rates, int n) {
  RoutedWorld world(Routing::kWrr, rates);
  Router router(world.deployment());
  std::string sequence;
  for (int i = 0; i < n; ++i) sequence += static_cast<char>('a' + world.pick(router));
  return sequence;
}

TEST(Router, CentralRoutingKnowsOnlyTheWorkloadsQueue) {
  RoutedWorld world(Routing::kCentral, {1, 1, 1});
  Router router(world.deployment());
  for (std::uint64_t draw : {std::uint64_t{0}, ~std::uint64_t{0}}) {
    EXPECT_EQ(world.pick(router, draw), 0u);
  }
}

TEST(Router, AnUnservedWorkloadHasNoQueue) {
  for (const Routing routing : {Routing::kCentral, Routing::kWeightedRandom, Routing::kWrr,
                                Routing::kShortestFinish, Routing::kDrr}) {
    RoutedWorld world(routing, {1, 1});
    Router router(world.deployment());
    EXPECT_FALSE(world.route(router, 1).has_value());
  }
}

TEST(Router, SmoothRoundRobinInterleavesTheSmallWeights) {
  // Credits after each pick, weights 5 1 1: (-2 1 1) (-4 2 2) (1 -4 3) (-1 -3 4) (4 -2 -2)
  // (2 -1 -1) (0 0 0).
  EXPECT_EQ(smooth_sequence({5, 1, 1}, 14), "aabacaaaabacaa");
  EXPECT_EQ(smooth_sequence({1, 1, 1}, 6), "abcabc");
  // Weights 1 2: credits (1 -1) (-1 1) (0 0).
  EXPECT_EQ(smooth_sequence({1, 2}, 6), "babbab");
}

TEST(Router, SmoothRoundRobinNeverStraysFromTheWeightsByAsMuchAsTwoRequests) {
  const std::vector<double> rates{7, 3, 11, 1};  // of 22
  const std::string sequence = smooth_sequence(rates, 22'000);
  std::vector<double> counts(rates.size());
  for (std::size_t n = 0; n < sequence.size(); ++n) {
    counts[static_cast<std::size_t>(sequence[n] - 'a')] += 1;
    for (std::size_t i = 0; i < rates.size(); ++i) {
      ASSERT_NEAR(counts[i], static_cast<double>(n + 1) * rates[i] / 22, 2);
    }
  }
  EXPECT_THAT(counts, ElementsAre(7000, 3000, 11'000, 1000));
}

TEST(Router, DeficitRoundRobinTakesTurnsAndKeepsWhatIsLeft) {
  const auto sequence = [](const std::vector<double>& rates, int n) {
    RoutedWorld world(Routing::kDrr, rates);
    Router router(world.deployment());
    std::string picks;
    for (int i = 0; i < n; ++i) picks += static_cast<char>('a' + world.pick(router));
    return picks;
  };
  EXPECT_EQ(sequence({1, 1, 1}, 6), "abcabc");
  EXPECT_EQ(sequence({3, 1}, 8), "aaabaaab");
  // Quanta 1 and 1.5: b has 1.5, sends 1 and keeps 0.5; then 2, and sends 2.
  EXPECT_EQ(sequence({2, 3}, 10), "ababbababb");
}

TEST(Router, WeightedRandomCutsTheDrawByTheCumulativeWeights) {
  RoutedWorld world(Routing::kWeightedRandom, {1, 2, 1});  // 0.25, 0.75, 1
  Router router(world.deployment());
  const std::uint64_t quarter = std::uint64_t{1} << 62;
  EXPECT_EQ(world.pick(router, 0), 0u);
  EXPECT_EQ(world.pick(router, quarter - 1), 0u);
  EXPECT_EQ(world.pick(router, quarter), 1u);
  EXPECT_EQ(world.pick(router, 3 * quarter - 1), 1u);
  EXPECT_EQ(world.pick(router, 3 * quarter), 2u);
  EXPECT_EQ(world.pick(router, ~std::uint64_t{0}), 2u);
}

TEST(Router, WeightedRandomFrequenciesFollowTheWeights) {
  const std::vector<double> rates{7, 3, 11, 1};  // of 22
  RoutedWorld world(Routing::kWeightedRandom, rates);
  Router router(world.deployment());
  RandomStream stream(StreamKey(1).with("routing"));
  constexpr double kDraws = 220'000;
  std::vector<double> counts(rates.size());
  for (int i = 0; i < static_cast<int>(kDraws); ++i) counts[world.pick(router, stream.bits())] += 1;
  for (std::size_t i = 0; i < rates.size(); ++i) {
    // Five standard deviations of a binomial count, sqrt(n p (1 - p)).
    const double p = rates[i] / 22;
    EXPECT_NEAR(counts[i], kDraws * p, 5 * std::sqrt(kDraws * p * (1 - p)));
  }
}

TEST(Router, ShortestFinishCountsTheFullBatchesAheadAndTheBatchJoined) {
  RoutedWorld world(Routing::kShortestFinish, {1, 1});
  Router router(world.deployment());
  EXPECT_EQ(world.pick(router), 0u);  // a tie goes to the lower index
  // Queue 0 holds 4: 9 ms for the full batch, then 6 for one more = 15. Queue 1 is empty, but its
  // executor is busy until 8.999 ms: 14.999.
  world.fill(0, 4);
  world.books().executors[1].belief.free_at = kStart + from_ms(8.999);
  EXPECT_EQ(world.pick(router), 1u);
  world.books().executors[1].belief.free_at = kStart + from_ms(9.001);
  EXPECT_EQ(world.pick(router), 0u);
  // Nine ahead of it: two full batches of 9 ms, then a batch of 2: 25 ms in all.
  world.fill(0, 5);
  world.books().executors[1].belief.free_at = kStart + from_ms(18.999);
  EXPECT_EQ(world.pick(router), 1u);
  world.books().executors[1].belief.free_at = kStart + from_ms(19.001);
  EXPECT_EQ(world.pick(router), 0u);
}

TEST(Router, ShortestFinishSpreadsTheBatchesAheadOverTheProcesses) {
  RoutedWorld world(Routing::kShortestFinish, {1, 1}, 2);
  Router router(world.deployment());
  // Replica 0 (executors 0, 1; free at 0 and 3 ms) has 9 waiting: batches at 0 and 3, and the
  // third, which the request joins as its second, at 9 on the process that is free first: 9 + 7 =
  // 16 ms.
  world.fill(0, 9);
  world.books().executors[1].belief.free_at = kStart + from_ms(3);
  // Replica 1 (executors 2, 3) is empty; alone it takes 6 ms from 9.999 or 10.001 on.
  world.books().executors[2].belief.free_at = kStart + from_ms(9.999);
  world.books().executors[3].belief.free_at = kStart + from_ms(50);
  EXPECT_EQ(world.pick(router), 1u);
  world.books().executors[2].belief.free_at = kStart + from_ms(10.001);
  EXPECT_EQ(world.pick(router), 0u);
  // With process 0 down, the third batch starts when the second on process 1 ends: 3 + 18 + 7 ms.
  world.books().executors[0].belief.up = false;
  EXPECT_EQ(world.pick(router), 1u);
}

TEST(Router, ShortestFinishDoesNotReckonWithTimesInThePast) {
  RoutedWorld world(Routing::kShortestFinish, {1, 1});
  Router router(world.deployment());
  world.books().now = kStart + from_ms(100);
  world.books().executors[0].belief.free_at = kStart + from_ms(90);
  world.books().executors[1].belief.free_at = kStart + from_ms(10);
  EXPECT_EQ(world.pick(router), 0u);  // both are free now
}

TEST(Router, ShortestFinishAvoidsAnExecutorThatIsDown) {
  RoutedWorld world(Routing::kShortestFinish, {1, 1});
  Router router(world.deployment());
  world.books().executors[0].belief.up = false;
  EXPECT_EQ(world.pick(router), 1u);
  world.books().executors[1].belief.up = false;
  EXPECT_EQ(world.pick(router), 0u);
}

}  // namespace
}  // namespace tangram
