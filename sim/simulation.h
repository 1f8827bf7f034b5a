// Runs a scenario on the simulated devices.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "sim/results/result.h"
#include "sim/scenario/scenario.h"

namespace tangram {

struct RunOptions {
  std::uint64_t replication = 0;  // distinguishes the random streams of replications of one seed
  unsigned threads = 1;           // for parts of the scenario that cannot affect each other
  bool split = true;              // off: simulate those parts together, which must change nothing
  // Called now and then with the simulated share of the run in [0, 1]; may throw to stop the run.
  std::function<void(double)> progress;
};

// Replays the arrivals against the dispatcher on the plan. Same scenario, seed and replication:
// same result to the last bit, whatever the number of threads.
RunResult simulate(const Scenario& scenario, const Plan& plan, const RunOptions& options = {});

}  // namespace tangram
