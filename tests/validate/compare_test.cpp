#include "validate/compare.h"

#include <cmath>

#include <gmock/gmock.h>

namespace tangram {
namespace {

constexpr std::int64_t kMs = 1'000'000;

// One workload "a" (SLO 50 ms) over 10 s, no warm-up.
StoredResult result_of(std::vector<RequestRow> rows) {
  StoredResult result;
  result.name = "sample";
  result.scenario_text = R"({"schema": 1, "duration_s": 10})";
  result.executors = {"gpu 0"};
  StoredRun run;
  run.measured_s = 10;
  run.workloads.push_back({"a", "unit", from_ms(50), Json{{"offered", rows.size()}}, {}, {}, {}});
  run.requests = std::move(rows);
  result.runs.push_back(run);
  return result;
}

// Request `number` at `arrival` ms, alone in its batch, which takes all of the latency but 1 ms.
RequestRow done(std::uint64_t number, std::int64_t arrival, std::int64_t latency) {
  const std::int64_t at = arrival * kMs;
  return {
      RequestId::of(WorkloadId(0), number),           at, at, at + kMs, at + latency * kMs, 1, 0,
      static_cast<std::uint8_t>(latency > 50 ? 1 : 0)};
}

RequestRow dropped(std::uint64_t number, std::int64_t arrival) {
  RequestRow row{RequestId::of(WorkloadId(0), number), arrival * kMs};
  row.outcome = 3;
  return row;
}

Comparison compare_one(const StoredResult& simulated, const StoredResult& real) {
  return compare({&simulated, 1}, {&real, 1});
}

std::string fault_of(const StoredResult& simulated, const StoredResult& real) {
  try {
    compare_one(simulated, real);
  } catch (const ConfigError& error) {
    return error.what();
  }
  return "";
}

TEST(Compare, EqualWorldsHaveNoError) {
  const StoredResult world = result_of({done(0, 10, 20), done(1, 30, 60), dropped(2, 40)});
  const Comparison c = compare_one(world, world);
  for (const Metric& metric : metrics()) {
    EXPECT_EQ(c.total.simulated.*metric.value, c.total.real.*metric.value) << metric.name;
  }
  EXPECT_EQ(c.total.pairing.within_5, 1);
  EXPECT_EQ(c.total.pairing.mean_absolute_ms, 0);
}

TEST(Compare, CountsRatesAndAttainmentFollowFromTheOutcomes) {
  const StoredResult world = result_of(
      {done(0, 10, 20), done(1, 30, 60), dropped(2, 40), {RequestId::of(WorkloadId(0), 3), kMs}});
  const Figures f = compare_one(world, world).total.real;
  EXPECT_EQ(f.offered, 4);
  EXPECT_EQ(f.completed, 2);
  EXPECT_EQ(f.late, 1);
  EXPECT_EQ(f.dropped, 1);
  EXPECT_EQ(f.unfinished, 1);
  EXPECT_EQ(f.throughput_rps, 0.2);   // 2 in 10 s
  EXPECT_EQ(f.good_rate_rps, 0.1);    // 1 in 10 s
  EXPECT_EQ(f.slo_attainment, 0.25);  // 1 of 4
  EXPECT_EQ(f.mean_ms, 40);           // (20 + 60) / 2
  EXPECT_EQ(f.wait_ms, 1);
  EXPECT_EQ(f.execution_ms, 39);  // (19 + 59) / 2
}

TEST(Compare, PercentilesAreNearestRankAndExact) {
  // Latencies 1 .. 200 ms in mixed order: rank ceil(q 200) is 100, 190, 198.
  std::vector<RequestRow> rows;
  for (std::uint64_t i = 0; i < 200; ++i) {
    rows.push_back(
        done(i, static_cast<std::int64_t>(i), static_cast<std::int64_t>(i * 77 % 200) + 1));
  }
  const StoredResult world = result_of(rows);
  const Figures f = compare_one(world, world).total.simulated;
  EXPECT_EQ(f.p50_ms, 100);
  EXPECT_EQ(f.p95_ms, 190);
  EXPECT_EQ(f.p99_ms, 198);
  EXPECT_EQ(f.mean_ms, 100.5);
}

TEST(Compare, PairsRequestsByIdHoweverTheyWereServed) {
  // Real 100, 100, 100, 10; simulated 105, 90, 125, 30: off by +5 %, -10 %, +25 %, +200 %.
  const StoredResult simulated =
      result_of({done(0, 0, 105), done(1, 1, 90), done(2, 2, 125), done(3, 3, 30)});
  const StoredResult real =
      result_of({done(0, 0, 100), done(1, 1, 100), done(2, 2, 100), done(3, 3, 10)});
  const Comparison c = compare_one(simulated, real);
  const Pairing& p = c.total.pairing;
  EXPECT_EQ(p.completed, 4U);
  EXPECT_EQ(p.within_5, 0.25);  // exactly 5 % counts
  EXPECT_EQ(p.within_10, 0.5);
  EXPECT_EQ(p.within_20, 0.5);
  EXPECT_EQ(p.mean_ms, 10);           // (5 - 10 + 25 + 20) / 4
  EXPECT_EQ(p.mean_absolute_ms, 15);  // (5 + 10 + 25 + 20) / 4
  EXPECT_EQ(p.p50_ms, 5);             // rank 2 of -10, 5, 20, 25
  EXPECT_EQ(p.p95_ms, 25);
  ASSERT_EQ(c.pairs.size(), 4U);
  EXPECT_EQ(c.pairs[3].simulated, from_ms(30));
  EXPECT_EQ(c.pairs[3].real, from_ms(10));
}

TEST(Compare, AnswersAreCrossTabulated) {
  const StoredResult simulated = result_of({done(0, 0, 20), done(1, 1, 60), done(2, 2, 20)});
  const StoredResult real = result_of({done(0, 0, 20), done(1, 1, 20), dropped(2, 2)});
  const Pairing p = compare_one(simulated, real).total.pairing;
  const auto at = [&](Answer s, Answer r) {
    return p.answers[static_cast<std::size_t>(s)][static_cast<std::size_t>(r)];
  };
  EXPECT_EQ(at(Answer::kGood, Answer::kGood), 1U);
  EXPECT_EQ(at(Answer::kLate, Answer::kGood), 1U);
  EXPECT_EQ(at(Answer::kGood, Answer::kDropped), 1U);
  EXPECT_EQ(p.requests, 3U);
  EXPECT_EQ(p.completed, 2U);
}

TEST(Compare, OnlyRequestsAfterTheWarmupCount) {
  StoredResult world = result_of({done(0, 999, 20), done(1, 1'000, 40)});
  world.scenario_text = R"({"duration_s": 10, "warmup_s": 1})";
  const Comparison c = compare_one(world, world);
  EXPECT_EQ(c.total.simulated.offered, 1);
  EXPECT_EQ(c.total.simulated.mean_ms, 40);
  EXPECT_EQ(c.pairs.size(), 1U);
}

TEST(Compare, ABatchCountsOnceHoweverManyRequestsItHolds) {
  // A batch of three and a batch of one: 4 items in 2 batches.
  RequestRow a = done(0, 0, 20);
  a.batch_size = 3;
  RequestRow b = a;
  b.id = RequestId::of(WorkloadId(0), 1);
  RequestRow c = a;
  c.id = RequestId::of(WorkloadId(0), 2);
  const StoredResult world = result_of({a, b, c, done(3, 50, 10)});
  EXPECT_EQ(compare_one(world, world).total.real.batch_mean, 2);
}

TEST(Compare, BatchDurationsAreMeansBySizeAndPrediction) {
  StoredResult simulated = result_of({done(0, 0, 20)});
  StoredResult real = simulated;
  const auto span = [](std::uint32_t size, std::int64_t ms) {
    return BatchSpan{ExecutorId(0), WorkloadId(0), size,
                     kStart,        kStart,        kStart + from_ms(1.0 * double(ms)),
                     from_ms(10),   from_ms(10)};
  };
  simulated.runs[0].timeline = {span(1, 10), span(2, 10)};
  real.runs[0].timeline = {span(1, 11), span(1, 14)};
  const Comparison c = compare_one(simulated, real);
  ASSERT_EQ(c.batches.size(), 2U);
  EXPECT_EQ(c.batches[0].size, 1U);
  EXPECT_EQ(c.batches[0].predicted_ms, 10);
  EXPECT_EQ(c.batches[0].simulated_ms, 10);
  EXPECT_EQ(c.batches[0].real, 2U);
  EXPECT_EQ(c.batches[0].real_ms, 12.5);
  EXPECT_EQ(c.batches[1].real, 0U);
}

TEST(Compare, PoolsRunsButPairsInsideARun) {
  const std::vector<StoredResult> simulated{result_of({done(0, 0, 20)}),
                                            result_of({done(0, 0, 40)})};
  const std::vector<StoredResult> real{result_of({done(0, 0, 20)}), result_of({done(0, 0, 50)})};
  const Comparison c = compare(simulated, real);
  EXPECT_EQ(c.total.simulated.completed, 2);
  EXPECT_EQ(c.total.simulated.throughput_rps, 0.1);  // 2 in 20 s
  EXPECT_EQ(c.total.pairing.mean_absolute_ms, 5);    // (0 + 10) / 2
  EXPECT_EQ(c.pairs[1].point, 1U);
}

TEST(Compare, RefusesDifferentArrivals) {
  const StoredResult world = result_of({done(0, 0, 20), done(1, 10, 20)});
  EXPECT_THAT(fault_of(world, result_of({done(0, 0, 20), done(1, 11, 20)})),
              ::testing::HasSubstr("request 1 of workload \"a\" (at 0.010000 s) arrives at 0.011"));
  EXPECT_THAT(
      fault_of(world, result_of({done(0, 0, 20)})),
      ::testing::HasSubstr("request 1 of workload \"a\" (at 0.010000 s) is in the simulated"));
  EXPECT_THAT(
      fault_of(world, result_of({done(1, 10, 20)})),
      ::testing::HasSubstr("request 0 of workload \"a\" (at 0.000000 s) is in the simulated"));
  EXPECT_THAT(fault_of(result_of({done(1, 10, 20)}), world), ::testing::HasSubstr("real run only"));
}

TEST(Compare, RefusesResultsThatAreNotOfOneScenarioOrHaveNoLog) {
  const StoredResult world = result_of({done(0, 0, 20)});
  StoredResult other = world;
  other.runs[0].workloads[0].slo = from_ms(51);
  EXPECT_THAT(fault_of(world, other), ::testing::HasSubstr("same workloads"));
  StoredResult unlogged = world;
  unlogged.runs[0].requests.clear();
  EXPECT_THAT(fault_of(world, unlogged), ::testing::HasSubstr("the real run has no request log"));
  StoredResult later = world;
  later.scenario_text = R"({"warmup_s": 2})";
  EXPECT_THAT(fault_of(world, later), ::testing::HasSubstr("warm-up"));
  EXPECT_THROW(compare({}, {}), ConfigError);
}

TEST(Compare, ARelativeErrorIsOfTheRealWorld) {
  EXPECT_EQ(relative_error(11, 10), 0.1);
  EXPECT_EQ(relative_error(0, 0), 0);
  EXPECT_TRUE(std::isnan(relative_error(1, 0)));
}

}  // namespace
}  // namespace tangram
