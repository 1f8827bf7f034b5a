// What a run measures, per workload: counts, latency and its parts. Memory does not grow with the
// number of requests unless the request log is asked for. Used by the simulator and the engine.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <vector>

#include "policies/application_tracker.h"
#include "policies/host.h"
#include "sim/core/histogram.h"
#include "sim/core/int128.h"

namespace tangram {

// Requests whose intended arrival lies in [warmup, duration) count. Those of an application's stage
// arrive when the stages before are answered, in the drain too. Of an application, waiting and
// execution are those of its PathTime; batches are its stages' alone.
struct WorkloadMetrics {
  std::uint64_t offered = 0;
  std::uint64_t completed = 0;
  std::uint64_t late = 0;  // a part of completed
  std::array<std::uint64_t, kDropReasons> dropped{};
  Histogram latency;  // finish - intended arrival
  Histogram wait;     // start - intended arrival
  Histogram exec;     // finish - start
  // Sums over completed requests, ns. exec includes interference.
  Int128 batch_wait = 0;    // arrival to the decision that committed the batch
  Int128 interference = 0;  // exec beyond what the same batch takes alone
  std::uint64_t batches = 0;
  std::uint64_t batch_items = 0;

  std::uint64_t dropped_total() const;
  // Decision to start on the device, summed, ns: what batch_wait leaves of the wait.
  Int128 queue() const { return static_cast<Int128>(wait.sum()) - batch_wait; }
  std::uint64_t good() const { return completed - late; }
  std::uint64_t unfinished() const { return offered - completed - dropped_total(); }
  void merge(const WorkloadMetrics& other);
};

struct RequestRow;
// Counts a completed request of an application whose SLO this is, if it arrived at or after
// `warmup`; returns its row of the request log.
RequestRow count_application(const Request& request,
                             TimePoint end,
                             const PathTime& path,
                             Duration slo,
                             TimePoint warmup,
                             WorkloadMetrics& metrics);

// One row of the request log. Times in ns since the start of the run; -1 where it never happened.
struct RequestRow {
  RequestId id;
  std::int64_t arrival = -1, dispatch = -1, start = -1, finish = -1;
  std::uint32_t batch_size = 0;
  std::int32_t executor = -1;
  // 0 good, 1 late, 2 unfinished, 3 + DropReason.
  std::uint8_t outcome = 2;
};

// One batch on one executor, for the timeline.
struct BatchSpan {
  ExecutorId executor;
  WorkloadId workload;
  std::uint32_t size = 0;
  TimePoint decided, start, end;
  Duration predicted{};
  Duration alone{};  // what it takes without neighbours; zero when not known
};

// Where and how long the GPUs worked, over [warmup, duration).
struct BusyTime {
  std::vector<Duration> executors;
  std::vector<Duration> gpus;  // at least one batch running
};

struct RecorderOptions {
  TimePoint warmup = kStart;
  TimePoint duration = kNever;
  bool requests = false;
  bool timeline = false;
};

// Watches a Host from outside. Call arrived/started/finished/dropped as the runtime learns them.
class Recorder {
 public:
  // The requests of applications[a] have the workload id of the deployment's workloads + a.
  Recorder(const Deployment& deployment,
           const RecorderOptions& options,
           const std::vector<ApplicationLoad>& applications = {});

  void arrived(WorkloadId workload, TimePoint arrival) { offered(workload, counts(arrival)); }
  // The same for several requests, `counted` of which count.
  void offered(WorkloadId workload, std::uint64_t counted) {
    workloads_[workload.index()].offered += counted;
  }
  // Whether a request that arrives then is measured: 1 or 0.
  std::uint64_t counts(TimePoint arrival) const { return arrival >= options_.warmup ? 1 : 0; }
  // A batch began on its executor. Only needed where a GPU has more than one executor.
  void started(ExecutorId executor, TimePoint start);
  // A batch is done. `alone`: what it would have taken without neighbours.
  [[gnu::always_inline]] void finished(const Batch& batch,
                                       TimePoint start,
                                       TimePoint end,
                                       Duration alone);
  // A request of an application is completed.
  void completed(const Request& request, TimePoint end, const PathTime& path);
  // A request of an application is over, one way or the other.
  void ended(const ApplicationTracker::Ended& ended) {
    if (ended.dropped) {
      dropped({&ended.request, 1}, *ended.dropped);
    } else {
      completed(ended.request, ended.end, ended.path);
    }
  }
  // A batch that began never finished: its executor was lost, or the run ended. Its time was busy.
  void abandoned(ExecutorId executor, TimePoint start, TimePoint end);
  void dropped(std::span<const Request> requests, DropReason reason);
  // The requests that were still waiting or running when the run ended.
  void unfinished(const Request& request);

