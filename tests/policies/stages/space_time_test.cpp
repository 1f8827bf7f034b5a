// Space-time scheduling's decisions on hand-worked traces.
#include <gtest/gtest.h>

#include "tests/policies/stages/stage_bench.h"

namespace tangram {
namespace {

TEST(SpaceTime, RequestsThatWaitForTheSameKernelShareALaunch) {
  StageBench bench("space_time", Json::object(), {model_of(2, 10)});
  const JobId first = bench.arrive(0);
  EXPECT_EQ(bench.decided(), "A0.0");
  const JobId second = bench.arrive(0);
  const JobId third = bench.arrive(0);
  EXPECT_EQ(bench.decided(), "");
  // Two wait for kernel 0, one for kernel 1.
  bench.finish(first);
  EXPECT_EQ(bench.decided(), "A1.0+A2.0");
  // The launch is over when both are; then all three wait for kernel 1.
  bench.finish(second);
  EXPECT_EQ(bench.decided(), "");
  bench.finish(third);
  EXPECT_EQ(bench.decided(), "A0.1+A1.1+A2.1");
}

TEST(SpaceTime, ALaunchHasMaxMergeRequestsAndOfEqualsTheFurthestGoesFirst) {
  StageBench bench("space_time", {{"max_merge", 2}}, {model_of(2, 10)});
  for (int i = 0; i < 4; ++i) bench.arrive(0);
  EXPECT_EQ(bench.decided(), "A0.0");
  bench.finish();  // kernel 0: three wait, of which two count; kernel 1: one
  EXPECT_EQ(bench.decided(), "A1.0+A2.0");
  bench.finish();
  bench.finish();  // kernel 0: one; kernel 1: three, of which two
  EXPECT_EQ(bench.decided(), "A0.1+A1.1");
  bench.finish();
  bench.finish();  // one each
  EXPECT_EQ(bench.decided(), "A2.1");
  bench.finish();
  EXPECT_EQ(bench.decided(), "A3.0");
  bench.finish();
  EXPECT_EQ(bench.decided(), "A3.1");
}

TEST(SpaceTime, WorkloadsRunSideBySideAndAreNotMerged) {
  StageBench bench("space_time", Json::object(), {model_of(1, 10), model_of(1, 10)});
  const JobId a = bench.arrive(0);
  const JobId b = bench.arrive(1);
  bench.arrive(0);
  bench.arrive(1);
  EXPECT_EQ(bench.decided(), "A0.0 B0.0");
  bench.finish(b);
  EXPECT_EQ(bench.decided(), "B1.0");
  bench.finish(a);
  EXPECT_EQ(bench.decided(), "A1.0");
}

TEST(SpaceTime, SeveralLaunchesOfAWorkloadWhereTheyAreAllowed) {
  StageBench bench("space_time", {{"parallel", 2}}, {model_of(1, 10)});
  for (int i = 0; i < 4; ++i) bench.arrive(0);
  EXPECT_EQ(bench.decided(), "A0.0 A1.0");
  bench.finish();
  EXPECT_EQ(bench.decided(), "A2.0+A3.0");
}

}  // namespace
}  // namespace tangram
