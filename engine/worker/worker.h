// The loop of a worker process: lanes that run what the engine sends, one thread each.
#pragma once

#include <vector>

#include "engine/worker/protocol.h"
#include "engine/worker/runner.h"

namespace tangram {

// Serves the engine at the other end until it says close or is gone; returns the process's exit
// status: 0, or 3 when the worker could not start or its device was lost. `runners` are those that
// this program has. A batch in which a lane runs out of memory is refused (kLost) and the lane goes
// on; a lane whose every batch runs out of memory, kMostFailures in a row, is given up, because its
// requests would come back for ever.
int serve(Channel& engine, const std::vector<RunnerEntry>& runners);
inline constexpr std::uint32_t kMostFailures = 8;

// main() of a worker program: checks that an engine started it, ties its life to the engine's, and
// serves on the descriptor kWorkerSocket.
int worker_main(int argc, char** argv, const std::vector<RunnerEntry>& runners);
// Where a worker finds its end of the channel.
inline constexpr int kWorkerSocket = 3;

}  // namespace tangram
