// Look-ups: interpolation, the three ways to say "all of it", utilisation, and what is said when
// nothing is known.
#include "profiles/profile.h"

#include <algorithm>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sim/core/check.h"
#include "sim/core/error.h"

namespace tangram {
namespace {

using ::testing::HasSubstr;

const Share kWhole{};
Share mig(double slices) {
  return {ShareKind::kMig, slices};
}
Share percent(double amount) {
  return {ShareKind::kPercent, amount};
}

LatencyPoint point(Share share, std::uint32_t processes, std::uint32_t batch, double ms) {
  LatencyPoint p;
  p.share = share;
  p.processes = processes;
  p.batch = batch;
  p.latency_ms = ms;
  return p;
}

Profile profile_of(std::vector<LatencyPoint> points, Interpolation interpolation) {
  Profile profile;
  profile.model = "net";
  profile.gpu = "a100-80gb";
  profile.points = std::move(points);
  std::sort(profile.points.begin(), profile.points.end(), point_before);
  profile.interpolation = interpolation;
  return profile;
}

Profile two_slices(Interpolation interpolation) {
  return profile_of({point(mig(1), 1, 2, 10), point(mig(1), 1, 4, 14), point(mig(1), 1, 8, 30),
                     point(mig(1), 2, 2, 19), point(mig(7), 1, 2, 3)},
                    interpolation);
}

TEST(ProfileLatency, LinearInterpolationIsBetweenTheMeasuredNeighbours) {
  const Profile profile = two_slices(Interpolation::kLinear);
  // 10 + (14 - 10) * (3 - 2) / (4 - 2) = 12; 14 + (30 - 14) * (5 - 4) / (8 - 4) = 18.
  EXPECT_DOUBLE_EQ(*profile.latency_ms(mig(1), 1, 3), 12);
  EXPECT_DOUBLE_EQ(*profile.latency_ms(mig(1), 1, 5), 18);
  EXPECT_DOUBLE_EQ(*profile.latency_ms(mig(1), 1, 8), 30);
}

TEST(ProfileLatency, LinearInterpolationDoesNotExtrapolate) {
  const Profile profile = two_slices(Interpolation::kLinear);
  EXPECT_FALSE(profile.latency_ms(mig(1), 1, 1).has_value());
  EXPECT_FALSE(profile.latency_ms(mig(1), 1, 9).has_value());
  EXPECT_FALSE(profile.latency_ms(mig(1), 1, 0).has_value());
}

TEST(ProfileLatency, RoundUpTakesTheNextMeasuredBatch) {
  const Profile profile = two_slices(Interpolation::kRoundUp);
  EXPECT_EQ(profile.latency_ms(mig(1), 1, 1), 10);
  EXPECT_EQ(profile.latency_ms(mig(1), 1, 5), 30);
  EXPECT_FALSE(profile.latency_ms(mig(1), 1, 9).has_value());
  EXPECT_FALSE(profile.latency_ms(mig(1), 1, 0).has_value());
}

TEST(ProfileLatency, WithoutInterpolationOnlyMeasuredBatchesAreKnown) {
  const Profile profile = two_slices(Interpolation::kNone);
  EXPECT_EQ(profile.latency_ms(mig(1), 1, 4), 14);
  EXPECT_FALSE(profile.latency_ms(mig(1), 1, 3).has_value());
}

TEST(ProfileLatency, WholeHundredPercentAndSevenSlicesStandForOneAnother) {
  const Profile profile = two_slices(Interpolation::kLinear);
  EXPECT_EQ(profile.latency_ms(kWhole, 1, 2), 3);
  EXPECT_EQ(profile.latency_ms(percent(100), 1, 2), 3);
  const Profile whole = profile_of({point(kWhole, 1, 1, 5)}, Interpolation::kNone);
  EXPECT_EQ(whole.latency_ms(mig(7), 1, 1), 5);
  EXPECT_EQ(whole.max_batch(percent(100)), 1U);
  EXPECT_FALSE(whole.latency_ms(percent(50), 1, 1).has_value());
}

TEST(ProfileLatency, ASharesOwnPointsGoBeforeTheStandIn) {
  const Profile profile =
      profile_of({point(kWhole, 1, 1, 5), point(mig(7), 1, 1, 6)}, Interpolation::kNone);
  EXPECT_EQ(profile.latency_ms(mig(7), 1, 1), 6);
  EXPECT_EQ(profile.latency_ms(percent(100), 1, 1), 5);
}

TEST(ProfileLatency, TheClosedFormHoldsUpToItsLargestBatchOnTheWholeGpu) {
  Profile profile;
  profile.linear = Profile::Linear{5.072, 1.053, 128};
  EXPECT_DOUBLE_EQ(*profile.latency_ms(kWhole, 1, 10), 5.072 + 10.53);
  EXPECT_TRUE(profile.latency_ms(mig(7), 1, 128).has_value());
  EXPECT_FALSE(profile.latency_ms(kWhole, 1, 129).has_value());
  EXPECT_FALSE(profile.latency_ms(kWhole, 1, 0).has_value());
  EXPECT_FALSE(profile.latency_ms(percent(50), 1, 1).has_value());
  EXPECT_FALSE(profile.latency_ms(kWhole, 2, 1).has_value());
  EXPECT_EQ(profile.settings(), (std::vector<Profile::Setting>{{kWhole, 1}}));
}

TEST(ProfileLatency, WhyNotNamesWhatIsKnown) {
  const Profile profile = two_slices(Interpolation::kNone);
  std::string why;
  EXPECT_FALSE(profile.latency_ms(mig(1), 1, 3, &why).has_value());
  EXPECT_EQ(why,
            "profile of net on a100-80gb: nothing known for batch 3 on mig 1 with 1 process; "
            "batches: 2, 4, 8; interpolation: none");
  EXPECT_FALSE(profile.latency_ms(mig(1), 3, 2, &why).has_value());
  EXPECT_THAT(why, HasSubstr("3 processes on mig 1; process counts: 1, 2"));
  EXPECT_FALSE(profile.latency_ms(percent(40), 1, 2, &why).has_value());
  EXPECT_THAT(why, HasSubstr("the share 40 %; shares: mig 1, mig 7"));
}

TEST(ProfileQueries, MaxBatchIsPerShareAndProcessCount) {
  const Profile profile = two_slices(Interpolation::kLinear);
  EXPECT_EQ(profile.max_batch(mig(1)), 8U);
  EXPECT_EQ(profile.max_batch(mig(1), 2), 2U);
  EXPECT_EQ(profile.max_batch(mig(2)), 0U);
  EXPECT_EQ(profile.max_batch(kWhole), 2U);
}

TEST(ProfileQueries, SettingsAreListedOnceInOrder) {
  const Profile profile = two_slices(Interpolation::kLinear);
  EXPECT_EQ(profile.settings(),
            (std::vector<Profile::Setting>{{mig(1), 1}, {mig(1), 2}, {mig(7), 1}}));
}

TEST(ProfileQueries, UtilisationIsLinearBetweenBatchesAndHeldBeyondThem) {
  std::vector<LatencyPoint> points{point(kWhole, 1, 1, 1), point(kWhole, 1, 2, 2),
                                   point(kWhole, 1, 4, 4)};
  points[0].l2_utilisation = 0.1;
  points[0].dram_utilisation = 0.2;
  points[2].l2_utilisation = 0.4;
  points[2].dram_utilisation = 0.8;
  const Profile profile = profile_of(points, Interpolation::kNone);
  // 0.1 + 0.3 * (3 - 1) / (4 - 1) = 0.3; 0.2 + 0.6 * 2 / 3 = 0.6.
  EXPECT_DOUBLE_EQ(profile.utilisation(kWhole, 1, 3)->l2, 0.3);
  EXPECT_DOUBLE_EQ(profile.utilisation(kWhole, 1, 3)->dram, 0.6);
  EXPECT_DOUBLE_EQ(profile.utilisation(kWhole, 1, 64)->l2, 0.4);
  EXPECT_DOUBLE_EQ(profile.utilisation(percent(100), 1, 1)->dram, 0.2);
  EXPECT_FALSE(profile.utilisation(mig(1), 1, 1).has_value());
}

TEST(ProfileSets, FindByModelAndGpuAndRefuseASecond) {
  ProfileSet set;
  set.add(two_slices(Interpolation::kNone));
  EXPECT_NE(set.find("net", "a100-80gb"), nullptr);
  EXPECT_EQ(set.find("net", "t4"), nullptr);
  EXPECT_THROW(set.add(two_slices(Interpolation::kLinear)), ConfigError);
  Profile other = two_slices(Interpolation::kNone);
  other.gpu = "t4";
  set.add(other);
  EXPECT_EQ(set.models(), std::vector<std::string>{"net"});
}

TEST(ProfileSets, PointsOutOfOrderAreAProgrammingError) {
  Profile profile = two_slices(Interpolation::kNone);
  std::swap(profile.points.front(), profile.points.back());
  ProfileSet set;
  EXPECT_THROW(set.add(profile), InternalError);
}

}  // namespace
}  // namespace tangram
