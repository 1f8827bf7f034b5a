#include "policies/slo_split.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "policies/registry.h"
#include "sim/core/error.h"
#include "tests/policies/plan_fixtures.h"

namespace tangram {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

Stage split_stage(const std::string& model,
                  std::vector<std::uint32_t> after,
                  std::uint32_t fan_out = 1) {
  const Stage::Wait wait = after.size() > 1 ? Stage::Wait::kAll : Stage::Wait::kEach;
  return {model, model, std::move(after), wait, FanOut(fan_out)};
}

std::vector<Duration> split(const std::string& name,
                            const std::vector<Stage>& stages,
                            double slo_ms,
                            const std::vector<Profile>& profiles,
                            const Json& given = Json::object()) {
  ProfileSet set;
  for (const Profile& profile : profiles) set.add(profile);
  Cluster cluster;
  cluster.gpus.push_back({"ideal", 1});
  Faults faults;
  const SloSplitEntry* entry = find_slo_split(name);
  const Params params = read_params(entry->info, JsonNode(given, "test", faults), faults);
  faults.throw_if_any();
  const StageGraph graph(stages);
  return entry->make()->split({stages, graph, from_ms(slo_ms), set, cluster, params});
}

Profile constant(const std::string& model, double ms) {
  return linear_profile(model, "ideal", ms, 0, 8);
}

TEST(EqualSplit, DividesByTheLongestPathThroughEachStage) {
  // a -> b -> c and a -> d: d's longest path has two stages, the others' three.
  const std::vector<Stage> stages{split_stage("a", {}), split_stage("b", {0}),
                                  split_stage("c", {1}), split_stage("d", {0})};
  const std::vector<Profile> profiles{constant("a", 1), constant("b", 1), constant("c", 1),
                                      constant("d", 1)};
  EXPECT_THAT(split("equal", stages, 90, profiles),
              ElementsAre(from_ms(30), from_ms(30), from_ms(30), from_ms(45)));
}

TEST(ProportionalSplit, DividesByLatencyOnTheSlowestPath) {
  // a 10 -> b 20 and a 10 -> c 40: through a and c 50 ms, through b 30 ms.
  const std::vector<Stage> stages{split_stage("a", {}), split_stage("b", {0}),
                                  split_stage("c", {0})};
  const std::vector<Profile> profiles{constant("a", 10), constant("b", 20), constant("c", 40)};
  const auto slos = split("proportional", stages, 300, profiles);
  EXPECT_NEAR(to_ms(slos[0]), 60, 1e-5);
  EXPECT_NEAR(to_ms(slos[1]), 200, 1e-5);
  EXPECT_NEAR(to_ms(slos[2]), 240, 1e-5);
}

TEST(ProportionalSplit, ComparesAtTheBatchThatIsAskedFor) {
  const std::vector<Stage> stages{split_stage("a", {}), split_stage("b", {0})};
  // At batch 1: 2 and 2; at batch 8: 9 and 2.
  const std::vector<Profile> profiles{linear_profile("a", "ideal", 1, 1, 8),
                                      linear_profile("b", "ideal", 2, 0, 8)};
  EXPECT_NEAR(to_ms(split("proportional", stages, 110, profiles)[0]), 55, 1e-5);
  EXPECT_NEAR(to_ms(split("proportional", stages, 110, profiles, {{"batch", 8}})[0]), 90, 1e-5);
}

// Two stages, batches 1 and 2 of x in 10 and 12 ms, of y in 10 and 18 ms; SLO 64 ms in 8 steps
// of 8. A part of k steps holds 2 l(b): x runs b = 1 from 20 ms (3 steps), b = 2 from 24 ms (3
// steps); y b = 1 from 20 ms (3 steps), b = 2 from 36 ms (5 steps). x 3, y 5: 12/2 + 18/2 = 15 ms
// of GPU per request; x 4 or 5, y 4 or 3: 6 + 10 = 16. The first wins.
TEST(NexusSplit, IsTheOneThatNeedsTheFewestGpus) {
  const std::vector<Stage> stages{split_stage("x", {}), split_stage("y", {0})};
  const std::vector<Profile> profiles{
      table_profile("x", "ideal", {point_of({}, 1, 1, 10), point_of({}, 1, 2, 12)}),
      table_profile("y", "ideal", {point_of({}, 1, 1, 10), point_of({}, 1, 2, 18)})};
  EXPECT_THAT(split("nexus", stages, 64, profiles, {{"steps", 8}}),
              ElementsAre(from_ms(24), from_ms(40)));
}

// Brute force over all splits of a fork with fan-out: the program finds a cost as low.
TEST(NexusSplit, IsAsGoodAsTheBestOfAllSplitsOfAFork) {
  const std::vector<Stage> stages{split_stage("p", {}), split_stage("q", {0}, 3),
                                  split_stage("r", {0})};
  const std::vector<Profile> profiles{linear_profile("p", "ideal", 4, 2, 16),
                                      linear_profile("q", "ideal", 6, 1, 16),
                                      linear_profile("r", "ideal", 3, 3, 16)};
  constexpr int kSteps = 20;
  const double step_ms = 5;
  const std::vector<double> fixed{4, 6, 3};
  const std::vector<double> per_item{2, 1, 3};
  const std::vector<double> requests{1, 3, 1};
  const auto cost = [&](std::size_t v, double budget_ms) {
    double rps = 0;
    for (int b = 1; b <= 16; ++b) {
      const double ms = fixed[v] + per_item[v] * b;
      if (2 * ms <= budget_ms + 1e-9) rps = std::max(rps, b / ms);
    }
    return rps > 0 ? requests[v] / rps : 1e18;
  };
  double best = 1e18;
  for (int k = 1; k < kSteps; ++k) {
    const double rest = (kSteps - k) * step_ms;
    best = std::min(best, cost(0, k * step_ms) + cost(1, rest) + cost(2, rest));
  }
  const auto slos = split("nexus", stages, kSteps * step_ms, profiles, {{"steps", kSteps}});
  EXPECT_EQ(slos[1], slos[2]);
  EXPECT_EQ(slos[0] + slos[1], from_ms(kSteps * step_ms));
  EXPECT_DOUBLE_EQ(cost(0, to_ms(slos[0])) + cost(1, to_ms(slos[1])) + cost(2, to_ms(slos[2])),
                   best);
}

TEST(NexusSplit, SaysWhereItHasNoAnswer) {
  const std::vector<Profile> profiles{constant("a", 10), constant("b", 10), constant("c", 10)};
  const std::vector<Stage> join{split_stage("a", {}), split_stage("b", {}),
                                split_stage("c", {0, 1})};
  try {
    split("nexus", join, 100, profiles);
    FAIL();
  } catch (const NoAnswer& answer) {
    EXPECT_THAT(answer.what(), HasSubstr("\"c\" follows 2 stages"));
  }
  const std::vector<Stage> chain{split_stage("a", {}), split_stage("b", {0})};
  EXPECT_THROW(split("nexus", chain, 39, profiles), NoAnswer);  // 2 * 10 + 2 * 10 ms
  EXPECT_NO_THROW(split("nexus", chain, 40, profiles));
}

class EverySplit : public ::testing::TestWithParam<std::string> {};

TEST_P(EverySplit, StaysWithinTheSloOnEveryPath) {
  const std::vector<Stage> stages{split_stage("a", {}), split_stage("b", {0}, 2),
                                  split_stage("c", {0}), split_stage("d", {1}, 3),
                                  split_stage("e", {})};
  const std::vector<Profile> profiles{
      linear_profile("a", "ideal", 3, 1, 8), linear_profile("b", "ideal", 7, 2, 8),
      linear_profile("c", "ideal", 1, 5, 8), linear_profile("d", "ideal", 2, 2, 8),
      linear_profile("e", "ideal", 9, 1, 8)};
  const auto slos = split(GetParam(), stages, 137, profiles);
  std::vector<double> weights;
  for (const Duration slo : slos) {
    EXPECT_GT(slo, Duration::zero());
    weights.push_back(static_cast<double>(slo.count()));
  }
  EXPECT_LE(StageGraph(stages).critical_path(weights).length, 137e6);
  EXPECT_GE(StageGraph(stages).critical_path(weights).length, 0.98 * 137e6);
}

INSTANTIATE_TEST_SUITE_P(Registered,
                         EverySplit,
                         ::testing::ValuesIn(slo_split_names()),
                         [](const auto& param) { return param.param; });

}  // namespace
}  // namespace tangram
