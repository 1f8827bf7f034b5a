// What a run on block devices measures, per workload and job; the counterpart of Recorder, whose
// executors run one batch at a time. Jobs overlap, so each takes a lane of its executor.
#pragma once

#include <cstdint>
#include <functional>
#include <queue>
#include <string>
#include <vector>

#include "sim/results/metrics.h"

namespace tangram {

// One request from arrival to answer.
struct JobRecord {
  RequestId id;
  TimePoint arrival;  // intended
  TimePoint decided;  // read by the server
  TimePoint start;    // first launch
  TimePoint end;
  Duration alone{};
  std::uint32_t lane = 0;
};

class BlockMetrics {
 public:
  // The requests of applications[a] have the workload id of the deployment's workloads + a.
  BlockMetrics(const Deployment& deployment,
               const RecorderOptions& options,
               const std::vector<ApplicationLoad>& applications);

  void arrived(WorkloadId workload, TimePoint arrival) {
    if (arrival >= options_.warmup) ++workloads_[workload.index()].offered;
  }
  void dropped(RequestId id, TimePoint arrival, DropReason reason);
  // The lowest lane of the executor that no job uses, and its return.
  std::uint32_t take_lane(ExecutorId executor);
  void finished(const JobRecord& job);
  // A request of an application is completed.
  void completed(const Request& request, TimePoint end, const PathTime& path);
  // A job that was under way at the end of the run, and one that was not.
  void abandoned(std::uint32_t lane, TimePoint start, TimePoint end);
  void unfinished(RequestId id, TimePoint arrival);
  // A device of the GPU has, or no longer has, a block or copy on it.
  void busy(std::uint32_t gpu, bool is_busy, TimePoint now);

  const std::vector<WorkloadMetrics>& workloads() const { return workloads_; }
  BusyTime busy_time(TimePoint end) const;
  std::vector<std::string> lane_names() const;
  std::vector<std::uint32_t> gpu_of_lane() const;
  std::vector<RequestRow>& rows() { return rows_; }
  std::vector<BatchSpan>& spans() { return spans_; }

 private:
  struct Lane {
    ExecutorId executor;
    std::uint32_t number = 0;
    Duration busy{};
  };
  struct Gpu {
    std::uint32_t busy_devices = 0;
    TimePoint since;
    Duration busy{};
  };
  using Least = std::priority_queue<std::uint32_t, std::vector<std::uint32_t>, std::greater<>>;
  Duration inside_window(TimePoint start, TimePoint end) const {
    const TimePoint from = std::max(start, options_.warmup);
    const TimePoint to = std::min(end, options_.duration);
    return to > from ? to - from : Duration{};
  }

  const Deployment* deployment_;
  RecorderOptions options_;
  std::vector<WorkloadMetrics> workloads_;  // those of applications after the deployment's
  std::vector<Duration> application_slos_;
  std::vector<Lane> lanes_;
  std::vector<Least> free_;          // lanes, by executor
  std::vector<std::uint32_t> made_;  // lanes, by executor
  std::vector<Gpu> gpus_;
  std::vector<RequestRow> rows_;
  std::vector<BatchSpan> spans_;
};

}  // namespace tangram
