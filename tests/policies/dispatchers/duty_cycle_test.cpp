#include <gtest/gtest.h>

#include "tests/policies/host_driver.h"

namespace tangram::testing {
namespace {

DriverResult run_duty(const Deployment& deployment, const std::vector<TestArrival>& arrivals) {
  const auto dispatcher = make_dispatcher("duty_cycle");
  return drive(deployment, *dispatcher, arrivals);
}

// Planned batch 3, duty cycle 5 ms, latency(b) = b ms. 0-2 complete the batch at 2 ms; 3 (arrived
// 6) is due at 11 and takes 4 with it.
TEST(DutyCycleTest, DispatchesThePlannedBatchOrAfterTheDutyCycle) {
  const Deployment one =
      deployment_of({{.name = "a"}}, {{{{.workload = "a", .batch = 3, .duty_ms = 5}}}});
  EXPECT_EQ(run_duty(one, arrivals_at_ms({0, 1, 2, 6, 10})).trace(), "2: 0/0: 0 1 2; 11: 0/0: 3 4");
}

// No duty cycle: it waits SLO - l(B) = 20 - 4 = 16 ms for the planned batch of 4.
TEST(DutyCycleTest, WaitsAsLongAsTheSloAllowsWithoutADutyCycle) {
  const Deployment one =
      deployment_of({{.name = "a", .slo_ms = 20}}, {{{{.workload = "a", .batch = 4}}}});
  EXPECT_EQ(run_duty(one, arrivals_at_ms({1, 2})).trace(), "17: 0/0: 0 1");
}

// SLO 3 ms < l(8) = 8 ms: there is no time to wait.
TEST(DutyCycleTest, GoesAtOnceWhenTheSloLeavesNoTime) {
  const Deployment one = deployment_of({{.name = "a", .slo_ms = 3}}, {{}});
  EXPECT_EQ(run_duty(one, arrivals_at_ms({1})).trace(), "1: 0/0: 0");
}

// Duty cycles of 6 ms (a) and 3 ms (b). a is due at 6, b at 1 + 3 = 4; b's batch ends at 5. At 6 ms
// a runs until 8; the second request of b (arrived 4.5) is due at 7.5 and goes at 8.
TEST(DutyCycleTest, OneExecutorServesTheQueueThatIsDueFirst) {
  const Deployment shared = deployment_of({{.name = "a", .per_item_ms = 2}, {.name = "b"}},
                                          {{{{.workload = "a", .batch = 4, .duty_ms = 6},
                                             {.workload = "b", .batch = 4, .duty_ms = 3}}}});
  EXPECT_EQ(run_duty(shared, {{at_ms(0), 0}, {at_ms(1), 1}, {at_ms(4.5), 1}}).trace(),
            "4: 0/1: 0; 6: 0/0: 0; 8: 0/1: 1");
}

// l(b) = 6 b ms, batch 1, SLO 10 ms: 0 runs until 6, 1 until 12. Then 2 (arrived 0) has waited 12
// ms, more than one SLO, and is dropped; 3 (arrived 5) has waited 7.
TEST(DutyCycleTest, DropsWhatHasWaitedLongerThanItsRatioOfTheSlo) {
  const Deployment one = deployment_of({{.name = "a", .slo_ms = 10, .per_item_ms = 6}},
                                       {{{{.workload = "a", .batch = 1, .duty_ms = 1}}}});
  const auto dispatcher = make_dispatcher("duty_cycle", R"({"drop_ratio": 1})");
  EXPECT_EQ(drive(one, *dispatcher, arrivals_at_ms({0, 0, 0, 5})).trace(),
            "0: 0/0: 0; 6: 0/0: 1; 12: 0/0: 3");
}

// The same workload with 2 ms on executor 0 and 5 ms on executor 1: a lone request goes after 2 ms.
// While executor 0 is busy (2-10) request 1 (arrived 3) waits the 5 ms of executor 1.
TEST(DutyCycleTest, EveryExecutorHasItsOwnDutyCycle) {
  const Deployment two = deployment_of({{.name = "a", .per_item_ms = 8}},
                                       {{{{.workload = "a", .batch = 4, .duty_ms = 2}}},
                                        {{{.workload = "a", .batch = 4, .duty_ms = 5}}}});
  EXPECT_EQ(run_duty(two, arrivals_at_ms({0, 3})).trace(), "2: 0/0: 0; 8: 1/0: 1");
}

}  // namespace
}  // namespace tangram::testing
