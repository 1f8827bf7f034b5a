#include <gtest/gtest.h>

#include "tests/policies/dispatchers/run_triton.h"
#include "tests/policies/host_driver.h"

namespace tangram::testing {
namespace {

// No delay, no preferred size: what waits, at once, as eager.
TEST(TritonTest, IsEagerWithItsDefaults) {
  const auto arrivals = poisson_arrivals(1, 700, 2000, 3);
  const Deployment one = one_executor();
  const auto eager = make_dispatcher("eager");
  EXPECT_EQ(run_triton("{}", one, arrivals).trace(), drive(one, *eager, arrivals).trace());
}

// Preferred 2 and 4, delay 10 ms.
//   time  queue              decision
//   0     0                  1 is not preferred: wait until 10
//   1     0 1                2 is preferred: runs 1-3
//   1.5   2                  busy
//   2     2 3 4 5 6          busy
//   3     2 3 4 5 6          largest preferred within 5 is 4: runs 3-7
//   7     6                  wait until 2 + 10 = 12
//   12    6                  delay exceeded: runs 12-13
TEST(TritonTest, SendsTheLargestPreferredSizeThatIsThere) {
  EXPECT_EQ(run_triton(R"({"preferred": [4, 2], "max_queue_delay_ms": 10})", one_executor(),
                       arrivals_at_ms({0, 1, 1.5, 2, 2, 2, 2}))
                .trace(),
            "1: 0/0: 0 1; 3: 0/0: 2 3 4 5; 12: 0/0: 6");
}

// The delay (1 ms) of request 4 is exceeded when the executor is free at 4 ms: all five go,
// although four are preferred.
TEST(TritonTest, SendsEverythingOnceTheDelayIsExceeded) {
  EXPECT_EQ(run_triton(R"({"preferred": [4], "max_queue_delay_ms": 1})", one_executor(),
                       arrivals_at_ms({0, 0, 0, 0, 1, 1, 1, 1, 1}))
                .trace(),
            "0: 0/0: 0 1 2 3; 4: 0/0: 4 5 6 7 8");
}

// Without a delay it still cuts batches at the preferred size: 4 of 5, then the fifth alone.
TEST(TritonTest, SendsPreferredPrefixesWithoutADelay) {
  EXPECT_EQ(
      run_triton(R"({"preferred": [4]})", one_executor(), arrivals_at_ms({0, 0, 0, 0, 0})).trace(),
      "0: 0/0: 0 1 2 3; 4: 0/0: 4");
}

// max_batch 3, no preferred size: the preferred size is max_batch. Two wait for the delay of 5 ms,
// three go at once.
TEST(TritonTest, PrefersTheLargestBatchByDefault) {
  EXPECT_EQ(run_triton(R"({"max_batch": 3, "max_queue_delay_ms": 5})", one_executor(),
                       arrivals_at_ms({0, 1, 10, 11, 12, 13}))
                .trace(),
            "5: 0/0: 0 1; 12: 0/0: 2 3 4; 18: 0/0: 5");
}

// An executor with a planned batch of 2 cannot take the preferred 4: its largest counts as
// preferred.
TEST(TritonTest, IgnoresPreferredSizesThatAnExecutorCannotTake) {
  const Deployment one = deployment_of({{.name = "a"}}, {{{{.workload = "a", .batch = 2}}}});
  EXPECT_EQ(run_triton(R"({"preferred": [4], "max_queue_delay_ms": 5})", one,
                       arrivals_at_ms({0, 0, 0, 0}))
                .trace(),
            "0: 0/0: 0 1; 2: 0/0: 2 3");
}

// max_queue_size 2: the executor is busy 0-1; of the four that come at 0.5 and 0.6 ms two stay.
TEST(TritonTest, RejectsTheNewestWhenTheQueueIsFull) {
  const DriverResult result = run_triton(R"({"max_queue_size": 2})", one_executor(),
                                         arrivals_at_ms({0, 0.5, 0.5, 0.5, 0.6}));
  EXPECT_EQ(result.trace(), "0: 0/0: 0; 1: 0/0: 1 2");
  EXPECT_EQ(result.drop_trace(), "0.5: queue_full: 3; 0.6: queue_full: 4");
}

// Timeout 3 ms, busy 0-8. At 8 ms requests 8 (arrived 4, waited 4 ms) and 9 (arrived 4.9) are
// rejected, 10 (arrived 5, waited exactly 3 ms) is not.
TEST(TritonTest, RejectsRequestsThatWaitedLongerThanTheTimeoutWhenItLooksAtThem) {
  const DriverResult result = run_triton(R"({"timeout_ms": 3})", one_executor(),
                                         arrivals_at_ms({0, 0, 0, 0, 0, 0, 0, 0, 4, 4.9, 5}));
  EXPECT_EQ(result.trace(), "0: 0/0: 0 1 2 3 4 5 6 7; 8: 0/0: 10");
  EXPECT_EQ(result.drop_trace(), "8: timeout: 8; 8: timeout: 9");
}

// A timeout shorter than the delay: the lone request is rejected as soon as it has waited longer.
TEST(TritonTest, RejectsAtTheTimeoutWhileItWaitsForTheDelay) {
  const DriverResult result = run_triton(R"({"timeout_ms": 3, "max_queue_delay_ms": 5})",
                                         one_executor(), arrivals_at_ms({1}));
  EXPECT_EQ(result.trace(), "");
  ASSERT_EQ(result.drops.size(), 1U);
  EXPECT_EQ(result.drops[0].time, at_ms(4) + Duration(1));
  EXPECT_EQ(result.drops[0].reason, DropReason::kTimeout);
}

}  // namespace
}  // namespace tangram::testing
