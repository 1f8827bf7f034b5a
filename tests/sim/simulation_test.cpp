// Same seed, same bits: over reruns, threads and the splitting of the cluster; and what a seed's
// streams depend on.
#include "sim/simulation.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/sim/fixture.h"

namespace tangram {
namespace {

using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::Ge;
using ::testing::Le;
using ::testing::Not;
using ::testing::SizeIs;

// Everything that a run leaves behind but for the time it took, as text: compared bit by bit.
std::string bits_of(const RunResult& result) {
  std::string text;
  const auto put = [&text](auto... values) {
    ((text += std::to_string(values) + ' '), ...);
    text += '\n';
  };
  for (const WorkloadMetrics& m : result.metrics) {
    put(m.offered, m.completed, m.late, m.batches, m.batch_items,
        static_cast<std::int64_t>(m.batch_wait), static_cast<std::int64_t>(m.interference));
    for (const std::uint64_t dropped : m.dropped) put(dropped);
    for (const Histogram* histogram : {&m.latency, &m.wait, &m.exec}) {
      put(static_cast<std::uint64_t>(histogram->sum()), histogram->max().count());
      for (const Histogram::Bin& bin : histogram->bins()) put(bin.lower, bin.count);
    }
  }
  for (const RequestRow& row : result.requests) {
    put(row.id.value, row.arrival, row.dispatch, row.start, row.finish, row.batch_size,
        row.executor, static_cast<int>(row.outcome));
  }
  for (const BatchSpan& s : result.timeline) {
    put(s.executor.value(), s.workload.value(), s.size, s.decided.time_since_epoch().count(),
        s.start.time_since_epoch().count(), s.end.time_since_epoch().count(), s.predicted.count(),
        s.alone.count());
  }
  for (const Duration busy : result.busy.gpus) put(busy.count());
  for (const Duration busy : result.busy.executors) put(busy.count());
  for (const std::uint32_t gpu : result.gpu_of_executor) put(gpu);
  for (const std::string& name : result.executor_names) text += name + '\n';
  put(result.simulated_s, result.host.batches, result.host.refused);
  return text;
}

// Five workloads in four shards: {a, d} on GPUs 0 and 3, {b} on 1, {c} on 2, {e} nowhere.
Scenario scenario_in_shards(const std::string& dispatcher) {
  Profile m = with_scatter(linear_profile("m", "ideal", 2, 1, 8), Variability::Kind::kExponential);
  Profile n =
      with_scatter(linear_profile("n", "ideal", 1, 2, 4), Variability::Kind::kLognormal, 0.5);
  m.interference_factor = 1.1;
  n.interference_factor = 1.2;
  std::vector<Workload> workloads{workload_of("a", "m", 30, 300), workload_of("b", "n", 30, 200),
                                  workload_of("c", "m", 50, 150), workload_of("d", "n", 20, 200),
                                  workload_of("e", "m", 20, 50)};
  workloads[1].arrivals.process = ArrivalSpec::Process::kLognormal;
  workloads[2].arrivals.process = ArrivalSpec::Process::kClosedLoop;
  workloads[2].arrivals.clients = 5;
  workloads[2].arrivals.think = from_ms(10);
  Scenario scenario = scenario_of({m, n}, workloads, 1.5);
  scenario.warmup_s = 0.25;
  scenario.seed = 11;
  scenario.log_requests = scenario.log_timeline = true;
  if (!dispatcher.empty()) scenario.dispatcher = dispatcher_of(dispatcher);
  return scenario;
}

Plan plan_in_shards() {
  Plan plan;
  plan.gpus = {
      gpu_of(0, GpuMode::kMps,
             {percent_partition(100, {replica_of("a", "m", 4, 2), replica_of("d", "n", 4, 1, 1)})}),
      gpu_of(1, GpuMode::kTimeSliced, {whole_partition({replica_of("b", "n", 4, 2)})}),
      gpu_of(2, GpuMode::kWhole, {whole_partition({replica_of("c", "m", 8, 2)})}),
      gpu_of(5, GpuMode::kWhole,
             {whole_partition({replica_of("d", "n", 4), replica_of("a", "m")})})};
  plan.unserved = {{"e", 50, "no room"}};
  return plan;
}

class EveryDispatcher : public ::testing::TestWithParam<std::string> {};

TEST_P(EveryDispatcher, RerunsThreadsAndSplittingChangeNothing) {
  Scenario scenario = scenario_in_shards(GetParam());
  for (const Routing routing : {Routing::kCentral, Routing::kWeightedRandom, Routing::kWrr,
                                Routing::kShortestFinish, Routing::kDrr}) {
    scenario.routing = routing;
    for (const bool drain : {true, false}) {
      scenario.drain = drain;
      const RunResult once = run(scenario, plan_in_shards());
      EXPECT_GT(once.metrics[0].completed, 0u);
      const std::string bits = bits_of(once);
      EXPECT_EQ(bits, bits_of(run(scenario, plan_in_shards())));
      RunOptions options;
      options.threads = 2;
      EXPECT_EQ(bits, bits_of(run(scenario, plan_in_shards(), options)));
      options = {};
      options.split = false;
      EXPECT_EQ(bits, bits_of(run(scenario, plan_in_shards(), options)));
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Registered,
                         EveryDispatcher,
                         ::testing::ValuesIn(dispatcher_names()),
                         [](const auto& tested) { return tested.param; });

std::vector<std::int64_t> arrivals_of(const RunResult& result, const std::string& name) {
  std::vector<std::int64_t> arrivals;
  for (const RequestRow& row : result.requests) {
    if (result.workloads[row.id.workload().index()].name == name) arrivals.push_back(row.arrival);
  }
  return arrivals;
}

TEST(Simulation, AddingAWorkloadLeavesTheArrivalsOfTheOthers) {
  const std::vector<Profile> profiles{
      with_scatter(linear_profile("m", "ideal", 2, 1, 8), Variability::Kind::kExponential)};
  Scenario two = scenario_of(profiles, {workload_of("a", "m"), workload_of("b", "m")}, 5);
  two.log_requests = true;
  Scenario three = two;
  three.workloads.insert(three.workloads.begin(), workload_of("new", "m"));
  const RunResult before = run(two, whole_gpus(2)), after = run(three, whole_gpus(2));
  for (const char* name : {"a", "b"}) {
    EXPECT_EQ(arrivals_of(before, name), arrivals_of(after, name)) << name;
    EXPECT_THAT(arrivals_of(before, name), SizeIs(Ge(400)));
  }
  EXPECT_NE(arrivals_of(before, "a"), arrivals_of(before, "b"));
}

TEST(Simulation, SeedsAndReplicationsAreIndependentRuns) {
  const Scenario scenario = scenario_in_shards("eager");
  RunOptions second;
  second.replication = 1;
  const RunResult first = run(scenario, plan_in_shards());
  EXPECT_NE(arrivals_of(first, "a"), arrivals_of(run(scenario, plan_in_shards(), second), "a"));
  Scenario reseeded = scenario;
  reseeded.seed = 12;
  EXPECT_NE(arrivals_of(first, "a"), arrivals_of(run(reseeded, plan_in_shards()), "a"));
}

TEST(Simulation, PutsShardsBackInTheOrderOfTheScenarioAndThePlan) {
  const RunResult result = run(scenario_in_shards("eager"), plan_in_shards());
  EXPECT_THAT(result.gpu_of_executor, ElementsAre(0, 0, 0, 1, 1, 2, 2, 3));
  EXPECT_THAT(result.executor_names[7], ::testing::HasSubstr("gpu 5"));
  ASSERT_THAT(result.metrics, SizeIs(5));
  EXPECT_EQ(result.metrics[4].completed, 0u);
  EXPECT_EQ(result.metrics[4].dropped_total(), result.metrics[4].offered);
  for (std::size_t i = 1; i < result.requests.size(); ++i) {
    ASSERT_LT(result.requests[i - 1].id, result.requests[i].id);
  }
  for (const BatchSpan& span : result.timeline) {
    const std::uint32_t gpu = result.gpu_of_executor[span.executor.index()];
    const std::uint32_t w = span.workload.value();
    EXPECT_TRUE(gpu == 1 ? w == 1 : gpu == 2 ? w == 2 : w == 0 || w == 3) << gpu << ' ' << w;
  }
}

TEST(Simulation, ReportsProgressBetweenZeroAndOne) {
  Scenario scenario = scenario_of({linear_profile("m", "ideal", 0.01, 0, 1)},
                                  {workload_of("w", "m", 100, 50'000)}, 10);
  RunOptions options;
  std::vector<double> shares;
  options.progress = [&](double share) { shares.push_back(share); };
  run(scenario, whole_gpus(1), options);
  EXPECT_THAT(shares, Not(::testing::IsEmpty()));
  EXPECT_THAT(shares, Each(::testing::AllOf(Ge(0.0), Le(1.0))));
  EXPECT_TRUE(std::is_sorted(shares.begin(), shares.end()));
}

TEST(Simulation, AProgressCallThatThrowsStopsTheRun) {
  Scenario scenario =
      scenario_of({linear_profile("m", "ideal", 0.01, 0, 1)},
                  {workload_of("v", "m", 100, 50'000), workload_of("w", "m", 100, 50'000)}, 10);
  Plan plan;
  plan.gpus = {gpu_of(0, GpuMode::kWhole, {whole_partition({replica_of("v", "m")})}),
               gpu_of(1, GpuMode::kWhole, {whole_partition({replica_of("w", "m")})})};
  int calls = 0;
  RunOptions options;
  options.progress = [&](double) {
    ++calls;
    throw std::runtime_error("stop");
  };
  EXPECT_THROW(run(scenario, plan, options), std::runtime_error);
  EXPECT_EQ(calls, 1);  // the second shard was not begun
}

}  // namespace
}  // namespace tangram
