// The dispatcher's thread of a real run: takes what was posted, tells the Host, asks the policy,
// sends its commands. The real-time twin of the simulator's EventLoop.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "engine/backend.h"
#include "engine/inbox.h"
#include "engine/load_generator.h"
#include "engine/runtime.h"
#include "policies/application_tracker.h"
#include "policies/host.h"
#include "sim/core/event_queue.h"
#include "sim/results/metrics.h"

namespace tangram {

class DispatchLoop {
 public:
  // References must outlive the loop. `key` is the root of the run's random streams.
  DispatchLoop(const Scenario& scenario,
               const Deployment& deployment,
               Dispatcher& dispatcher,
               StreamKey key,
               const EngineOptions& options);

  // Runs to the end; the backend is open and the clock runs, or will soon.
  void run(const RealClock& clock, Inbox& inbox, LoadGenerator& load, Backend& backend);
  // After run(), generator and backend stopped: takes in what was posted and never seen, what is
  // still in the network, and closes the books.
  void settle(Inbox& inbox);

  Recorder& recorder() { return recorder_; }
  const Host& host() const { return host_; }
  TimePoint now() const { return now_; }
  std::uint64_t events() const { return events_; }
  bool stopped() const { return stopped_; }
  RuntimeCosts& costs() { return costs_; }
  const std::vector<std::string>& notes() const { return notes_; }

 private:
  struct Held {
    BatchId batch;
    std::optional<TimePoint> start;  // once it began
  };

  bool over() const;
  TimePoint deadline() const;
  // Opens the instant and tells the Host everything. Returns whether the policy has to be asked.
  bool take_in();
  void fire_timers();
  void take(const FinishedPost& post);
  void take(const RefusedPost& post);
  void take(const ExecutorPost& post);
  void take(const StartedPost& post);
  void take(const WeightsPost& post);
  void take(const ArrivalPost& post);
  void take(const LoadOverPost& post);
  void enter(const Request& request);
  // Starts and ends what the tracker of applications says.
  void follow_up();
  void stages_finished(const Batch& batch, const FinishedPost& post);
  void dropped(std::span<const Request> requests, DropReason reason);
  void answered(std::span<const Request> requests);
  void carry_out(std::span<const Command> commands);
  std::vector<Held>::iterator find(ExecutorId executor, BatchId batch);

  const Scenario* scenario_;
  const EngineOptions* options_;
  const TimePoint horizon_;
  Host host_;
  EventQueue timers_;
  Recorder recorder_;
  ApplicationTracker tracker_;
  std::vector<RandomStream> routing_;    // by workload; only for weighted_random
  std::vector<std::vector<Held>> held_;  // by executor: what was sent to it and not yet reported
  LoadGenerator* load_ = nullptr;
  Backend* backend_ = nullptr;
  std::vector<Post> posts_;
  TimePoint now_ = kStart;
  TimePoint last_move_ = kStart;   // last answer, or the end of the load
  std::uint64_t events_ = 0;       // messages and timers
  std::uint64_t in_system_ = 0;    // arrived, not yet answered
  std::uint64_t outstanding_ = 0;  // batches
  bool load_over_ = false;
  bool stopped_ = false;
  RuntimeCosts costs_;
  std::vector<std::string> notes_;
};

}  // namespace tangram
