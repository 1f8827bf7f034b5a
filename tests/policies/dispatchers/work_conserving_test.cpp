// fifo and eager, request by request.
#include <gtest/gtest.h>

#include "tests/policies/host_driver.h"

namespace tangram::testing {
namespace {

std::string trace_of(const std::string& policy,
                     const std::string& params,
                     const Deployment& deployment,
                     const std::vector<TestArrival>& arrivals) {
  const auto dispatcher = make_dispatcher(policy, params);
  return drive(deployment, *dispatcher, arrivals).trace();
}

// latency(b) = 1 + b ms. Executor 0 takes request 0 at 0 ms, until 2; what waits then goes one by
// one.
TEST(FifoTest, TakesTheOldestRequestAlone) {
  const Deployment one = deployment_of({{.name = "a", .fixed_ms = 1}}, {{}});
  EXPECT_EQ(trace_of("fifo", "{}", one, arrivals_at_ms({0, 0.5, 1, 7})),
            "0: 0/0: 0; 2: 0/0: 1; 4: 0/0: 2; 7: 0/0: 3");
}

// Queue b's request arrived first (0.5 ms), so it goes first although queue a is numbered lower.
TEST(FifoTest, ServesQueuesInTheOrderOfTheirOldestRequests) {
  const Deployment two = deployment_of({{.name = "a"}, {.name = "b"}}, {{}});
  EXPECT_EQ(trace_of("fifo", "{}", two, {{at_ms(0), 0}, {at_ms(0.5), 1}, {at_ms(0.6), 0}}),
            "0: 0/0: 0; 1: 0/1: 0; 2: 0/0: 1");
}

TEST(FifoTest, UsesEveryIdleExecutorInTheirOrder) {
  const Deployment two = deployment_of({{.name = "a"}}, {{}, {}});
  EXPECT_EQ(trace_of("fifo", "{}", two, arrivals_at_ms({0, 0, 0})),
            "0: 0/0: 0; 0: 1/0: 1; 1: 0/0: 2");
}

// Five at 0 ms: the batch is the profile's largest, 4; the fifth waits for l(4) = 4 ms.
TEST(EagerTest, TakesAllThatWaitsUpToTheLargestBatch) {
  const Deployment one = deployment_of({{.name = "a", .max_batch = 4}}, {{}});
  EXPECT_EQ(trace_of("eager", "{}", one, arrivals_at_ms({0, 0, 0, 0, 0, 2})),
            "0: 0/0: 0 1 2 3; 4: 0/0: 4 5");
  EXPECT_EQ(trace_of("eager", R"({"max_batch": 2})", one, arrivals_at_ms({0, 0, 0})),
            "0: 0/0: 0 1; 2: 0/0: 2");
}

// Deadlines: a 0.1 + 100, b 0.2 + 10: b goes first when the executor is free at 1 ms.
TEST(EagerTest, ServesTheQueueWithTheEarliestDeadline) {
  const Deployment two =
      deployment_of({{.name = "a", .slo_ms = 100}, {.name = "b", .slo_ms = 10}}, {{}});
  EXPECT_EQ(trace_of("eager", "{}", two, {{at_ms(0), 0}, {at_ms(0.1), 0}, {at_ms(0.2), 1}}),
            "0: 0/0: 0; 1: 0/1: 0; 2: 0/0: 1");
}

// The planned batch 2 of executor 0 binds it; executor 1 has none and takes up to 8.
TEST(EagerTest, KeepsToThePlannedBatchOfEachExecutor) {
  const Deployment two = deployment_of({{.name = "a"}}, {{{{.workload = "a", .batch = 2}}}, {}});
  EXPECT_EQ(trace_of("eager", "{}", two, arrivals_at_ms({0, 0, 0, 0, 0})),
            "0: 0/0: 0 1; 0: 1/0: 2 3 4");
}

}  // namespace
}  // namespace tangram::testing
