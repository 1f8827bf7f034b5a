#include <gtest/gtest.h>

#include "tests/policies/host_driver.h"

namespace tangram::testing {
namespace {

DriverResult run_fixed(const std::string& params,
                       const Deployment& deployment,
                       const std::vector<TestArrival>& arrivals) {
  const auto dispatcher = make_dispatcher("fixed_batch", params);
  return drive(deployment, *dispatcher, arrivals);
}

// latency(b) = b ms. The third request completes the batch at 2 ms; 3, 4, 5 arrive while it runs
// (until 5); 6 stays for ever.
TEST(FixedBatchTest, WaitsForEverForAFullBatch) {
  const Deployment one = deployment_of({{.name = "a"}}, {{}});
  const DriverResult result =
      run_fixed(R"({"batch": 3})", one, arrivals_at_ms({0, 1, 2, 3, 3.5, 4, 9}));
  EXPECT_EQ(result.trace(), "2: 0/0: 0 1 2; 5: 0/0: 3 4 5");
  EXPECT_EQ(result.queued, 1U);
}

// Timeout 4 ms: request 0 (0 ms) is due at 4 and takes 1 with it; 2 (arrived 5) is due at 9.
TEST(FixedBatchTest, TakesWhatIsThereWhenTheOldestHasWaited) {
  const Deployment one = deployment_of({{.name = "a"}}, {{}});
  EXPECT_EQ(run_fixed(R"({"batch": 3, "timeout_ms": 4})", one, arrivals_at_ms({0, 1, 5})).trace(),
            "4: 0/0: 0 1; 9: 0/0: 2");
}

// The executor is busy until 8 ms when request 8 (arrived 1, due 3) may go: it goes at 8, not
// before, and all that came meanwhile with it.
TEST(FixedBatchTest, GoesWhenTheExecutorIsFreeOnceTheWaitIsOver) {
  const Deployment one = deployment_of({{.name = "a"}}, {{}});
  EXPECT_EQ(run_fixed(R"({"timeout_ms": 2})", one, arrivals_at_ms({0, 0, 0, 0, 0, 0, 0, 0, 1, 7}))
                .trace(),
            "0: 0/0: 0 1 2 3 4 5 6 7; 8: 0/0: 8 9");
}

// Planned batch 2 on executor 0 and none on executor 1 (profile: 8). Two requests complete a batch
// for executor 0 only; executor 1 waits for eight. Batch 4 of the parameter makes it four.
TEST(FixedBatchTest, WaitsForTheBatchOfEachExecutor) {
  const Deployment two = deployment_of({{.name = "a"}}, {{}, {{{.workload = "a", .batch = 2}}}});
  EXPECT_EQ(run_fixed("{}", two, arrivals_at_ms({0, 0, 0.5, 0.6, 0.7})).trace(),
            "0: 1/0: 0 1; 2: 1/0: 2 3");
  EXPECT_EQ(run_fixed(R"({"batch": 4})", two, arrivals_at_ms({0, 0, 0.5, 0.6, 0.7, 0.8})).trace(),
            "0: 1/0: 0 1; 0.8: 0/0: 2 3 4 5");
}

// Queue b was complete at 1 ms, a at 2 ms: b goes first at 3 ms when the executor is free.
TEST(FixedBatchTest, ServesTheQueueThatWasDueFirst) {
  const Deployment two = deployment_of({{.name = "a"}, {.name = "b"}, {.name = "c"}}, {{}});
  EXPECT_EQ(run_fixed(R"({"batch": 2})", two,
                      {{at_ms(0), 2},
                       {at_ms(0), 2},
                       {at_ms(0.5), 0},
                       {at_ms(1), 1},
                       {at_ms(1), 1},
                       {at_ms(1.5), 0}})
                .trace(),
            "0: 0/2: 0 1; 2: 0/1: 0 1; 4: 0/0: 0 1");
}

}  // namespace
}  // namespace tangram::testing