  const std::vector<WorkloadMetrics>& workloads() const { return workloads_; }
  BusyTime busy() const;
  std::vector<RequestRow>& rows() { return rows_; }
  std::vector<BatchSpan>& spans() { return spans_; }

 private:
  struct ExecutorState {
    Duration busy{};
    std::uint32_t gpu = 0;
    bool shares_gpu = false;
  };
  struct GpuState {  // of a GPU with more than one executor
    std::uint32_t running = 0;
    TimePoint since;
    Duration busy{};
  };
  // Counts the requests of one workload.
  void count(const Batch& batch,
             QueueId q,
             std::span<const Request> requests,
             TimePoint start,
             TimePoint end,
             Duration interference);
  // The rest of a batch that mixes workloads.
  void count_more(const Batch& batch, TimePoint start, TimePoint end, Duration interference);
  void log(const Request& request,
           const QueueInfo& queue,
           const Batch& batch,
           TimePoint start,
           TimePoint end);
  void add_busy(ExecutorId executor, TimePoint start, TimePoint end);
  Duration inside_window(TimePoint start, TimePoint end) const {
    const TimePoint from = std::max(start, options_.warmup);
    const TimePoint to = std::min(end, options_.duration);
    return to > from ? to - from : Duration{};
  }

  const Deployment* deployment_;
  RecorderOptions options_;
  std::vector<WorkloadMetrics> workloads_;  // those of applications after the deployment's
  std::vector<Duration> application_slos_;
  std::vector<ExecutorState> executors_;
  std::vector<GpuState> gpus_;
  std::vector<RequestRow> rows_;
  std::vector<BatchSpan> spans_;
};

inline void Recorder::add_busy(ExecutorId e, TimePoint start, TimePoint end) {
  ExecutorState& executor = executors_[e.index()];
  executor.busy += inside_window(start, end);
  if (!executor.shares_gpu) [[likely]]
    return;
  GpuState& gpu = gpus_[executor.gpu];
  if (--gpu.running == 0) gpu.busy += inside_window(gpu.since, end);
}

inline void Recorder::finished(const Batch& batch, TimePoint start, TimePoint end, Duration alone) {
  add_busy(batch.executor, start, end);
  const Duration interference = (end - start) - alone;
  if (batch.more.empty()) [[likely]] {
    count(batch, batch.queue, batch.requests, start, end, interference);
  } else {
    count_more(batch, start, end, interference);
  }
  if (options_.timeline) [[unlikely]] {
    spans_.push_back({batch.executor, deployment_->queues[batch.queue.index()].workload,
                      batch.size(), batch.decided, start, end, batch.predicted, alone});
  }
}

inline void Recorder::count(const Batch& batch,
                            QueueId q,
                            std::span<const Request> requests,
                            TimePoint start,
                            TimePoint end,
                            Duration interference) {
  const QueueInfo& queue = deployment_->queues[q.index()];
  WorkloadMetrics& metrics = workloads_[queue.workload.index()];
  std::uint64_t counted = 0;
  std::int64_t held = 0;
  for (const Request& request : requests) {
    if (options_.requests) [[unlikely]]
      log(request, queue, batch, start, end);
    if (request.arrival < options_.warmup) continue;
    const Duration latency = end - request.arrival;
    metrics.latency.record(latency);
    metrics.wait.record(start - request.arrival);
    metrics.late += latency > queue.slo ? 1 : 0;
    held += (batch.decided - request.arrival).count();
    ++counted;
  }
  if (counted == 0) return;
  const auto n = static_cast<std::int64_t>(counted);
  metrics.completed += counted;
  metrics.exec.record(end - start, counted);
  metrics.batch_wait += held;
  if (interference != Duration{}) metrics.interference += interference.count() * n;
  if (q == batch.queue) {
    ++metrics.batches;
    metrics.batch_items += batch.size();
  }
}

}  // namespace tangram
