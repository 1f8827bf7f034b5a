// REEF's decisions on hand-worked traces. The real-time workload is A.
#include <gtest/gtest.h>

#include "tests/policies/stages/stage_bench.h"

namespace tangram {
namespace {

TEST(Reef, AloneBestEffortHasDepthKernelsOnTheDevice) {
  StageBench bench("reef", Json::object(), {model_of(1, 10), model_of(4, 10)}, 10);
  bench.arrive(1);
  EXPECT_EQ(bench.decided(), "B0.0 B0.1");
  bench.finish();
  EXPECT_EQ(bench.decided(), "B0.2");
  bench.finish();
  EXPECT_EQ(bench.decided(), "B0.3");
  bench.finish();
  EXPECT_EQ(bench.decided(), "");
}

TEST(Reef, ARealTimeRequestKillsWhatRunsAndItRunsAgainAfterwards) {
  StageBench bench("reef", {{"mode", "reset"}}, {model_of(2, 10), model_of(4, 10)}, 10);
  const JobId b = bench.arrive(1);
  bench.finish(b);
  EXPECT_EQ(bench.decided(), "B0.0 B0.1 B0.2");
  // Kernels 1 and 2 are killed; kernel 0 is over and stays so.
  const JobId a = bench.arrive(0);
  EXPECT_EQ(bench.decided(), "!B0 A0.0 A0.1");
  bench.deliver_kills();
  bench.finish(a);
  EXPECT_EQ(bench.decided(), "");
  bench.finish(a);
  EXPECT_EQ(bench.decided(), "B0.1 B0.2");
}

TEST(Reef, BestEffortWaitsUntilItsKillsAreKnown) {
  // The real-time request is over before the kills have been read.
  StageBench bench("reef", {{"mode", "reset"}}, {model_of(1, 10), model_of(4, 10)}, 10);
  bench.arrive(1);
  const JobId a = bench.arrive(0);
  bench.finish(a);
  EXPECT_EQ(bench.decided(), "B0.0 B0.1 !B0 A0.0");
  bench.deliver_kills();
  EXPECT_EQ(bench.decided(), "B0.0 B0.1");
}

TEST(Reef, WithoutResetWhatRunsIsWaitedForAndNothingFollows) {
  StageBench bench("reef", {{"mode", "wait"}}, {model_of(2, 10), model_of(4, 10)}, 10);
  const JobId b = bench.arrive(1);
  const JobId a = bench.arrive(0);
  EXPECT_EQ(bench.decided(), "B0.0 B0.1 A0.0 A0.1");
  bench.finish(b);
  bench.finish(b);
  bench.finish(a);
  EXPECT_EQ(bench.decided(), "");
  bench.finish(a);
  EXPECT_EQ(bench.decided(), "B0.2 B0.3");
}

// What is launched with A's second kernel, of `blocks` blocks and 30 us, while the best-effort
// requests of these kernels wait.
std::string padding(std::uint32_t blocks, const std::vector<StageInfo>& best_effort) {
  std::vector<StageModel> models{model_of(2, 30, blocks)};
  for (const StageInfo& stage : best_effort) models.push_back(model_of({stage}));
  StageBench bench("reef", Json::object(), models, 10);
  const JobId a = bench.arrive(0);
  for (std::uint32_t w = 1; w < models.size(); ++w) bench.arrive(w);
  EXPECT_EQ(bench.decided(), "A0.0");
  bench.finish(a);
  return bench.decided();
}

TEST(Reef, AKernelPadsWhenItIsOverInTimeOnTheSmsThatAreLeft) {
  // 15 blocks on 10 SMs: 2 rounds, of which ceil(15 / 2) = 8 SMs are enough; 2 are left. There 6
  // blocks of 10 us take 3 waves, 30 us: just in time.
  EXPECT_EQ(padding(15, {stage_of(10, 6)}), "A0.1 B0.0/2");
  EXPECT_EQ(padding(15, {stage_of(10.001, 6)}), "A0.1");
  // 7 blocks: 4 waves, 40 us.
  EXPECT_EQ(padding(15, {stage_of(10, 7)}), "A0.1");
  // 20 blocks: 2 rounds on 10 SMs, nothing is left. 25: 3 rounds on 9 SMs, 1 is left.
  EXPECT_EQ(padding(20, {stage_of(1, 1)}), "A0.1");
  EXPECT_EQ(padding(25, {stage_of(1, 1)}), "A0.1 B0.0/1");
}

TEST(Reef, TheFirstClientWhoseKernelFitsPadsAlone) {
  EXPECT_EQ(padding(15, {stage_of(40, 1), stage_of(30, 2), stage_of(1, 1)}), "A0.1 C0.0/2");
}

TEST(Reef, APaddingKernelIsNotJoinedByAnother) {
  // B has two short kernels; the second may pad only when the first is over.
  StageBench bench("reef", Json::object(), {model_of(4, 30, 5), model_of(2, 10)}, 10);
  const JobId a = bench.arrive(0);
  const JobId b = bench.arrive(1);
  bench.finish(a);
  EXPECT_EQ(bench.decided(), "A0.0 A0.1 B0.0/5");
  bench.finish(a);
  EXPECT_EQ(bench.decided(), "A0.2");
  bench.finish(b);
  EXPECT_EQ(bench.decided(), "");
  bench.finish(a);
  EXPECT_EQ(bench.decided(), "A0.3 B0.1/5");
}

}  // namespace
}  // namespace tangram
