// Triton's priority levels, its queue policies and its rate limiter, by hand.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sim/core/error.h"
#include "tests/policies/dispatchers/run_triton.h"
#include "tests/policies/host_driver.h"

namespace tangram::testing {
namespace {

using ::testing::HasSubstr;

// Workloads 0 and 1 of one model on one executor; latency(b) = fixed + b ms.
Deployment two_of_a_model(double fixed_ms = 0) {
  return deployment_of({{.name = "low", .fixed_ms = fixed_ms, .model = "m"},
                        {.name = "high", .fixed_ms = fixed_ms, .model = "m"}},
                       {{}});
}

// max_batch 2; busy 0-1 with low 0. Waiting then: low 1 (0.2), high 0 (0.4), low 2 (0.5).
// Levels: high 0 first, then low 1, in one batch 1-3; low 2 is left.
// Without levels each workload is a batcher: low was ready first and has two.
TEST(TritonLevelsTest, ABatchTakesTheFirstLevelFirstAndMixesWorkloads) {
  const std::vector<TestArrival> arrivals{
      {at_ms(0), 0}, {at_ms(0.2), 0}, {at_ms(0.4), 1}, {at_ms(0.5), 0}};
  EXPECT_EQ(run_triton(R"({"max_batch": 2, "priority_levels": 2, "priorities": [2, 1]})",
                       two_of_a_model(), arrivals)
                .trace(),
            "0: 0/0: 0; 1: 0/1: 0 1; 3: 0/0: 2");
  EXPECT_EQ(run_triton(R"({"max_batch": 2})", two_of_a_model(), arrivals).trace(),
            "0: 0/0: 0; 1: 0/0: 1 2; 3: 0/1: 0");
}

// Both on one level: first in, first out over both.
TEST(TritonLevelsTest, OneLevelIsFirstInFirstOut) {
  EXPECT_EQ(run_triton(R"({"max_batch": 1, "priority_levels": 1})", two_of_a_model(),
                       {{at_ms(0), 0}, {at_ms(0.2), 1}, {at_ms(0.4), 0}, {at_ms(0.6), 1}})
                .trace(),
            "0: 0/0: 0; 1: 0/1: 0; 2: 0/0: 1; 3: 0/1: 1");
}

// Preferred size 2, delay 10 ms: one of each level makes two, at 4 ms. low 1 waits alone until 16.
TEST(TritonLevelsTest, PreferredSizesAndTheDelayCountAllLevels) {
  EXPECT_EQ(run_triton(R"({"preferred": [2], "max_queue_delay_ms": 10, "priority_levels": 2,
                           "priorities": [2, 1]})",
                       two_of_a_model(), {{at_ms(0), 0}, {at_ms(4), 1}, {at_ms(6), 0}})
                .trace(),
            "4: 0/1: 0 0; 16: 0/0: 1");
}

// Timeout 2 ms, latency(1) = 3 ms, max_batch 1. At 3 ms requests 1, 2, 3 have waited 3 ms: they are
// served only while nobody fresh is there. At 6 request 4 (arrived 5) goes before 2 and 3.
TEST(TritonLevelsTest, DelayedRequestsAreServedAfterTheOthers) {
  const DriverResult result = run_triton(
      R"({"max_batch": 1, "timeout_ms": 2, "timeout_action": "delay"})",
      deployment_of({{.name = "a", .fixed_ms = 2}}, {{}}), arrivals_at_ms({0, 0, 0, 0, 5}));
  EXPECT_EQ(result.trace(), "0: 0/0: 0; 3: 0/0: 1; 6: 0/0: 4; 9: 0/0: 2; 12: 0/0: 3");
  EXPECT_TRUE(result.drops.empty());
}

