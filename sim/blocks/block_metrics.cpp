#include "sim/blocks/block_metrics.h"

#include "sim/results/result.h"

namespace tangram {
namespace {

std::int64_t ns(TimePoint t) {
  return t.time_since_epoch().count();
}

}  // namespace

BlockMetrics::BlockMetrics(const Deployment& deployment,
                           const RecorderOptions& options,
                           const std::vector<ApplicationLoad>& applications)
    : deployment_(&deployment),
      options_(options),
      workloads_(deployment.workloads.size() + applications.size()),
      free_(deployment.executors.size()),
      made_(deployment.executors.size()),
      gpus_(deployment.gpus.size()) {
  for (const ApplicationLoad& application : applications) {
    application_slos_.push_back(application.load.slo);
  }
}

void BlockMetrics::dropped(RequestId id, TimePoint arrival, DropReason reason) {
  if (options_.requests) {
    RequestRow row{id, ns(arrival)};
    row.outcome = static_cast<std::uint8_t>(3 + static_cast<int>(reason));
    rows_.push_back(row);
  }
  if (arrival < options_.warmup) return;
  ++workloads_[id.workload().index()].dropped[static_cast<std::size_t>(reason)];
}

std::uint32_t BlockMetrics::take_lane(ExecutorId executor) {
  Least& free = free_[executor.index()];
  if (free.empty()) {
    lanes_.push_back({executor, made_[executor.index()]++, {}});
    return static_cast<std::uint32_t>(lanes_.size() - 1);
  }
  const std::uint32_t lane = free.top();
  free.pop();
  return lane;
}

void BlockMetrics::finished(const JobRecord& job) {
  Lane& lane = lanes_[job.lane];
  free_[lane.executor.index()].push(job.lane);
  lane.busy += inside_window(job.start, job.end);
  const WorkloadId w = job.id.workload();
  const Duration latency = job.end - job.arrival;
  const bool is_late = latency > deployment_->workloads[w.index()].slo;
  if (options_.requests) {
    rows_.push_back({job.id, ns(job.arrival), ns(job.decided), ns(job.start), ns(job.end), 1,
                     static_cast<std::int32_t>(job.lane),
                     static_cast<std::uint8_t>(is_late ? 1 : 0)});
  }
  if (options_.timeline) {
    spans_.push_back(
        {ExecutorId(job.lane), w, 1, job.decided, job.start, job.end, job.alone, job.alone});
  }
  if (job.arrival < options_.warmup) return;
  WorkloadMetrics& metrics = workloads_[w.index()];
  metrics.latency.record(latency);
  metrics.wait.record(job.start - job.arrival);
  metrics.exec.record(job.end - job.start);
  metrics.late += is_late ? 1 : 0;
  metrics.batch_wait += (job.decided - job.arrival).count();
  metrics.interference += ((job.end - job.start) - job.alone).count();
  ++metrics.completed;
  ++metrics.batches;
  ++metrics.batch_items;
}

void BlockMetrics::completed(const Request& request, TimePoint end, const PathTime& path) {
  const std::size_t w = request.id.workload().index();
  const Duration slo = application_slos_[w - deployment_->workloads.size()];
  const RequestRow row = count_application(request, end, path, slo, options_.warmup, workloads_[w]);
  if (options_.requests) rows_.push_back(row);
}

void BlockMetrics::abandoned(std::uint32_t lane, TimePoint start, TimePoint end) {
  lanes_[lane].busy += inside_window(start, end);
}

void BlockMetrics::unfinished(RequestId id, TimePoint arrival) {
  if (options_.requests) rows_.push_back({id, ns(arrival)});
}

void BlockMetrics::busy(std::uint32_t gpu, bool is_busy, TimePoint now) {
  Gpu& state = gpus_[gpu];
  if (is_busy) {
    if (state.busy_devices++ == 0) state.since = now;
  } else if (--state.busy_devices == 0) {
    state.busy += inside_window(state.since, now);
  }
}

BusyTime BlockMetrics::busy_time(TimePoint end) const {
  BusyTime busy;
  for (const Lane& lane : lanes_) busy.executors.push_back(lane.busy);
  for (const Gpu& gpu : gpus_) {
    const bool is_open = gpu.busy_devices > 0;
    busy.gpus.push_back(gpu.busy + (is_open ? inside_window(gpu.since, end) : Duration{}));
  }
  return busy;
}

std::vector<std::string> BlockMetrics::lane_names() const {
  std::vector<std::string> names;
  for (const Lane& lane : lanes_) {
    names.push_back(executor_name(*deployment_, lane.executor) + " / lane " +
                    std::to_string(lane.number));
  }
  return names;
}

std::vector<std::uint32_t> BlockMetrics::gpu_of_lane() const {
  std::vector<std::uint32_t> gpus;
  for (const Lane& lane : lanes_) {
    gpus.push_back(deployment_->executors[lane.executor.index()].gpu.value());
  }
  return gpus;
}

}  // namespace tangram
