// Small scenarios for the engine's tests: three executors, short batches, a second or less.
#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "engine/emulated.h"
#include "engine/runtime.h"
#include "policies/registry.h"
#include "sim/scenario/plan_of_scenario.h"

namespace tangram {

inline constexpr const char* kThreeWorkloads = R"json({
  "schema": 1, "name": "engine", "seed": 7, "duration_s": 0.5, "warmup_s": 0.05,
  "profiles": [
    {"model": "small", "gpu": "ideal",
     "latency": {"fixed_ms": 1, "per_item_ms": 0.1, "max_batch": 16},
     "variability": {"kind": "exponential"}},
    {"model": "large", "gpu": "ideal",
     "latency": {"fixed_ms": 3, "per_item_ms": 0.5, "max_batch": 16}}],
  "cluster": {"gpus": [{"type": "ideal", "count": 3}]},
  "workloads": [
    {"model": "small", "slo_ms": 20, "arrivals": {"process": "poisson", "rate_rps": 300}},
    {"name": "bursty", "model": "small", "slo_ms": 60,
     "arrivals": {"process": "lognormal", "rate_rps": 100, "sigma": 1.5}},
    {"model": "large", "slo_ms": 80, "arrivals": {"process": "constant", "rate_rps": 100}}],
  "outputs": {"requests": true}})json";

inline Scenario three_workloads(const std::vector<Override>& overrides = {}) {
  return parse_scenario(kThreeWorkloads, "engine test", ".", overrides);
}

inline Plan plan_of(const Scenario& scenario) {
  std::vector<std::string> notes;
  return make_plan(scenario, notes);
}

// Both models known on the whole GPU and on shares of 25, 50 and 75 %, one item at a time.
inline std::vector<Override> percent_profiles() {
  const std::string points = R"({"points": [
    {"batch": 1, "latency_ms": 4}, {"share_pct": 25, "batch": 1, "latency_ms": 16},
    {"share_pct": 50, "batch": 1, "latency_ms": 8}, {"share_pct": 75, "batch": 1, "latency_ms": 5}]})";
  return {{"/profiles/0/latency", points}, {"/profiles/1/latency", points}};
}

struct RecordedRun {
  Scenario scenario;
  Plan plan;
  MessageLog log;
  EngineRun run;
};

inline RecordedRun run_recorded_on(Backend& backend,
                                   const Scenario& scenario,
                                   const Plan& plan,
                                   EngineOptions options = {}) {
  RecordedRun recorded{scenario, plan, {}, {}};
  options.log = &recorded.log;
  recorded.run = run_engine(recorded.scenario, recorded.plan, backend, options);
  return recorded;
}

inline RecordedRun run_recorded(const Scenario& scenario,
                                std::vector<InjectedLoss> losses = {},
                                std::stop_token stop = {}) {
  EmulatedBackend backend(scenario, StreamKey(scenario.seed).with(0), std::move(losses));
  EngineOptions options;
  options.stop = std::move(stop);
  return run_recorded_on(backend, scenario, plan_of(scenario), options);
}

// The log's first difference to a replay through a fresh Host and policy.
inline std::optional<std::string> replayed(const RecordedRun& recorded, const MessageLog& log) {
  const Scenario& scenario = recorded.scenario;
  const Deployment deployment =
      deploy(recorded.plan, scenario.workloads, scenario.profiles, scenario.routing);
  const auto dispatcher =
      find_dispatcher(scenario.dispatcher.name)->make(scenario.dispatcher.params);
  return replay(log, deployment, *dispatcher, scenario.device.depth);
}

// Every request that arrived has one row; rows and counters tell the same story, and time goes
// forward along every row.
inline void expect_all_accounted_for(const Scenario& scenario, const RunResult& result) {
  std::map<std::uint32_t, WorkloadMetrics> counted;
  std::map<std::uint32_t, std::uint64_t> open;
  const RequestRow* before = nullptr;
  for (const RequestRow& row : result.requests) {
    if (before != nullptr) {
      EXPECT_LT(before->id, row.id);
    }
    before = &row;
    if (row.finish >= 0 && row.executor >= 0) {  // an application itself runs nowhere
      EXPECT_LE(row.arrival, row.dispatch);
      EXPECT_LE(row.dispatch, row.start);
      EXPECT_LE(row.start, row.finish);
    }
    if (row.arrival < from_seconds(scenario.warmup_s).count()) continue;
    WorkloadMetrics& metrics = counted[row.id.workload().value()];
    ++metrics.offered;
    metrics.completed += row.outcome < 2 ? 1 : 0;
    metrics.late += row.outcome == 1 ? 1 : 0;
    open[row.id.workload().value()] += row.outcome == 2 ? 1 : 0;
    if (row.outcome > 2) ++metrics.dropped[row.outcome - 3U];
  }
  for (std::uint32_t w = 0; w < result.metrics.size(); ++w) {
    SCOPED_TRACE(result.workloads[w].name);
    EXPECT_EQ(result.metrics[w].offered, counted[w].offered);
    EXPECT_EQ(result.metrics[w].completed, counted[w].completed);
    EXPECT_EQ(result.metrics[w].late, counted[w].late);
    EXPECT_EQ(result.metrics[w].dropped, counted[w].dropped);
    // unfinished() is the difference of the counters; the rows count it themselves.
    EXPECT_EQ(result.metrics[w].unfinished(), open[w]);
  }
}

inline std::uint64_t unfinished(const RunResult& result) {
  std::uint64_t n = 0;
  for (const WorkloadMetrics& metrics : result.metrics) n += metrics.unfinished();
  return n;
}

}  // namespace tangram
