#include "engine/runtime.h"

#include <algorithm>

#include <fmt/format.h>

#include "engine/dispatch_loop.h"
#include "policies/registry.h"
#include "sim/core/error.h"

namespace tangram {
namespace {

// The clock starts this long after everybody is ready, so that the first arrivals find all threads
// asleep at their posts.
constexpr Duration kHeadStart = std::chrono::milliseconds(20);

double to_us(Duration d) {
  return static_cast<double>(d.count()) / 1e3;
}

// Closes a backend on every way out.
class CloseAtExit {
 public:
  explicit CloseAtExit(Backend& backend) : backend_(backend) {}
  ~CloseAtExit() { backend_.close(); }
  CloseAtExit(const CloseAtExit&) = delete;
  CloseAtExit& operator=(const CloseAtExit&) = delete;

 private:
  Backend& backend_;
};

std::string micros(const Histogram& histogram) {
  if (histogram.count() == 0) return "none";
  return fmt::format("{:.1f} / {:.1f} us p50 / p99", to_us(histogram.quantile(0.5)),
                     to_us(histogram.quantile(0.99)));
}

void add_notes(const EngineRun& run, const Scenario& scenario, std::vector<std::string>& notes) {
  notes.push_back("runtime: intake and decision " + micros(run.costs.decide) + " over " +
                  std::to_string(run.costs.decide.count()) + " instants; timers late by " +
                  micros(run.costs.timer_lag) + "; requests sent late by " +
                  micros(run.costs.load_lag));
  if (run.stopped) {
    notes.push_back(fmt::format("stopped after {:.1f} s of {} s: figures are of what ran",
                                run.result.simulated_s, scenario.duration_s));
  }
}

RunResult describe_run(const Scenario& scenario, const Plan& plan, const Deployment& deployment) {
  RunResult result;
  result.scenario = scenario.name;
  result.scenario_text = scenario.text;
  result.routing = routing_names()[static_cast<std::size_t>(scenario.routing)];
  result.dispatcher = scenario.dispatcher.name;
  result.seed = scenario.seed;
  result.plan = plan;
  result.workloads = counted_workloads(scenario);
  result.notes = scenario.notes;
  for (std::size_t e = 0; e < deployment.executors.size(); ++e) {
    result.executor_names.push_back(executor_name(deployment, ExecutorId(e)));
    result.gpu_of_executor.push_back(deployment.executors[e].gpu.value());
  }
  return result;
}

void add_measurements(DispatchLoop& loop, const Scenario& scenario, RunResult& result) {
  result.simulated_s = to_seconds(loop.now() - kStart);
  const double end_s =
      loop.stopped() ? std::min(result.simulated_s, scenario.duration_s) : scenario.duration_s;
  result.measured_s = std::max(0.0, end_s - scenario.warmup_s);
  result.events = loop.events();
  result.host = loop.host().counters();
  result.metrics = loop.recorder().workloads();
  result.busy = loop.recorder().busy();
  result.requests = std::move(loop.recorder().rows());
  std::sort(result.requests.begin(), result.requests.end(),
            [](const RequestRow& a, const RequestRow& b) { return a.id < b.id; });
  result.timeline = std::move(loop.recorder().spans());
  std::sort(result.timeline.begin(), result.timeline.end(),
            [](const BatchSpan& a, const BatchSpan& b) {
              return a.start != b.start ? a.start < b.start : a.executor < b.executor;
            });
  result.notes.insert(result.notes.end(), loop.notes().begin(), loop.notes().end());
}

}  // namespace

EngineRun run_engine(const Scenario& scenario,
                     const Plan& plan,
                     Backend& backend,
                     const EngineOptions& options) {
  Deployment deployment = deploy(plan, scenario.workloads, scenario.believed(), scenario.routing);
  manage_weights(deployment, scenario.cluster, scenario.profiles, scenario.device.weights);
  const DispatcherEntry* entry = find_dispatcher(scenario.dispatcher.name);
  TANGRAM_CHECK(entry != nullptr, "unknown dispatcher ", scenario.dispatcher.name);
  const std::unique_ptr<Dispatcher> dispatcher = entry->make(scenario.dispatcher.params);
  return run_engine(scenario, plan, deployment, *dispatcher, backend, options);
}

EngineRun run_engine(const Scenario& scenario,
                     const Plan& plan,
                     const Deployment& deployment,
                     Dispatcher& dispatcher,
                     Backend& backend,
                     const EngineOptions& options) {
  if (deployment.weights.managed() && !backend.loads_weights()) {
    throw ConfigError("/device/weights", "the backend " + backend.name() +
                                             " holds all weights from the start and loads none "
                                             "during a run; leave this key out, or take emulated");
  }
  const auto began = RealClock::Steady::now();
  const PreciseTimers precise;
  const StreamKey key = StreamKey(scenario.seed).with(options.replication);
  EngineRun run;
  run.result = describe_run(scenario, plan, deployment);
  RealClock clock;
  Inbox inbox;
  DispatchLoop loop(scenario, deployment, dispatcher, key, options);
  LoadGenerator load(counted_workloads(scenario), key,
                     {kStart + from_seconds(scenario.duration_s), scenario.network, scenario.drain},
                     clock, inbox);
  // Stops the executors before what they refer to goes away, also when the policy throws.
  const CloseAtExit close_backend(backend);
  backend.open(deployment, clock, inbox);
  clock.start_at(RealClock::Steady::now() + kHeadStart);
  load.start();
  loop.run(clock, inbox, load, backend);
  load.stop();
  backend.close();
  loop.settle(inbox);

  add_measurements(loop, scenario, run.result);
  const std::vector<std::string> granted = backend.granted();
  run.result.notes.insert(run.result.notes.end(), granted.begin(), granted.end());
  run.result.runtime = backend.name();
  run.result.device = backend.name();
  run.stopped = loop.stopped();
  run.costs = std::move(loop.costs());
  run.costs.load_lag = load.lag();
  add_notes(run, scenario, run.result.notes);
  run.result.wall_s = std::chrono::duration<double>(RealClock::Steady::now() - began).count();
  return run;
}

}  // namespace tangram
