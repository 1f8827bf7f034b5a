// Simulates one shard on block devices: arrivals, admission, and a stage server per device, on one
// event queue.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "policies/application_tracker.h"
#include "policies/deployment.h"
#include "sim/blocks/block_metrics.h"
#include "sim/blocks/stage_server.h"
#include "sim/core/event_queue.h"
#include "sim/core/random.h"
#include "sim/scenario/scenario.h"
#include "workloads/network_delay.h"
#include "workloads/request_source.h"

namespace tangram {

class BlockLoop {
 public:
  // References must outlive the loop. `plan` is the shard's, which `deployment` was made from;
  // `applications` are those whose stages are workloads of the deployment, with its ids; `key` is
  // the root of the run's random streams. Throws ConfigError where a profile has no kernels.
  BlockLoop(const Scenario& scenario,
            const Plan& plan,
            const Deployment& deployment,
            const std::vector<ApplicationLoad>& applications,
            StreamKey key,
            const RecorderOptions& recording);

  // Runs to the end, as EventLoop::run does.
  void run(const std::function<void(double)>& progress);

  BlockMetrics& metrics() { return metrics_; }
  BusyTime busy_time() const { return metrics_.busy_time(horizon_); }
  BlockDevice::Counters counters() const;  // of all devices
  std::uint64_t jobs() const { return jobs_; }
  std::uint64_t messages() const;
  std::uint64_t events() const;
  TimePoint now() const { return now_; }

 private:
  // A request between its arrival and its answer.
  struct Pending {
    RequestId id;
    TimePoint arrival;   // intended
    TimePoint admitted;  // when the submitter let it in
    std::uint32_t lane = 0, next = 0;
    std::uint32_t server = 0;
    double stretch = 1;
  };
  struct Server {
    std::unique_ptr<StageServer> stage;
    std::uint32_t gpu = 0;
    bool busy = false;
  };
  struct Place {
    std::uint32_t server, slot;
  };

  void build_servers(const Plan& plan, StreamKey key);
  void arrive(std::uint32_t w);
  void leave_transit(std::uint32_t w);
  void take_in(const Request& request);
  void enter(const Request& request);
  void drop(const Request& request, DropReason reason);
  void schedule_arrival(std::uint32_t w);
  void admit();
  void begin(std::uint32_t request);
  void answer(const StageServer::Answer& answer);
  void answered(WorkloadId workload, bool unserved);
  // Starts and ends what the tracker says.
  void follow_up();
  void fire(std::uint32_t slot);
  void after(std::uint32_t server);
  bool over(TimePoint next) const;
  std::uint32_t device_slot(std::uint32_t server) const { return first_device_slot_ + 2 * server; }

  const Scenario* scenario_;
  const Deployment* deployment_;
  TimePoint horizon_;
  std::uint32_t workloads_;  // of the deployment; applications have the ids behind them
  std::uint32_t sources_count_;
  std::uint32_t first_device_slot_;  // slots: arrivals, requests in transit, devices
  std::vector<Server> servers_;
  std::vector<std::vector<Place>> places_;  // by workload: where its jobs may run
  EventQueue events_;
  BlockMetrics metrics_;
  ApplicationTracker tracker_;
  std::vector<RequestSource> sources_;    // by workload, applications included
  std::vector<Transit> transits_;         // the same; none without a network delay
  std::vector<LatencySampler> samplers_;  // by workload: of a job's kernels' times
  std::vector<RandomStream> stretches_;
  std::vector<Pending> requests_;
  std::vector<std::uint32_t> free_requests_;
  Ring<std::uint32_t> outside_;                     // wait for the submitter
  std::vector<Ring<std::uint32_t>> parked_;         // by workload: wait for an instance
  std::vector<std::uint32_t> instances_, running_;  // by workload; the limit is 0 for none
  std::uint32_t outstanding_ = 0;
  TimePoint now_ = kStart;
  std::uint64_t fired_ = 0, jobs_ = 0, in_system_ = 0;
  std::uint32_t open_sources_ = 0;
};

}  // namespace tangram
