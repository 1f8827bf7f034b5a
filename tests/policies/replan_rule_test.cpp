// When the rules plan again, and for which rates.
#include "policies/replan_rule.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "policies/registry.h"

namespace tangram {
namespace {

using ::testing::DoubleEq;
using ::testing::DoubleNear;
using ::testing::ElementsAre;

std::unique_ptr<ReplanRule> rule_of(const std::string& name, const Json& given = Json::object()) {
  Faults faults;
  const JsonNode node(given, "test", faults);
  const ReplanRuleEntry* entry = find_replan_rule(name);
  std::unique_ptr<ReplanRule> rule = entry->make(read_params(entry->info, node, faults));
  faults.throw_if_any();
  return rule;
}

TimePoint at_seconds(double seconds) {
  return kStart + from_seconds(seconds);
}

// Every 500 ms with weight 2 / 41: 100 + 2 / 41 * 41 = 102 after one sample of 141/s. The target is
// half as much again below 125/s, a fifth more above.
TEST(ReplanRule, GpuletPlansEvery20SecondsWithTwoMargins) {
  const auto rule = rule_of("gpulet");
  EXPECT_EQ(rule->sample_every(), from_ms(500));
  rule->start(kStart, {100, 200});
  for (int i = 1; i < 39; ++i) EXPECT_FALSE(rule->sample(at_seconds(0.5 * i), {100, 200}));
  EXPECT_FALSE(rule->sample(at_seconds(19.5), {141, 200}));
  EXPECT_THAT(rule->sample(at_seconds(20), {102, 200}).value(),
              ElementsAre(DoubleNear(153, 1e-9), DoubleNear(240, 1e-9)));
  rule->planned(at_seconds(20), {153, 240});
  EXPECT_FALSE(rule->sample(at_seconds(39.5), {102, 200}));
  EXPECT_TRUE(rule->sample(at_seconds(40), {102, 200}));
}

TEST(ReplanRule, NexusPlansEveryEpochOrSoonerWhenARateLeavesItsShare) {
  const auto rule = rule_of("nexus");
  EXPECT_EQ(rule->sample_every(), from_ms(1000));
  rule->start(kStart, {100});
  EXPECT_FALSE(rule->sample(at_seconds(9), {200}));   // not so soon
  EXPECT_FALSE(rule->sample(at_seconds(10), {109}));  // inside 80 to 110
  EXPECT_FALSE(rule->sample(at_seconds(11), {81}));
  EXPECT_TRUE(rule->sample(at_seconds(12), {111}));
  EXPECT_TRUE(rule->sample(at_seconds(13), {79}));
  rule->planned(at_seconds(13), {79});
  EXPECT_FALSE(rule->sample(at_seconds(23), {79}));
  EXPECT_TRUE(rule->sample(at_seconds(43), {79}));  // the epoch
}

// 1 - exp(-1 / 10) of the step in the first second.
TEST(ReplanRule, NexusRemembersForItsWindow) {
  const auto rule = rule_of("nexus", {{"soonest_s", 0}});
  rule->start(kStart, {100});
  EXPECT_THAT(rule->sample(at_seconds(1), {200}).value(),
              ElementsAre(DoubleNear(200 - 100 * std::exp(-0.1), 1e-9)));
}

TEST(ReplanRule, PeriodicPlansForTheSmoothedRatesWithItsMargin) {
  const auto rule = rule_of("periodic", {{"period_s", 2}, {"weight", 0.5}, {"margin", 2}});
  rule->start(kStart, {100});
  EXPECT_FALSE(rule->sample(at_seconds(1), {200}));                                    // 150
  EXPECT_THAT(rule->sample(at_seconds(2), {50}).value(), ElementsAre(DoubleEq(200)));  // 100 * 2
}

}  // namespace
}  // namespace tangram
