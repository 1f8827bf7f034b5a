// Simulates one shard under one plan: arrivals, the Host with its policy, and the rate device, on
// one event queue. When the plan changes, a loop hands over to the next.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "policies/application_tracker.h"
#include "policies/host.h"
#include "sim/core/event_queue.h"
#include "sim/rate_device.h"
#include "sim/results/metrics.h"
#include "sim/scenario/scenario.h"
#include "workloads/request_source.h"

namespace tangram {

// What a loop hands over to the one that follows it under another plan.
struct Handover {
  TimePoint at = kStart;
  std::vector<RequestSource> sources;  // by workload
  std::vector<Transit> transits;       // the same; none without a network delay
  std::vector<Request> waiting;        // not on a device, ascending by arrival
  std::vector<TimePoint> free;         // by executor: when it has finished what it held
};

class EventLoop {
 public:
  // References must outlive the loop. `applications` are those whose stages are workloads of the
  // deployment, with its ids; `key` is the root of the run's random streams. `truth`: what the
  // devices do (true_deployment), where the deployment's predictions are no more than beliefs.
  EventLoop(const Scenario& scenario,
            const Deployment& deployment,
            const std::vector<ApplicationLoad>& applications,
            Dispatcher& dispatcher,
            StreamKey key,
            const RecorderOptions& recording,
            const Deployment* truth = nullptr);
  // Goes on where another loop handed over; `up`: by executor, when it can run its first batch.
  // Requires: the same workloads, no applications, open arrivals.
  EventLoop(const Scenario& scenario,
            const Deployment& deployment,
            Dispatcher& dispatcher,
            StreamKey key,
            const RecorderOptions& recording,
            Handover from,
            std::vector<TimePoint> up);

  // Begins: start() once, then run_until() or finish().
  void start();
  // Runs all events before `end`. Calls `progress` with the simulated share of the run now and
  // then; it may throw.
  void run_until(TimePoint end, const std::function<void(double)>& progress);
  // Runs to the end: the arrivals are over and, with `drain`, everything is answered or nothing
  // moves any more.
  void finish(const std::function<void(double)>& progress);
  // Ends this loop's part of the run after run_until(at): executors finish what they hold, the
  // policy decides nothing more.
  Handover hand_over(TimePoint at);
  // Requests that a workload has sent.
  std::uint64_t sent(WorkloadId workload) const { return sources_[workload.index()].sent(); }

  Recorder& recorder() { return recorder_; }
  const Host& host() const { return host_; }
  const RateDevice& device() const { return device_; }
  std::uint64_t events() const { return events_fired_; }
  TimePoint now() const { return now_; }
  // How much was loaded; nullopt where weights are not managed.
  std::optional<std::string> weights_note() const;

 private:
  // Without sources.
  EventLoop(const Scenario& scenario,
            const Deployment& deployment,
            const Deployment& truth,
            const std::vector<ApplicationLoad>& applications,
            Dispatcher& dispatcher,
            StreamKey key,
            const RecorderOptions& recording,
            bool takes_over);

  struct Load {
    ModelId model;
    WeightTransfers::Span span;
  };
  struct Ended {
    const Batch* batch = nullptr;
    TimePoint start;
    Duration alone;
  };

  [[gnu::always_inline]] inline void schedule_arrival(std::uint32_t w);
  [[gnu::always_inline]] inline void arrive(std::uint32_t w);
  // A request that is not simply for a queue: it is under way, or an application's.
  [[gnu::noinline]] void arrive_elsewhere(Request request);
  [[gnu::noinline]] void leave_transit(std::uint32_t w);
  void admit(Request request);
  [[gnu::always_inline]] inline void enter(Request request);
  // Starts and ends what the tracker says.
  void follow_up() {
    if (!tracker_.empty()) [[unlikely]]
      follow_tracker();
  }
  [[gnu::noinline]] void follow_tracker();
  [[gnu::noinline]] void stages_finished(const Batch& batch, const DeviceMessage& message);
  void dropped(std::span<const Request> requests, DropReason reason);
  void unserved(Request request);
  [[gnu::always_inline]] inline void device_event(ExecutorId e);
  [[gnu::always_inline]] inline void answered(std::span<const Request> requests,
                                              bool unserved = false);
  [[gnu::always_inline]] inline void carry_out(std::span<const Command> commands);
  [[gnu::always_inline]] inline void fire(std::uint32_t slot);
  // Where the earliest event is an arrival that the policy need not hear of before something else
  // happens: takes it, and all of its workload up to then, as one. Returns false where it is not
  // so.
  [[gnu::always_inline]] inline bool take_while_busy(std::uint32_t slot, TimePoint end);
  [[gnu::noinline]] void record_finished();
  [[gnu::noinline]] void begin_load(ExecutorId e, ModelId m);
  [[gnu::noinline]] void load_over(ExecutorId e);
  void schedule_load(ExecutorId e);
  void report_begun();
  void executor_up(ExecutorId e);
  // Whether the run ends before an event at `next`, which is at or after the horizon.
  bool over(TimePoint next) const;

  const Scenario* scenario_;
  TimePoint horizon_;
  std::uint32_t workloads_;  // applications included
  Host host_;
  EventQueue events_;
  std::uint32_t first_arrival_slot_ = 0;
  std::uint32_t first_executor_slot_ = 0;  // timers' slots follow, then those below
  RateDevice device_;
  Recorder recorder_;
  ApplicationTracker tracker_;
  std::vector<RequestSource> sources_;  // by workload, applications included
  std::vector<Transit> transits_;       // the same; none without a network delay
  std::uint32_t first_transit_slot_ = 0;
  std::uint32_t first_load_slot_ = 0;
  std::uint32_t first_up_slot_ = 0;
  bool is_plain_ = true;                      // no applications, no network delay
  bool only_serves_idle_ = false;             // the policy, and nothing but it hears of arrivals
  std::vector<RandomStream> routing_;         // by workload; only for weighted_random
  List<Ended> finished_;                      // at this instant
  std::optional<WeightTransfers> transfers_;  // where weights are managed
  std::vector<Ring<Load>> loads_;             // by executor: not over, in the order of their ends
  std::vector<TimePoint> up_;                 // by executor; empty: all are up from the start
  std::vector<Request> taken_over_;           // enter at the start
  TimePoint now_ = kStart;
  std::uint64_t events_fired_ = 0;
  std::uint64_t in_system_ = 0;     // arrived, not yet answered
  std::uint32_t open_sources_ = 0;  // that will still send requests by themselves
  bool any_closed_ = false;
  TimePoint last_move_ = kStart;  // last time that a request was answered
};

}  // namespace tangram
