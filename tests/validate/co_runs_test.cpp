// Co-runs out of profiles.
#include "validate/co_runs.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tangram {
namespace {

Profile profile_of(const std::string& model, double latency_ms) {
  Profile p;
  p.model = model;
  p.gpu = "v100";
  LatencyPoint point;
  point.share = {ShareKind::kPercent, 20};
  point.batch = 8;
  point.latency_ms = latency_ms;
  point.l2_utilisation = 0.25;
  point.dram_utilisation = 0.5;
  point.power_w = 120;
  p.points.push_back(point);
  return p;
}

TEST(CoRunRecords, BothDirectionsOfOneCoRunShareItsNumber) {
  Profile a = profile_of("a", 10);
  a.launches = 20;
  a.co_runs = {{"b", 8, 2, 20, 80, 1.1}, {"b", 8, 8, 20, 80, 1.2}};
  Profile b = profile_of("b", 5);
  b.co_runs = {{"a", 8, 8, 80, 20, 1.4}, {"a", 2, 8, 80, 20, 1.3}};
  const std::vector<CoRunRecord> records = co_run_records({a, b});
  ASSERT_EQ(records.size(), 4U);
  EXPECT_EQ(records[0].run, records[3].run);
  EXPECT_EQ(records[1].run, records[2].run);
  EXPECT_NE(records[0].run, records[1].run);
  const CoRunRecord& first = records[0];
  EXPECT_EQ(first.gpu, "v100");
  EXPECT_EQ(pair_name(first), "a + b");
  EXPECT_EQ(pair_name(records[3]), "a + b");
  EXPECT_EQ(first.slowdown, 1.1);
  EXPECT_EQ(first.victim.model, "a");
  EXPECT_EQ(first.victim.solo_ms, 10);
  EXPECT_EQ(first.victim.l2, 0.25);
  EXPECT_EQ(first.victim.dram, 0.5);
  EXPECT_EQ(first.victim.power_w, 120);
  EXPECT_EQ(first.victim.kernels, 20);
  EXPECT_EQ(first.aggressor.batch, 2U);
  EXPECT_EQ(first.aggressor.share_pct, 80);
  // Not in the profile of b: no batch 2, no 80 %, no kernels.
  EXPECT_EQ(first.aggressor.solo_ms, std::nullopt);
  EXPECT_EQ(first.aggressor.power_w, std::nullopt);
  EXPECT_EQ(first.aggressor.kernels, std::nullopt);
  EXPECT_EQ(place_of(first).log_other, 1);
}

TEST(CoRunRecords, ANeighbourWithoutAProfileIsKnownByNameOnly) {
  Profile a = profile_of("a", 10);
  a.co_runs = {{"stranger", 8, 8, 20, 80, 1.1}};
  const std::vector<CoRunRecord> records = co_run_records({a});
  ASSERT_EQ(records.size(), 1U);
  EXPECT_EQ(records[0].aggressor.model, "stranger");
  EXPECT_EQ(records[0].aggressor.l2, std::nullopt);
}

TEST(CoRunRecords, UseOfTheWholeGpuCountsInProportionToTheShare) {
  Profile a = profile_of("a", 10);
  a.points[0].share = {ShareKind::kPercent, 100};
  a.co_runs = {{"a", 8, 8, 20, 80, 1.1}};
  const std::vector<CoRunRecord> records = co_run_records({a});
  EXPECT_DOUBLE_EQ(*records[0].victim.l2, 0.05);
  EXPECT_DOUBLE_EQ(*records[0].aggressor.dram, 0.4);
}

TEST(CoRunRecords, AProfileInSmsIsReadInSms) {
  Profile a = profile_of("a", 10);
  a.points[0].share = {ShareKind::kSms, 16};  // a V100 has 80
  a.co_runs = {{"a", 8, 8, 20, 80, 1.1}};
  EXPECT_EQ(co_run_records({a})[0].victim.solo_ms, 10);
}

TEST(CoRunRecords, GpuTypesDoNotMix) {
  Profile a = profile_of("a", 10);
  a.co_runs = {{"a", 8, 8, 20, 80, 1.1}};
  Profile b = a;
  b.gpu = "t4";
  const std::vector<CoRunRecord> records = co_run_records({a, b});
  EXPECT_EQ(records[0].gpu, "t4");
  EXPECT_EQ(records[1].gpu, "v100");
  EXPECT_NE(records[0].run, records[1].run);
}

}  // namespace
}  // namespace tangram
