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
#include "workloads/request_source.h"

namespace tangram {

class LoadGenerator {
 public:
  // Requests are sent before `horizon`. `key` is the root of the run's random streams: the arrivals
  // are those of the simulator. References must outlive the generator.
  LoadGenerator(const std::vector<Workload>& workloads,
                StreamKey key,
                TimePoint horizon,
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
  // How long after its intended time each request was posted. Requires: stopped.
  const Histogram& lag() const { return lag_; }

 private:
  // Puts the source's next request into the tree, or takes the source out of it.
  void schedule(std::size_t w);
  void run();
  void post_due(TimePoint now);

  const TimePoint horizon_;
  const RealClock& clock_;
  Inbox& inbox_;
  // By workload. They and what follows are guarded by mutex_ while the thread runs.
  std::vector<RequestSource> sources_;
  SlotTree due_;
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
