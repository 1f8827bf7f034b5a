#include <gtest/gtest.h>

#include "tests/policies/host_driver.h"

namespace tangram::testing {
namespace {

DriverResult run_tf(const std::string& params,
                    const Deployment& deployment,
                    const std::vector<TestArrival>& arrivals) {
  const auto dispatcher = make_dispatcher("tf_serving", params);
  return drive(deployment, *dispatcher, arrivals);
}

// max_batch 4, timeout 2 ms, latency(b) = b ms, one worker.
//   request  arrives  batch  why the batch goes
//   0        0        1      timeout of its first task, at 0 + 2
//   1        1.5      1
//   2        2.5      2      open since 2.5; the worker is busy until 2 + 2 = 4
//   3        3        2
//   4        4.2      2      2.5 + 2 = 4.5 is the timeout; the fourth task at 4.4 fills it before
//   5        4.4      2
//   6        4.5      3      opens when batch 2 has gone; timeout 6.5, but the worker is busy until
//   7        5        3      4.4 + 4 = 8.4
//   8        8        3
//   9        8.3      3      full at 8.3
//   10       8.35     4      opens; its timeout 10.35 is over when the worker is free at 12.4
//   11       14       5      alone: timeout at 16
//   batch  starts  size  ends
//   1      2       2     4
//   2      4.4     4     8.4
//   3      8.4     4     12.4
//   4      12.4    1     13.4
//   5      16      1     17
TEST(TfServingTest, FollowsATraceWithATimeoutWorkedByHand) {
  const DriverResult result =
      run_tf(R"({"max_batch": 4, "timeout_ms": 2})", one_executor(),
             arrivals_at_ms({0, 1.5, 2.5, 3, 4.2, 4.4, 4.5, 5, 8, 8.3, 8.35, 14}));
  EXPECT_EQ(result.trace(),
            "2: 0/0: 0 1; 4.4: 0/0: 2 3 4 5; 8.4: 0/0: 6 7 8 9; 12.4: 0/0: 10; 16: 0/0: 11");
  // Exact to the nanosecond, not only as printed.
  ASSERT_EQ(result.batches.size(), 5U);
  EXPECT_EQ(result.batches[0].start, at_ms(2));
  EXPECT_EQ(result.batches[1].start, at_ms(4.4));
  EXPECT_EQ(result.batches[2].start, at_ms(8.4));
  EXPECT_EQ(result.batches[3].start, at_ms(12.4));
  EXPECT_EQ(result.batches[4].start, at_ms(16));
  EXPECT_TRUE(result.drops.empty());
}

// Timeout 0 (the default): an open batch goes as soon as a worker is idle.
TEST(TfServingTest, TakesWhatWaitsAtOnceByDefault) {
  EXPECT_EQ(run_tf("{}", one_executor(), arrivals_at_ms({0, 0.5, 0.6})).trace(),
            "0: 0/0: 0; 1: 0/0: 1 2");
}

// max_batch 2, two batches at most. The worker is busy 0-2 with 0 and 1. Then 2 3 | 4 5 fill both
// batches; 6 would open a third: rejected. At 2 ms the worker takes 2 3, and 7 opens the second
// again.
TEST(TfServingTest, RejectsATaskThatWouldOpenABatchTooMany) {
  const DriverResult result =
      run_tf(R"({"max_batch": 2, "max_enqueued_batches": 2})", one_executor(),
             arrivals_at_ms({0, 0, 0.5, 0.6, 0.7, 0.8, 0.9, 2.5}));
  EXPECT_EQ(result.trace(), "0: 0/0: 0 1; 2: 0/0: 2 3; 4: 0/0: 4 5; 6: 0/0: 7");
  EXPECT_EQ(result.drop_trace(), "0.9: queue_full: 6");
}

// Round robin by batch: the cursor stands after queue 0 when the worker is free at 2 ms, so 1 and 2
// go before 0 again, although queue 0 has the oldest task.
TEST(TfServingTest, ScansTheQueuesRoundRobin) {
  const Deployment three = deployment_of({{.name = "a"}, {.name = "b"}, {.name = "c"}}, {{}});
  EXPECT_EQ(run_tf(R"({"max_batch": 2})", three,
                   {{at_ms(0), 0},
                    {at_ms(0), 0},
                    {at_ms(0.5), 0},
                    {at_ms(0.6), 0},
                    {at_ms(0.7), 0},
                    {at_ms(1), 2},
                    {at_ms(1.5), 1}})
                .trace(),
            "0: 0/0: 0 1; 2: 0/1: 0; 3: 0/2: 0; 4: 0/0: 2 3; 6: 0/0: 4");
}

// A batch that is not available is passed over: queue b (1 task, timeout 5 ms) waits, queue a is
// full.
TEST(TfServingTest, PassesOverBatchesThatAreStillOpen) {
  const Deployment two = deployment_of({{.name = "a"}, {.name = "b"}}, {{}});
  EXPECT_EQ(run_tf(R"({"max_batch": 2, "timeout_ms": 5})", two,
                   {{at_ms(0), 0}, {at_ms(0), 0}, {at_ms(0.5), 1}, {at_ms(1), 0}, {at_ms(1), 0}})
                .trace(),
            "0: 0/0: 0 1; 2: 0/0: 2 3; 5.5: 0/1: 0");
}

// The queue's batches are of the largest executor's size, 8; the one planned for 2 takes part of
// one. It is the first idle executor at 0 ms; what is left is an open batch, which goes with
// timeout 0.
TEST(TfServingTest, AnExecutorTakesNoMoreThanItsPlannedBatch) {
  const Deployment two = deployment_of({{.name = "a"}}, {{{{.workload = "a", .batch = 2}}}, {}});
  EXPECT_EQ(run_tf("{}", two, arrivals_at_ms({0, 0, 0, 0, 0})).trace(),
            "0: 0/0: 0 1; 0: 1/0: 2 3 4");
}

}  // namespace
}  // namespace tangram::testing