// The same in one batch: at 3 ms, 1 and 2 have expired and 3 (arrived 2) has not; a batch of two
// has 3 and then 1.
TEST(TritonLevelsTest, ABatchTakesDelayedRequestsFromTheFrontOfTheQueueLast) {
  EXPECT_EQ(run_triton(R"({"max_batch": 2, "timeout_ms": 2, "timeout_action": "delay"})",
                       deployment_of({{.name = "a", .fixed_ms = 1}}, {{}}),
                       arrivals_at_ms({0, 0, 0.5, 0.6, 2}))
                .trace(),
            "0: 0/0: 0 1; 3: 0/0: 4 2; 6: 0/0: 3");
}

// latency(1) = 3 ms, max_batch 1, level 1 delays after 2 ms. At 3 ms: high 1 (arrived 0.5) has
// expired, high 2 (2.9) has not, low 0 (1) is of level 2. Delayed requests of a level go before the
// next level.
TEST(TritonLevelsTest, DelayedRequestsStayAheadOfTheNextLevel) {
  EXPECT_EQ(run_triton(R"({"max_batch": 1, "priority_levels": 2, "priorities": [2, 1],
                           "level_timeout_us": [2000], "level_delay": [1]})",
                       two_of_a_model(2),
                       {{at_ms(0), 1}, {at_ms(0.5), 1}, {at_ms(1), 0}, {at_ms(2.9), 1}})
                .trace(),
            "0: 0/1: 0; 3: 0/1: 2; 6: 0/1: 1; 9: 0/0: 0");
}

// latency(1) = 3 ms, max_batch 1; level 2 rejects after 2 ms. low 0 (arrived 0.3) expires at 2.3,
// but while level 1 fills the batch the cursor does not get to it: it is rejected at 9.
TEST(TritonLevelsTest, RequestsAreRejectedWhenTheCursorReachesTheirLevel) {
  const DriverResult result = run_triton(
      R"({"max_batch": 1, "priority_levels": 2, "priorities": [2, 1],
                     "level_timeout_us": [0, 2000]})",
      two_of_a_model(2), {{at_ms(0), 1}, {at_ms(0.1), 1}, {at_ms(0.2), 1}, {at_ms(0.3), 0}});
  EXPECT_EQ(result.trace(), "0: 0/1: 0; 3: 0/1: 1; 6: 0/1: 2");
  EXPECT_EQ(result.drop_trace(), "9: timeout: 0");
}

// Level 2 holds one request: low 1 and 2 come while low 0 waits. Level 1 has no limit. The two
// workloads of a level share its limit: the newest of both goes.
TEST(TritonLevelsTest, EachLevelHasItsLimit) {
  const std::vector<TestArrival> arrivals{{at_ms(0), 1},   {at_ms(0.1), 0}, {at_ms(0.2), 0},
                                          {at_ms(0.3), 1}, {at_ms(0.4), 1}, {at_ms(0.5), 0}};
  const DriverResult two =
      run_triton(R"({"priority_levels": 2, "priorities": [2, 1], "level_max_queue_size": [0, 1]})",
                 two_of_a_model(), arrivals);
  EXPECT_EQ(two.trace(), "0: 0/1: 0; 1: 0/1: 1 2 0");
  EXPECT_EQ(two.drop_trace(), "0.2: queue_full: 1; 0.5: queue_full: 2");
  const DriverResult one = run_triton(R"({"priority_levels": 1, "level_max_queue_size": [2]})",
                                      two_of_a_model(), arrivals);
  EXPECT_EQ(one.drop_trace(), "0.3: queue_full: 1; 0.4: queue_full: 2; 0.5: queue_full: 2");
}

// Two workloads without a priority: the default level, else the last.
TEST(TritonLevelsTest, TheDefaultLevelIsTheLastUnlessGiven) {
  const std::vector<TestArrival> arrivals{{at_ms(0), 0}, {at_ms(0.1), 1}, {at_ms(0.2), 0}};
  EXPECT_EQ(run_triton(R"({"max_batch": 1, "priority_levels": 3, "priorities": [2]})",
                       two_of_a_model(), arrivals)
                .trace(),
            "0: 0/0: 0; 1: 0/0: 1; 2: 0/1: 0");
  EXPECT_EQ(run_triton(R"({"max_batch": 1, "priority_levels": 3, "priorities": [2],
                           "default_priority_level": 1})",
                       two_of_a_model(), arrivals)
                .trace(),
            "0: 0/0: 0; 1: 0/1: 0; 2: 0/0: 1");
}

