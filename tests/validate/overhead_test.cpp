#include "validate/overhead.h"

#include <gtest/gtest.h>

namespace tangram {
namespace {

BatchSpan span(double decided_ms, double start_ms, double end_ms, double predicted_ms) {
  return {ExecutorId(0),
          WorkloadId(0),
          1,
          kStart + from_ms(decided_ms),
          kStart + from_ms(start_ms),
          kStart + from_ms(end_ms),
          from_ms(predicted_ms),
          {}};
}

StoredResult result_of_timeline(std::vector<BatchSpan> timeline) {
  StoredResult result;
  result.scenario_text = R"({"warmup_s": 0.01})";
  result.executors = {"gpu 0"};
  result.runs.emplace_back().timeline = std::move(timeline);
  result.runs[0].workloads.resize(1);
  return result;
}

TEST(Overhead, IsTheWaitOfAFreeExecutorAndTheTimeBeyondTheProfile) {
  // The first began 1 ms after its decision, the second 3 ms after the first's end, at 30 ms;
  // durations are 19 and 17 ms where 18 and 15 were believed.
  const std::vector<StoredResult> real{
      result_of_timeline({span(10, 11, 30, 18), span(20, 33, 50, 15)})};
  const BatchOverhead overhead = fit_overhead(real);
  EXPECT_EQ(overhead.batches, 2U);
  EXPECT_DOUBLE_EQ(overhead.dispatch_ms, 2);     // (1 + 3) / 2
  EXPECT_DOUBLE_EQ(overhead.execution_ms, 1.5);  // (1 + 2) / 2
  EXPECT_DOUBLE_EQ(overhead.overhead_ms(), 3.5);
}

TEST(Overhead, LeavesTheWarmupOutButKnowsWhenItsBatchesEnd) {
  // The first begins before 10 ms, and frees the executor at 20 ms.
  const std::vector<StoredResult> real{
      result_of_timeline({span(1, 1, 20, 10), span(2, 21, 31, 10)})};
  const BatchOverhead overhead = fit_overhead(real);
  EXPECT_EQ(overhead.batches, 1U);
  EXPECT_DOUBLE_EQ(overhead.dispatch_ms, 1);
  EXPECT_DOUBLE_EQ(overhead.execution_ms, 0);
}

TEST(Overhead, IsFittedForEachModelApart) {
  BatchSpan other = span(30, 31, 40, 6);  // 1 ms late, 9 ms where 6 were believed
  other.workload = WorkloadId(1);
  std::vector<StoredResult> real{result_of_timeline({span(10, 11, 30, 18), other})};
  real[0].runs[0].workloads.resize(2);
  real[0].runs[0].workloads[0].model = "m";
  real[0].runs[0].workloads[1].model = "n";
  const ModelOverheads overheads = fit_overheads(real);
  ASSERT_EQ(overheads.size(), 2U);
  EXPECT_DOUBLE_EQ(overheads.at("m").execution_ms, 1);
  EXPECT_DOUBLE_EQ(overheads.at("n").execution_ms, 3);
  EXPECT_DOUBLE_EQ(overheads.at("n").dispatch_ms, 1);
}

TEST(Overhead, IsAddedToEveryLatencyOfAProfileAndItsSamples) {
  Profile profile;
  LatencyPoint point;
  point.latency_ms = 2;
  point.samples_ms = {1, 3};
  profile.points = {point};
  const Profile slower = with_overhead(profile, {1, 0.5, 1});
  EXPECT_DOUBLE_EQ(slower.points[0].latency_ms, 3.5);
  EXPECT_EQ(slower.points[0].samples_ms, (std::vector<double>{2.5, 4.5}));
  // A tenth of 1 and of 2 remain, and 3 - 2.5.
  const Profile faster = with_overhead(profile, {1, 0, -2.5});
  EXPECT_DOUBLE_EQ(faster.points[0].latency_ms, 0.2);
  EXPECT_EQ(faster.points[0].samples_ms, (std::vector<double>{0.1, 0.5}));
}

TEST(Overhead, IsNeverNegative) {
  const std::vector<StoredResult> real{result_of_timeline({span(10, 10, 15, 18)})};
  const BatchOverhead overhead = fit_overhead(real);
  EXPECT_DOUBLE_EQ(overhead.execution_ms, -13);  // 5 ms where 18 were believed
  EXPECT_EQ(overhead.overhead_ms(), 0);
  EXPECT_EQ(fit_overhead({}).overhead_ms(), 0);
}

}  // namespace
}  // namespace tangram
