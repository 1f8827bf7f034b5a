#include <gtest/gtest.h>

#include "tests/policies/host_driver.h"

namespace tangram::testing {
namespace {

DriverResult run_edf(const std::string& params,
                     const Deployment& deployment,
                     const std::vector<TestArrival>& arrivals) {
  const auto dispatcher = make_dispatcher("edf", params);
  return drive(deployment, *dispatcher, arrivals);
}

// latency(b) = 2 + b ms, SLO 10 ms. Request 0 runs 0-3. At 3 ms request 1 (arrived 1, deadline 11)
// may take with it what finishes by 11: 3 + 2 + b <= 11 gives b = 6 of the 7 that wait. Request 7
// is then served at 3 + 8 = 11.
TEST(EdfTest, BatchesAsManyAsStillLetTheHeadFinishInTime) {
  const Deployment one = deployment_of({{.name = "a", .slo_ms = 10, .fixed_ms = 2}}, {{}});
  EXPECT_EQ(run_edf("{}", one, arrivals_at_ms({0, 1, 1, 1, 1, 1, 1, 1})).trace(),
            "0: 0/0: 0; 3: 0/0: 1 2 3 4 5 6; 11: 0/0: 7");
}

// With 2 ms kept back: 3 + 2 + b <= 9 gives b = 4; at 3 + 6 = 9 ms nothing fits any more: one
// alone, then the same at 9 + 3 and 12 + 3.
TEST(EdfTest, KeepsTheSlackBack) {
  const Deployment one = deployment_of({{.name = "a", .slo_ms = 10, .fixed_ms = 2}}, {{}});
  EXPECT_EQ(run_edf(R"({"slack_ms": 2})", one, arrivals_at_ms({0, 1, 1, 1, 1, 1, 1, 1})).trace(),
            "0: 0/0: 0; 3: 0/0: 1 2 3 4; 9: 0/0: 5; 12: 0/0: 6; 15: 0/0: 7");
}

TEST(EdfTest, LimitsTheBatchByItsParameter) {
  const Deployment one = deployment_of({{.name = "a"}}, {{}});
  EXPECT_EQ(run_edf(R"({"max_batch": 3})", one, arrivals_at_ms({0, 0, 0, 0})).trace(),
            "0: 0/0: 0 1 2; 3: 0/0: 3");
}

// At 1 ms: a's deadline is 100.1, b's 20.5: b first although it arrived later.
TEST(EdfTest, ServesTheEarliestDeadlineOfAllQueues) {
  const Deployment two =
      deployment_of({{.name = "a", .slo_ms = 100}, {.name = "b", .slo_ms = 20}}, {{}});
  EXPECT_EQ(run_edf("{}", two, {{at_ms(0), 0}, {at_ms(0.1), 0}, {at_ms(0.5), 1}}).trace(),
            "0: 0/0: 0; 1: 0/1: 0; 2: 0/0: 1");
}

// latency(b) = 3 + b ms, SLO 7 ms. Request 0 runs 0-4; 1 and 2 (deadlines 7 and 7.5) could finish
// at 8 at the earliest: dropped at 4 ms. 3 (arrived 1, deadline 8) finishes at 8: a tie is in time.
TEST(EdfTest, DropsHeadsThatCannotFinishInTimeWhenAsked) {
  const Deployment one = deployment_of({{.name = "a", .slo_ms = 7, .fixed_ms = 3}}, {{}});
  const DriverResult kept = run_edf("{}", one, arrivals_at_ms({0, 0, 0.5, 1}));
  EXPECT_EQ(kept.trace(), "0: 0/0: 0 1; 5: 0/0: 2; 9: 0/0: 3");
  const DriverResult dropped =
      run_edf(R"({"drop": true, "max_batch": 1})", one, arrivals_at_ms({0, 0, 0.5, 1}));
  EXPECT_EQ(dropped.trace(), "0: 0/0: 0; 4: 0/0: 3");
  EXPECT_EQ(dropped.drop_trace(), "4: deadline: 1; 4: deadline: 2");
}

// latency(1) = 4 ms on the fast executor 0 and 8 ms on the slow executor 1; SLO 6 ms. At 0 ms
// request 1 goes to the slow one, late but not hopeless: a fast one could still finish it.
TEST(EdfTest, DropsNothingThatTheFastestExecutorCouldFinish) {
  const Deployment two = deployment_of({{.name = "a", .slo_ms = 6, .per_item_ms = 4}},
                                       {{.type = "fast"}, {.type = "slow"}});
  const DriverResult result = run_edf(R"({"drop": true})", two, arrivals_at_ms({0, 0}));
  EXPECT_EQ(result.trace(), "0: 0/0: 0; 0: 1/0: 1");
  EXPECT_TRUE(result.drops.empty());
}

}  // namespace
}  // namespace tangram::testing
