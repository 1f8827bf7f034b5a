// Paella's decisions on hand-worked traces.
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "tests/policies/stages/stage_bench.h"

namespace tangram {
namespace {

Json params(double fairness, int extra = 0) {
  return {{"fairness", fairness}, {"extra_kernels", extra}, {"profile", "oracle"}};
}

TEST(Paella, ShortestRemainingTimeGoesFirst) {
  // The device holds one kernel. A has 3 stages of 10 us, B 2 of 10: B, though later, is shorter.
  StageBench bench("paella", params(1e6), {model_of(3, 10), model_of(2, 10)});
  bench.arrive(0);
  bench.arrive(1);
  for (int i = 0; i < 5; ++i) bench.finish();
  EXPECT_EQ(bench.trace, "ABBAA");
}

TEST(Paella, DeficitsForceAStarvedWorkload) {
  // A is always shorter. F = 2, both queues never empty (two jobs each, one kernel at a time): each
  // A gives B half a stage. B is due after 4, then pays 1/2, so that every second stage is B's:
  // deficits of B: 0.5 1 1.5 2 -> B: 1.5, A: 2 -> B: 1.5, ..
  StageBench bench("paella", params(2), {model_of(50, 1), model_of(50, 100)});
  bench.arrive(0);  // launched at once: nothing else is queued, no deficit
  bench.arrive(0);
  bench.arrive(1);
  bench.arrive(1);
  for (int i = 0; i < 9; ++i) bench.finish();
  EXPECT_EQ(bench.trace, "AAAAABABAB");
}

TEST(Paella, AnEmptyQueueForgivesTheDeficit) {
  // One job of B: when its only stage in the queue is launched the queue is empty, and what B is
  // still owed (1.5) is forgotten; it has to earn 2 again. A's own -1.5 stays.
  StageBench bench("paella", params(2), {model_of(50, 1), model_of(50, 100)});
  bench.arrive(0);
  bench.arrive(0);
  bench.arrive(1);
  for (int i = 0; i < 12; ++i) bench.finish();
  EXPECT_EQ(bench.trace, "AAAAABAAAABAA");
}

TEST(Paella, ExtraKernelsAreLaunchedWithoutRoomAndCountedUntilTheyBegin) {
  // The device holds one kernel; two more may be launched. The fourth waits until one of them has
  // begun.
  StageBench bench("paella", params(1e6, 2), {model_of(1, 10)});
  std::vector<JobId> jobs;
  for (int i = 0; i < 5; ++i) jobs.push_back(bench.arrive(0));
  EXPECT_EQ(bench.trace.size(), 3U);
  bench.started(jobs[1], 0);
  EXPECT_EQ(bench.trace.size(), 4U);
}

TEST(Paella, AKernelThatNeverFitsIsAnExtraOne) {
  // 5 blocks on a device that holds one: only the extra kernels let it run.
  StageBench bench("paella", params(1e6, 1), {model_of(2, 10, 5)});
  bench.arrive(0);
  bench.arrive(0);
  EXPECT_EQ(bench.trace.size(), 1U);
  for (int i = 0; i < 4; ++i) {
    ASSERT_FALSE(bench.running.empty());
    bench.finish();
  }
  EXPECT_EQ(bench.trace.size(), 4U);
}

}  // namespace
}  // namespace tangram
