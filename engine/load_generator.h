// Sends the requests of every workload at their intended times, from a thread of its own. It never
// waits for an answer before an open-loop request is due, so a slow server does not thin out its
// load: no coordinated omission.
#pragma once

#include <exception>
#include <mutex>
#include <thread>
#include <vector>

#include "engine/inbox.h"
#include "sim/core/histogram.h"
#include "sim/core/slot_tree.h"
#include "workloads/network_delay.h"
#include "workloads/request_source.h"

namespace tangram {

// When requests are sent, and how they travel.
struct LoadSpan {
  TimePoint horizon;  // requests are sent before it
  NetworkDelay network;
  bool drain = true;  // else what is still in the network at the horizon stays there
};

class LoadGenerator {
 public:
  // Requests are posted when they come out of the network. `key` is the root of the run's random
  // streams: arrivals and delays are those of the simulator. `clock` and `inbox` must outlive the
  // generator.
  LoadGenerator(const std::vector<Workload>& workloads,
                StreamKey key,
                const LoadSpan& span,
                const RealClock& clock,
                Inbox& inbox);
  ~LoadGenerator();
  LoadGenerator(const LoadGenerator&) = delete;
  LoadGenerator& operator=(const LoadGenerator&) = delete;

  // Starts the thread. It posts LoadOverPost after the last request.
  void start();
  // A request was answered (or dropped) now: its client thinks, then asks again. No effect on
  // open-loop workloads.
  void answered(WorkloadId workload, TimePoint now);
  // Ends the thread. Throws what made it fail, if anything did.
  void stop();
  // How long after its intended time each request was posted (or, with a network delay, after the
  // time at which it comes out of it). Requires: stopped.
  const Histogram& lag() const { return lag_; }
  // The requests that were sent and are still in the network. Requires: stopped.
  std::vector<ArrivalPost> in_transit() const;

 private:
  // Puts the source's next request into the tree, or takes the source out of it.
  void schedule(std::size_t w);
  void run();
  void post_due(TimePoint now);
  void send(std::size_t w, TimePoint intended);

  const TimePoint horizon_;
  const bool drain_;
  const RealClock& clock_;
  Inbox& inbox_;
  // By workload. They and what follows are guarded by mutex_ while the thread runs.
  std::vector<RequestSource> sources_;
  std::vector<Transit> transits_;  // by workload; none without a network delay
  SlotTree due_;                   // by workload: sources, then transits
  bool any_closed_ = false;
  std::vector<Post> posts_;
  Histogram lag_;
  std::exception_ptr failure_;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace tangram
