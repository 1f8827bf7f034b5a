// Orion's decisions on hand-worked traces. The urgent workload is A.
#include <gtest/gtest.h>

#include "tests/policies/stages/stage_bench.h"

namespace tangram {
namespace {

constexpr double kUs = 100;
const StageInfo kCompute = stage_of(kUs, 1, false);
const StageInfo kMemory = stage_of(kUs, 1, true);
const Json kLong{{"duration_pct", 1e4}};  // no limit by duration

TEST(Orion, BestEffortWorkIsHeldOnceMoreThanTheLimitIsSubmitted) {
  // The limit is 10 % of 4 x 100 us = 40 us. Kernels of 15 us: 15, 30, 45 > 40, found after the
  // third is submitted. The rest goes when all three are over: 15, 30.
  StageBench bench("orion", {{"duration_pct", 10}}, {model_of(4, 100), model_of(5, 15)}, 80);
  bench.arrive(1);
  EXPECT_EQ(bench.decided(), "B0.0 B0.1 B0.2");
  bench.finish();
  bench.finish();
  EXPECT_EQ(bench.decided(), "");
  bench.finish();
  EXPECT_EQ(bench.decided(), "B0.3 B0.4");
}

TEST(Orion, BesideAnUrgentRequestOnlyKernelsOfAnotherProfile) {
  // A computes, then is bound by memory; B the other way round. B's second kernel would compute
  // beside A's first: it goes when A's second is the one that runs.
  StageBench bench("orion", kLong, {model_of({kCompute, kMemory}), model_of({kMemory, kCompute})},
                   80);
  const JobId a = bench.arrive(0);
  EXPECT_EQ(bench.decided(), "A0.0 A0.1");
  bench.arrive(1);
  EXPECT_EQ(bench.decided(), "B0.0");
  bench.finish(a);
  EXPECT_EQ(bench.decided(), "B0.1");
}

TEST(Orion, AKernelOfTooManySmsWaitsForTheEndOfTheUrgentRequest) {
  // Needs 5 SMs, the limit is 4. Of another profile than A's all the time.
  StageBench bench("orion", kLong,
                   {model_of({kCompute, kCompute}), model_of({stage_of(kUs, 5, true)})}, 4);
  const JobId a = bench.arrive(0);
  bench.arrive(1);
  bench.finish(a);
  EXPECT_EQ(bench.decided(), "A0.0 A0.1");
  bench.finish(a);
  EXPECT_EQ(bench.decided(), "B0.0");
}

// What one pass of its loop submits may need `sm_pct` of 4 SMs. B has two kernels and C one, of 2
// SMs each, all held by A's first kernel. The passes before A's second one runs have moved the turn
// to A, so that the next begins with B.
std::string decided_with(double sm_pct) {
  const StageInfo two_sms = stage_of(kUs, 2, true);
  StageBench bench(
      "orion", {{"duration_pct", 1e4}, {"sm_pct", sm_pct}},
      {model_of({kMemory, kCompute}), model_of({two_sms, two_sms}), model_of({two_sms})}, 4);
  const JobId a = bench.arrive(0);
  bench.arrive(1);
  bench.arrive(2);
  EXPECT_EQ(bench.decided(), "A0.0 A0.1");
  bench.finish(a);
  return bench.decided();
}

TEST(Orion, TheLimitOfSmsIsForOnePass) {
  // 3 SMs: B (2), then C would make 4. Pass two begins with B: its second kernel, and again not C.
  // Pass three begins with C. What still runs does not count.
  EXPECT_EQ(decided_with(75), "B0.0 B0.1 C0.0");
  // 4 SMs: both in the first pass, then B's second kernel.
  EXPECT_EQ(decided_with(100), "B0.0 C0.0 B0.1");
}

TEST(Orion, AClientServesOneRequestAtATime) {
  StageBench bench("orion", kLong, {model_of({kCompute}), model_of({kMemory})}, 80);
  bench.arrive(0);
  bench.arrive(0);
  bench.arrive(1);
  bench.arrive(1);
  EXPECT_EQ(bench.decided(), "A0.0 B0.0");
  bench.finish();
  EXPECT_EQ(bench.decided(), "A1.0");
  bench.finish();
  EXPECT_EQ(bench.decided(), "B1.0");
}

TEST(Orion, CopiesOfBestEffortRequestsAlwaysGo) {
  StageInfo copy;
  copy.kind = StageInfo::Kind::kCopyIn;
  StageBench bench("orion", kLong, {model_of({kCompute}), model_of({copy, kCompute})}, 80);
  bench.arrive(0);
  bench.arrive(1);
  EXPECT_EQ(bench.decided(), "A0.0 B0.0");
}

}  // namespace
}  // namespace tangram
