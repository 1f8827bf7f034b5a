// Runs a scenario in real time: the same Host and dispatcher as the simulator's event loop, fed by
// executors that really work and a load generator that really waits.
#pragma once

#include <cstdint>
#include <functional>
#include <stop_token>

#include "engine/backend.h"
#include "policies/message_log.h"
#include "sim/core/histogram.h"
#include "sim/results/result.h"

namespace tangram {

struct EngineOptions {
  std::uint64_t replication = 0;  // distinguishes the random streams of replications of one seed
  std::stop_token stop;           // ends the run early, with the result of what ran
  MessageLog* log = nullptr;      // records messages and decisions
  // Called a few times a second with the run's share of the time in [0, 1].
  std::function<void(double)> progress;
};

// What the runtime itself costs; a simulation of this machine has to know it.
struct RuntimeCosts {
  Histogram decide;     // taking in the messages of an instant, and the policy's decision
  Histogram timer_lag;  // from the time a timer was set to until the instant that saw it
  Histogram load_lag;   // from a request's intended arrival until it was posted
};

struct EngineRun {
  RunResult result;
  RuntimeCosts costs;
  bool stopped = false;  // by options.stop, before its end
};

// Runs the scenario on a plan that make_plan passed. The calling thread becomes the dispatcher's.
// Ends when the arrivals are over and, with `drain`, everything is answered or nothing can move any
// more.
EngineRun run_engine(const Scenario& scenario,
                     const Plan& plan,
                     Backend& backend,
                     const EngineOptions& options = {});
// The same with a dispatcher of the caller's, on the deployment of that plan.
EngineRun run_engine(const Scenario& scenario,
                     const Plan& plan,
                     const Deployment& deployment,
                     Dispatcher& dispatcher,
                     Backend& backend,
                     const EngineOptions& options = {});

}  // namespace tangram