// With one workload a model and one level, levels change nothing: the two programs decide alike.
TEST(TritonLevelsTest, OneLevelDecidesAsThePlainBatcher) {
  const std::vector<TestWorkload> workloads{{.name = "a", .per_item_ms = 0.4, .max_batch = 6},
                                            {.name = "b", .fixed_ms = 2, .per_item_ms = 0.3},
                                            {.name = "c", .fixed_ms = 1, .per_item_ms = 0.2}};
  const Deployment deployment = deployment_of(
      workloads, {{}, {{{}}, "slow"}, {{{.workload = "b"}, {.workload = "c", .batch = 3}}}});
  const auto arrivals = poisson_arrivals(3, 1500, 1500, 11);
  for (const std::string rest :
       {R"("max_batch": 8)", R"("preferred": [2, 5], "max_queue_delay_ms": 4)",
        R"("max_queue_delay_ms": 3, "timeout_ms": 8, "max_queue_size": 6)",
        R"("preferred": [4], "max_queue_delay_ms": 9, "timeout_ms": 5)"}) {
    const DriverResult plain = run_triton("{" + rest + "}", deployment, arrivals);
    const DriverResult level =
        run_triton("{\"priority_levels\": 1, " + rest + "}", deployment, arrivals);
    EXPECT_EQ(plain.trace(), level.trace()) << rest;
    EXPECT_EQ(plain.drop_trace(), level.drop_trace()) << rest;
  }
}

// Two models a and b on two executors of one GPU; latency(1) = 1 ms.
Deployment two_executors_of_a_gpu() {
  Deployment deployment = deployment_of({{.name = "a"}, {.name = "b"}}, {{}, {}});
  deployment.executors[1].gpu = deployment.executors[0].gpu;
  return deployment;
}

// Each batch needs one of the GPU's one: the second of a waits although an executor is idle. Then
// that executor goes first: it has run none.
TEST(TritonRateLimiterTest, ABatchWaitsForItsResources) {
  const std::string params =
      R"({"max_batch": 1, "rate_limit": "execution_count", "rate_needs": [1, 1]})";
  EXPECT_EQ(run_triton(params, two_executors_of_a_gpu(), arrivals_at_ms({0, 0})).trace(),
            "0: 0/0: 0; 1: 1/0: 1");
  // On GPUs of their own each has one; a resource that all share is one for both.
  const Deployment apart = deployment_of({{.name = "a"}, {.name = "b"}}, {{}, {}});
  EXPECT_EQ(run_triton(params, apart, arrivals_at_ms({0, 0})).trace(), "0: 0/0: 0; 0: 1/0: 1");
  EXPECT_EQ(run_triton(R"({"max_batch": 1, "rate_limit": "execution_count",
                           "rate_global_needs": [1, 1]})",
                       apart, arrivals_at_ms({0, 0}))
                .trace(),
            "0: 0/0: 0; 1: 1/0: 1");
}

// Without rate_per_gpu a GPU has the largest need of the models on it: where only b is, of need 1,
// that is 1, and two executors there take turns although a needs 2 elsewhere.
TEST(TritonRateLimiterTest, AGpuHasTheLargestNeedOfItsModels) {
  Deployment deployment =
      deployment_of({{.name = "a"}, {.name = "b"}},
                    {{{{.workload = "a"}}}, {{{.workload = "b"}}}, {{{.workload = "b"}}}});
  deployment.executors[2].gpu = deployment.executors[1].gpu;
  EXPECT_EQ(run_triton(R"({"max_batch": 1, "rate_limit": "execution_count", "rate_needs": [2, 1]})",
                       deployment, arrivals_at_ms({0, 0}, 1))
                .trace(),
            "0: 1/1: 0; 1: 2/1: 1");
}

