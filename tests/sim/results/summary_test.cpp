#include "sim/results/summary.h"

#include <array>

#include <gtest/gtest.h>

#include "sample_run.h"

namespace tangram {
namespace {

Json summary_of_sample() {
  const RunResult run = sample_run();
  return summarize(std::span(&run, 1));
}

TEST(Summary, CountsAndRatesAreThoseOfTheRun) {
  const Json a = summary_of_sample()["workloads"]["a"];
  EXPECT_EQ(a["offered"], 10);
  EXPECT_EQ(a["completed"], 9);
  EXPECT_EQ(a["late"], 1);
  EXPECT_EQ(a["dropped"], 1);
  EXPECT_EQ(a["dropped_by"]["deadline"], 1);
  EXPECT_EQ(a["dropped_by"]["unserved"], 0);
  EXPECT_EQ(a["unfinished"], 0);
  EXPECT_EQ(a["slo_attainment"], 0.8);  // 8 good of 10 offered
  EXPECT_EQ(a["good_rate_rps"], 0.8);   // in 10 s
  EXPECT_EQ(a["throughput_rps"], 0.9);
  EXPECT_EQ(a["batch_mean"], 3.0);
}

TEST(Summary, PercentilesAreNearestRankInMilliseconds) {
  const Json latency = summary_of_sample()["workloads"]["a"]["latency_ms"];
  // Nine samples: rank ceil(0.5 * 9) = 5 is 20 ns, ceil(0.9 * 9) = 9 is the one of 100 ns.
  EXPECT_EQ(latency["p50"], 20e-6);
  EXPECT_EQ(latency["p90"], 100e-6);
  EXPECT_EQ(latency["max"], 100e-6);
  EXPECT_DOUBLE_EQ(latency["mean"].get<double>(), 260e-6 / 9);
}

TEST(Summary, TheFourPartsAddUpToTheMeanLatency) {
  const Json a = summary_of_sample()["workloads"]["a"];
  const Json& parts = a["parts_ms"];
  EXPECT_DOUBLE_EQ(parts["interference"].get<double>(), 27e-6 / 9);
  EXPECT_DOUBLE_EQ(parts["execution"].get<double>(), (135e-6 - 27e-6) / 9);
  double sum = 0;
  for (const auto& [name, part] : parts.items()) sum += part.get<double>();
  EXPECT_NEAR(sum, a["latency_ms"]["mean"].get<double>(), 1e-18);
  // 135 ns where alone it would have been 108.
  EXPECT_DOUBLE_EQ(a["slowdown"].get<double>(), 1.25);
}

TEST(Summary, AWorkloadNobodyAskedForHasFiniteFigures) {
  const Json b = summary_of_sample()["workloads"]["b"];
  EXPECT_EQ(b["slo_attainment"], 1);
  EXPECT_EQ(b["latency_ms"]["p99"], 0);
  EXPECT_EQ(b["batch_mean"], 0);
  EXPECT_EQ(b["slowdown"], 1);
  EXPECT_EQ(b.dump().find("null"), std::string::npos);
}

TEST(Summary, TotalHasTheKeysOfAWorkloadAndFairnessLeavesOutWhoWasNotAsked) {
  const Json summary = summary_of_sample();
  for (const auto& [key, value] : summary["workloads"]["a"].items()) {
    EXPECT_TRUE(summary["total"].contains(key)) << key;
  }
  EXPECT_EQ(summary["total"]["offered"], 10);
  EXPECT_EQ(summary["total"]["fairness"], 1);
}

TEST(Summary, GpusAreThoseOfThePlan) {
  const Json gpus = summary_of_sample()["gpus"];
  EXPECT_EQ(gpus["used"], 1);
  EXPECT_EQ(gpus["busy_fraction"], 0.4);  // 4 of 10 s
  EXPECT_EQ(gpus["list"][0]["type"], "ideal");
}

TEST(Summary, OneRunHasNoIntervals) {
  EXPECT_FALSE(summary_of_sample().contains("replications"));
}

TEST(Summary, ReplicationsArePooledAndGiveIntervals) {
  std::array<RunResult, 2> runs{sample_run(), sample_run()};
  runs[1].metrics[0].late = 3;  // attainment 0.6 in place of 0.8
  const Json summary = summarize(runs);
  EXPECT_EQ(summary["total"]["offered"], 20);
  EXPECT_EQ(summary["total"]["slo_attainment"], 0.7);
  EXPECT_EQ(summary["total"]["throughput_rps"], 0.9);
  EXPECT_EQ(summary["gpus"]["busy_fraction"], 0.4);
  EXPECT_EQ(summary["measured_s"], 20);
  // Mean 0.7, s = 0.1414, n = 2, t(1) = 12.706205: half width = t s / sqrt(2) = t * 0.1.
  const Json& interval = summary["replications"]["total"]["slo_attainment"];
  EXPECT_DOUBLE_EQ(interval["mean"].get<double>(), 0.7);
  EXPECT_NEAR(interval["half_width"].get<double>(), 1.2706205, 1e-12);
  EXPECT_EQ(summary["replications"]["workloads"]["a"]["latency_ms"]["p50"]["half_width"], 0);
}

// The first uses GPU 0 for 4 s, the second GPU 0 for 4 s and then GPU 3 for 2 s, of 10 s each: 10 s
// of work in 1 * 10 s + 1.5 * 10 s of GPUs.
TEST(Summary, ReplicationsThatPlanAgainMayUseOtherGpus) {
  std::array<RunResult, 2> runs{sample_run(), sample_run()};
  runs[0].replanning = ReplanningCounts{2, 1, 1, 0, 1, 1};
  runs[1].replanning = ReplanningCounts{3, 1, 2, 4, 1.5, 2};
  runs[1].plan.gpus.push_back({3, "ideal", GpuMode::kWhole, {}});
  runs[1].busy.gpus.push_back(from_seconds(2));
  const Json summary = summarize(runs);
  EXPECT_EQ(summary["replanning"]["plans"], 5);
  EXPECT_EQ(summary["replanning"]["kept"], 2);
  EXPECT_EQ(summary["replanning"]["reconfigurations"], 3);
  EXPECT_EQ(summary["replanning"]["rebuilt_partitions"], 4);
  EXPECT_EQ(summary["replanning"]["gpus_mean"], 1.25);
  EXPECT_EQ(summary["replanning"]["gpus_most"], 2);
  ASSERT_EQ(summary["gpus"]["list"].size(), 2u);
  EXPECT_EQ(summary["gpus"]["list"][1]["index"], 3);
  EXPECT_DOUBLE_EQ(summary["gpus"]["list"][1]["busy_fraction"].get<double>(), 2.0 / 20);
  EXPECT_DOUBLE_EQ(summary["gpus"]["busy_fraction"].get<double>(), 10.0 / (1.25 * 20));
  EXPECT_FALSE(summary_of_sample().contains("replanning"));
}

TEST(Summary, NumbersReadBackExactly) {
  RunResult run = sample_run();
  run.measured_s = 1.0 / 3;
  const Json summary = summarize(std::span(&run, 1));
  EXPECT_EQ(Json::parse(summary.dump(2)), summary);
}

TEST(Summary, ListsWhatIsUnservedLostAndNoted) {
  RunResult run = sample_run();
  run.plan.unserved.push_back({"b", 12.5, "no GPU is left"});
  run.plan.lost = {"b on 2g"};
  run.notes = {"assumed a factor of 1"};
  const Json summary = summarize(std::span(&run, 1));
  EXPECT_EQ(summary["unserved"][0]["rate_rps"], 12.5);
  EXPECT_EQ(summary["lost"][0], "b on 2g");
  EXPECT_EQ(summary["notes"][0], "assumed a factor of 1");
}

}  // namespace
}  // namespace tangram
