#include "sim/shard_result.h"

#include "policies/registry.h"
#include "sim/results/result.h"

namespace tangram {

RecorderOptions recording_of(const Scenario& scenario) {
  return {kStart + from_seconds(scenario.warmup_s), kStart + from_seconds(scenario.duration_s),
          scenario.log_requests, scenario.log_timeline};
}

std::unique_ptr<Dispatcher> make_dispatcher(const Scenario& scenario) {
  const DispatcherEntry* entry = find_dispatcher(scenario.dispatcher.name);
  TANGRAM_CHECK(entry != nullptr, "unknown dispatcher ", scenario.dispatcher.name);
  return entry->make(scenario.dispatcher.params);
}

ShardResult collect(EventLoop& loop, const Deployment& deployment) {
  ShardResult result;
  for (std::size_t e = 0; e < deployment.executors.size(); ++e) {
    result.executor_names.push_back(executor_name(deployment, ExecutorId(e)));
    result.gpu_of_executor.push_back(deployment.executors[e].gpu.value());
  }
  result.metrics = loop.recorder().workloads();
  result.busy = loop.recorder().busy();
  result.rows = std::move(loop.recorder().rows());
  result.spans = std::move(loop.recorder().spans());
  result.notes = loop.device().notes();
  if (const auto note = loop.weights_note()) result.notes.push_back(*note);
  result.host = loop.host().counters();
  result.events = loop.events();
  result.end = loop.now();
  return result;
}

}  // namespace tangram
