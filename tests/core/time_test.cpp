// Conversions round to the nearest nanosecond.
#include "sim/core/time.h"

#include <gtest/gtest.h>

#include "sim/core/ids.h"

namespace tangram {
namespace {

TEST(Time, ConversionsRoundToTheNearestNanosecond) {
  EXPECT_EQ(from_ns(1.4).count(), 1);
  EXPECT_EQ(from_ns(1.5).count(), 2);
  EXPECT_EQ(from_ns(-1.5).count(), -2);
  EXPECT_EQ(from_ms(5.072).count(), 5'072'000);
  EXPECT_EQ(from_seconds(0.1).count(), 100'000'000);
}

TEST(Time, MillisecondsAndSecondsComeBack) {
  EXPECT_EQ(to_ms(Duration(5'072'000)), 5.072);
  EXPECT_EQ(to_seconds(from_seconds(60)), 60.0);
}

TEST(Time, TheLongestRunFitsTheIntegersTwice) {
  // 4.6e9 s = 4.6e18 ns; 2^63 = 9.22e18.
  const Duration longest = from_seconds(kLongestRunSeconds);
  EXPECT_GT((longest + longest).count(), longest.count());
  EXPECT_LT(kStart + longest, kNever);
}

TEST(Ids, ARequestIdHoldsItsWorkloadAndItsNumber) {
  const std::uint64_t last = (std::uint64_t{1} << 40) - 1;
  const RequestId id = RequestId::of(WorkloadId(5), last);
  EXPECT_EQ(id.workload(), WorkloadId(5));
  EXPECT_EQ(id.number(), last);
  EXPECT_LT(RequestId::of(WorkloadId(5), 1), RequestId::of(WorkloadId(5), 2));
}

}  // namespace
}  // namespace tangram
