// Whole simulations in process: Host, policy, rate device, every metric on. Items are requests.
#include <benchmark/benchmark.h>

#include "policies/registry.h"
#include "sim/scenario/plan_of_scenario.h"
#include "sim/simulation.h"

namespace tangram {
namespace {

// One model on `servers` whole GPUs; latency fixed + per_item * batch.
Scenario serving(const std::string& dispatcher,
                 std::uint32_t servers,
                 double rate_rps,
                 Profile::Linear latency,
                 Variability::Kind variability,
                 double requests) {
  Scenario scenario;
  scenario.duration_s = requests / rate_rps;
  Profile profile;
  profile.model = "unit";
  profile.gpu = "ideal";
  profile.linear = latency;
  profile.variability.kind = variability;
  scenario.profiles.add(profile);
  scenario.cluster.gpus = {{"ideal", servers}};
  Workload workload;
  workload.name = workload.model = "unit";
  workload.slo = from_ms(100);
  workload.arrivals.rate_rps = rate_rps;
  scenario.workloads = {workload};
  scenario.dispatcher = {dispatcher, default_params(find_dispatcher(dispatcher)->info)};
  scenario.planner = {"exclusive", default_params(find_planner("exclusive")->info)};
  return scenario;
}

void run(benchmark::State& state, const Scenario& scenario) {
  std::vector<std::string> notes;
  const Plan plan = make_plan(scenario, notes);
  std::int64_t requests = 0;
  for (auto _ : state) {
    const RunResult result = simulate(scenario, plan);
    requests += static_cast<std::int64_t>(result.metrics[0].offered);
    state.counters["mean_ms"] = result.metrics[0].latency.mean_ns() * 1e-6;
  }
  state.SetItemsProcessed(requests);
  state.counters["ns_per_request"] =
      benchmark::Counter(static_cast<double>(requests) * 1e-9,
                         benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
}

// M/M/c FIFO, rho 0.8, mean service 1 ms.
void BM_Fifo(benchmark::State& state) {
  const auto servers = static_cast<std::uint32_t>(state.range(0));
  run(state,
      serving("fifo", servers, 800.0 * servers, {1, 0, 1}, Variability::Kind::kExponential, 1e6));
}
BENCHMARK(BM_Fifo)->Arg(1)->Arg(8)->Unit(benchmark::kMillisecond);

// Workload C: one server, batches up to 32, 2 + 0.25 n ms, Poisson 2.56 per ms.
void BM_Batching(benchmark::State& state, const std::string& dispatcher) {
  run(state, serving(dispatcher, 1, 2560, {2, 0.25, 32}, Variability::Kind::kNone, 2e6));
}
BENCHMARK_CAPTURE(BM_Batching, eager, std::string("eager"))->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace tangram

BENCHMARK_MAIN();