// There are 2; a needs 2, b needs 1. b 0 runs 0-1. a 0 (0.1) is first in line and lacks one; b 1
// (0.2) would fit and is held up. At 1 a 0 has all, until 2. Executor 0 has run no a: it is free
// and comes first; then executor 1 has run no b.
TEST(TritonRateLimiterTest, TheFirstInLineHoldsUpTheOthers) {
  EXPECT_EQ(run_triton(R"({"max_batch": 1, "rate_limit": "execution_count", "rate_needs": [2, 1],
                           "rate_per_gpu": 2})",
                       two_executors_of_a_gpu(), {{at_ms(0), 1}, {at_ms(0.1), 0}, {at_ms(0.2), 1}})
                .trace(),
            "0: 0/1: 0; 1: 0/0: 0; 2: 1/1: 1");
}

// One executor, a of priority 1 and b of priority 2, all there at 0. Executions times priority
// before each turn: (0, 0) a, (1, 0) b, (1, 2) a, (2, 2) a, (3, 2) b, (3, 4) a, (4, 4) a, (5, 4) b:
// a has two turns for one of b.
TEST(TritonRateLimiterTest, PriorityTwoGetsHalfTheTurns) {
  std::vector<TestArrival> arrivals;
  for (int i = 0; i < 5; ++i) arrivals.push_back({at_ms(0), 0});
  for (int i = 0; i < 3; ++i) arrivals.push_back({at_ms(0), 1});
  EXPECT_EQ(run_triton(R"({"max_batch": 1, "rate_limit": "execution_count",
                           "rate_priorities": [1, 2]})",
                       deployment_of({{.name = "a"}, {.name = "b"}}, {{}}), arrivals)
                .trace(),
            "0: 0/0: 0; 1: 0/1: 0; 2: 0/0: 1; 3: 0/0: 2; 4: 0/1: 1; 5: 0/0: 3; 6: 0/0: 4; "
            "7: 0/1: 2");
}

std::vector<std::string> faults_of(const std::string& params) {
  std::vector<std::string> found;
  try {
    run_triton(params, two_of_a_model(), {});
  } catch (const ConfigError& error) {
    for (const Fault& fault : error.faults()) found.push_back(fault.where + ": " + fault.what);
  }
  return found;
}

TEST(TritonLevelsTest, ParametersThatDoNotFitAreToldAllAtOnce) {
  EXPECT_THAT(
      faults_of(R"({"priority_levels": 2, "priorities": [1, 3, 1], "default_priority_level": 4,
                    "level_timeout_us": [1, 2, 3], "rate_needs": [1]})"),
      ::testing::UnorderedElementsAre(
          HasSubstr("/dispatcher/params/priorities: 3 values, but there are 2 workloads"),
          HasSubstr("/dispatcher/params/priorities/1: level 3, priority_levels is 2"),
          HasSubstr("/dispatcher/params/default_priority_level: level 4, priority_levels is 2"),
          HasSubstr("/dispatcher/params/level_timeout_us: 3 values, but there are 2 priority_lev"),
          HasSubstr("/dispatcher/params/rate_needs: has no meaning without rate_limit")));
  EXPECT_THAT(faults_of(R"({"priorities": [1], "rate_limit": "execution_count",
                            "rate_needs": [0, 5], "rate_per_gpu": 4})"),
              ::testing::UnorderedElementsAre(
                  HasSubstr("/dispatcher/params/priorities: has no meaning without priority_lev"),
                  HasSubstr("/dispatcher/params/rate_needs/1: needs 5, rate_per_gpu is 4")));
}

}  // namespace
}  // namespace tangram::testing
