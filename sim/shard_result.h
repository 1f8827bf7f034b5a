// What one simulated part of a run leaves behind, and what every part needs.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "policies/dispatcher.h"
#include "sim/blocks/device.h"
#include "sim/event_loop.h"
#include "sim/results/metrics.h"
#include "sim/scenario/scenario.h"

namespace tangram {

// Indices are the part's own.
struct ShardResult {
  std::vector<std::string> executor_names;
  std::vector<std::uint32_t> gpu_of_executor;  // position among the part's GPUs
  std::vector<WorkloadMetrics> metrics;
  BusyTime busy;
  std::vector<RequestRow> rows;
  std::vector<BatchSpan> spans;
  std::vector<std::string> notes;
  HostCounters host;
  BlockDevice::Counters blocks;  // device model blocks only
  std::uint64_t events = 0;
  TimePoint end;
};

RecorderOptions recording_of(const Scenario& scenario);
std::unique_ptr<Dispatcher> make_dispatcher(const Scenario& scenario);
// Takes a finished loop's figures and logs out of it.
ShardResult collect(EventLoop& loop, const Deployment& deployment);

}  // namespace tangram
