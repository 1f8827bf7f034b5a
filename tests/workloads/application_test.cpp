#include "workloads/application.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sim/core/error.h"
#include "sim/core/random.h"

namespace tangram {
namespace {

using ::testing::DoubleEq;
using ::testing::DoubleNear;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

Stage stage_of(const std::string& name,
               std::vector<std::uint32_t> after,
               FanOut fan_out = FanOut()) {
  const Stage::Wait wait = after.size() > 1 ? Stage::Wait::kAll : Stage::Wait::kEach;
  return {name, "m", std::move(after), wait, fan_out};
}

//   a -- b -- d      and e on its own
//    \-- c --/
std::vector<Stage> diamond() {
  return {stage_of("d", {1, 2}), stage_of("b", {3}), stage_of("c", {3}), stage_of("a", {}),
          stage_of("e", {})};
}

TEST(StageGraph, OrdersEveryStageAfterItsPredecessors) {
  const std::vector<Stage> stages = diamond();
  const StageGraph graph(stages);
  std::vector<std::size_t> place(stages.size());
  for (std::size_t i = 0; i < graph.order().size(); ++i) place[graph.order()[i]] = i;
  for (std::uint32_t v = 0; v < stages.size(); ++v) {
    for (const std::uint32_t u : stages[v].after) EXPECT_LT(place[u], place[v]);
  }
  EXPECT_THAT(graph.successors(3), ElementsAre(1, 2));
  EXPECT_THAT(graph.predecessors(0), ElementsAre(1, 2));
}

TEST(StageGraph, FindsTheCriticalPathAndTheLongestPathThroughEachStage) {
  const StageGraph graph(diamond());
  // d 5, b 15, c 30, a 10, e 44: a + c + d = 45, a + b + d = 30, e = 44.
  const std::vector<double> weights{5, 15, 30, 10, 44};
  const StageGraph::Path path = graph.critical_path(weights);
  EXPECT_THAT(path.length, DoubleEq(45));
  EXPECT_THAT(path.stages, ElementsAre(3, 2, 0));
  EXPECT_THAT(graph.longest_through(weights),
              ElementsAre(DoubleEq(45), DoubleEq(30), DoubleEq(45), DoubleEq(45), DoubleEq(44)));
}

TEST(StageGraph, NamesTheStagesOfACycleOnly) {
  EXPECT_THAT(StageGraph::cycle_of(diamond()), IsEmpty());
  // p -> q -> r -> q; s after r.
  const std::vector<Stage> stages{stage_of("p", {}), stage_of("q", {0, 2}), stage_of("r", {1}),
                                  stage_of("s", {2})};
  EXPECT_THAT(StageGraph::cycle_of(stages), ElementsAre(1, 2));
  EXPECT_THAT(StageGraph::cycle_of({stage_of("own", {0})}), ElementsAre(0));
}

TEST(StageGraph, MultipliesFanOutAlongStagesAndStartsAnewAtAJoin) {
  // a: 2; b: 3 each of a; c: Poisson 1.5 each of b; d joins b and c: 4 once.
  const std::vector<Stage> stages{stage_of("a", {}, FanOut(2)), stage_of("b", {0}, FanOut(3)),
                                  stage_of("c", {1}, FanOut::weighted({1, 1, 1, 1})),
                                  stage_of("d", {1, 2}, FanOut(4))};
  const StageGraph graph(stages);
  EXPECT_THAT(graph.mean_requests(stages), ElementsAre(2, 6, DoubleEq(9), 4));
  EXPECT_THAT(graph.most_requests(stages), ElementsAre(2, 6, 18, 4));
}

TEST(FanOut, DrawsByItsDistribution) {
  EXPECT_EQ(FanOut(7).draw(0.999), 7U);
  EXPECT_EQ(FanOut(7).least(), 7U);
  const FanOut weighted = FanOut::weighted({0, 1, 0, 3});  // 1 or 3, one to three
  EXPECT_THAT(weighted.mean(), DoubleEq(2.5));
  EXPECT_EQ(weighted.least(), 1U);
  EXPECT_EQ(weighted.most(), 3U);
  EXPECT_EQ(weighted.draw(0), 1U);
  EXPECT_EQ(weighted.draw(0.2499), 1U);
  EXPECT_EQ(weighted.draw(0.25), 3U);
  EXPECT_EQ(weighted.draw(0.9999), 3U);
}

TEST(FanOut, OfPoissonHasItsMeanAndVariance) {
  const FanOut poisson = FanOut::poisson(2.5);
  EXPECT_EQ(poisson.least(), 0U);
  EXPECT_LT(poisson.most(), 40U);
  RandomStream stream(StreamKey(5));
  double sum = 0;
  double squares = 0;
  constexpr int kDraws = 200'000;
  for (int i = 0; i < kDraws; ++i) {
    const double n = poisson.draw(stream.uniform());
    sum += n;
    squares += n * n;
  }
  const double mean = sum / kDraws;
  // Standard error of the mean: sqrt(2.5 / 2e5) = 0.0035; five of them.
  EXPECT_THAT(mean, DoubleNear(2.5, 0.018));
  EXPECT_THAT(squares / kDraws - mean * mean, DoubleNear(2.5, 0.05));
}

TEST(KnownApplications, AreGpuletsGameAndTraffic) {
  ASSERT_EQ(known_applications().size(), 2U);
  const Application& game = known_applications()[0];
  EXPECT_EQ(game.name, "game");
  EXPECT_THAT(StageGraph(game.stages).mean_requests(game.stages), ElementsAre(6, 1));
  const Application& traffic = known_applications()[1];
  EXPECT_EQ(traffic.name, "traffic");
  const StageGraph graph(traffic.stages);
  EXPECT_THAT(graph.mean_requests(traffic.stages), ElementsAre(1, 1, 1));
  EXPECT_THAT(graph.successors(0), ElementsAre(1, 2));
}

}  // namespace
}  // namespace tangram
