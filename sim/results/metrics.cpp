#include "sim/results/metrics.h"

#include <algorithm>

namespace tangram {

std::uint64_t WorkloadMetrics::dropped_total() const {
  std::uint64_t n = 0;
  for (const std::uint64_t d : dropped) n += d;
  return n;
}

void WorkloadMetrics::merge(const WorkloadMetrics& other) {
  offered += other.offered;
  completed += other.completed;
  late += other.late;
  for (std::size_t i = 0; i < dropped.size(); ++i) dropped[i] += other.dropped[i];
  latency.merge(other.latency);
  wait.merge(other.wait);
  exec.merge(other.exec);
  batch_wait += other.batch_wait;
  interference += other.interference;
  batches += other.batches;
  batch_items += other.batch_items;
}

RequestRow count_application(const Request& request,
                             TimePoint end,
                             const PathTime& path,
                             Duration slo,
                             TimePoint warmup,
                             WorkloadMetrics& metrics) {
  const Duration latency = end - request.arrival;
  const bool is_late = latency > slo;
  RequestRow row{request.id, request.arrival.time_since_epoch().count()};
  row.finish = end.time_since_epoch().count();
  row.outcome = is_late ? 1 : 0;
  if (request.arrival < warmup) return row;
  ++metrics.completed;
  metrics.late += is_late ? 1 : 0;
  metrics.latency.record(latency);
  metrics.wait.record(latency - path.exec);
  metrics.exec.record(path.exec);
  metrics.batch_wait += path.batch_wait.count();
  metrics.interference += path.interference.count();
  return row;
}

Recorder::Recorder(const Deployment& deployment,
                   const RecorderOptions& options,
                   const std::vector<ApplicationLoad>& applications)
    : deployment_(&deployment),
      options_(options),
      workloads_(deployment.workloads.size() + applications.size()),
      gpus_(deployment.gpus.size()) {
  for (const ApplicationLoad& application : applications) {
    application_slos_.push_back(application.load.slo);
  }
  std::vector<std::uint32_t> on_gpu(deployment.gpus.size());
  for (const ExecutorInfo& executor : deployment.executors) ++on_gpu[executor.gpu.index()];
  for (const ExecutorInfo& executor : deployment.executors) {
    executors_.push_back({{}, executor.gpu.value(), on_gpu[executor.gpu.index()] > 1});
  }
}

void Recorder::started(ExecutorId executor, TimePoint start) {
  if (!executors_[executor.index()].shares_gpu) return;
  GpuState& gpu = gpus_[executors_[executor.index()].gpu];
  if (gpu.running++ == 0) gpu.since = start;
}

void Recorder::completed(const Request& request, TimePoint end, const PathTime& path) {
  const std::size_t w = request.id.workload().index();
  const Duration slo = application_slos_[w - deployment_->workloads.size()];
  const RequestRow row = count_application(request, end, path, slo, options_.warmup, workloads_[w]);
  if (options_.requests) rows_.push_back(row);
}

void Recorder::abandoned(ExecutorId executor, TimePoint start, TimePoint end) {
  add_busy(executor, start, end);
}

void Recorder::count_more(const Batch& batch,
                          TimePoint start,
                          TimePoint end,
                          Duration interference) {
  std::span<const Request> rest(batch.requests);
  std::size_t in_more = 0;
  for (const Pick& pick : batch.more) in_more += pick.n;
  count(batch, batch.queue, rest.first(rest.size() - in_more), start, end, interference);
  rest = rest.last(in_more);
  for (const Pick& pick : batch.more) {
    count(batch, pick.queue, rest.first(pick.n), start, end, interference);
    rest = rest.subspan(pick.n);
  }
}

void Recorder::dropped(std::span<const Request> requests, DropReason reason) {
  for (const Request& request : requests) {
    if (options_.requests) {
      RequestRow row{request.id, request.arrival.time_since_epoch().count()};
      row.outcome = static_cast<std::uint8_t>(3 + static_cast<int>(reason));
      rows_.push_back(row);
    }
    if (request.arrival < options_.warmup) continue;
    ++workloads_[request.id.workload().index()].dropped[static_cast<std::size_t>(reason)];
  }
}

void Recorder::unfinished(const Request& request) {
  if (options_.requests) {
    rows_.push_back({request.id, request.arrival.time_since_epoch().count()});
  }
}

void Recorder::log(const Request& request,
                   const QueueInfo& queue,
                   const Batch& batch,
                   TimePoint start,
                   TimePoint end) {
  const auto ns = [](TimePoint t) { return t.time_since_epoch().count(); };
  rows_.push_back({request.id, ns(request.arrival), ns(batch.decided), ns(start), ns(end),
                   batch.size(), static_cast<std::int32_t>(batch.executor.value()),
                   static_cast<std::uint8_t>(end - request.arrival > queue.slo ? 1 : 0)});
}

BusyTime Recorder::busy() const {
  BusyTime busy;
  for (const GpuState& gpu : gpus_) busy.gpus.push_back(gpu.busy);
  for (const ExecutorState& executor : executors_) {
    busy.executors.push_back(executor.busy);
    if (!executor.shares_gpu) busy.gpus[executor.gpu] = executor.busy;
  }
  return busy;
}

}  // namespace tangram
