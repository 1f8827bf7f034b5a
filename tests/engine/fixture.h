// Small scenarios for the engine's tests: three executors, short batches, a second or less.
#pragma once

#include <string>
#include <utility>
#include <vector>

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

struct RecordedRun {
  Scenario scenario;
  Plan plan;
  MessageLog log;
  EngineRun run;
};

inline RecordedRun run_recorded(Scenario scenario,
                                std::vector<InjectedLoss> losses = {},
                                std::stop_token stop = {}) {
  RecordedRun recorded{std::move(scenario), {}, {}, {}};
  recorded.plan = plan_of(recorded.scenario);
  EmulatedBackend backend(recorded.scenario, StreamKey(recorded.scenario.seed).with(0),
                          std::move(losses));
  EngineOptions options;
  options.log = &recorded.log;
  options.stop = std::move(stop);
  recorded.run = run_engine(recorded.scenario, recorded.plan, backend, options);
  return recorded;
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

}  // namespace tangram
