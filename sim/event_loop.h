// Simulates one shard: arrivals, the Host with its policy, and the rate device, on one event queue.
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

class EventLoop {
 public:
  // References must outlive the loop. `applications` are those whose stages are workloads of the
  // deployment, with its ids; `key` is the root of the run's random streams.
  EventLoop(const Scenario& scenario,
            const Deployment& deployment,
            const std::vector<ApplicationLoad>& applications,
            Dispatcher& dispatcher,
            StreamKey key,
            const RecorderOptions& recording);

  // Runs to the end: the arrivals are over and, with `drain`, everything is answered or nothing
  // moves any more. Calls `progress` with the simulated share of the run now and then; it may
  // throw.
  void run(const std::function<void(double)>& progress);

  Recorder& recorder() { return recorder_; }
  const Host& host() const { return host_; }
  const RateDevice& device() const { return device_; }
  std::uint64_t events() const { return events_fired_; }
  TimePoint now() const { return now_; }
  // How much was loaded; nullopt where weights are not managed.
  std::optional<std::string> weights_note() const;

 private:
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
  [[gnu::noinline]] void record_finished();
  [[gnu::noinline]] void begin_load(ExecutorId e, ModelId m);
  [[gnu::noinline]] void load_over(ExecutorId e);
  void schedule_load(ExecutorId e);
  void report_begun();
  // Whether the run ends before an event at `next`, which is at or after the horizon.
  bool over(TimePoint next) const;

  const Scenario* scenario_;
  TimePoint horizon_;
  std::uint32_t workloads_;  // applications included
  Host host_;
  EventQueue events_;
  RateDevice device_;
  Recorder recorder_;
  ApplicationTracker tracker_;
  std::vector<RequestSource> sources_;  // by workload, applications included
  std::vector<Transit> transits_;       // the same; none without a network delay
  std::uint32_t first_transit_slot_ = 0;
  std::uint32_t first_load_slot_ = 0;
  bool is_plain_ = true;                      // no applications, no network delay
  std::vector<RandomStream> routing_;         // by workload; only for weighted_random
  List<Ended> finished_;                      // at this instant
  std::optional<WeightTransfers> transfers_;  // where weights are managed
  std::vector<Ring<Load>> loads_;             // by executor: not over, in the order of their ends
  TimePoint now_ = kStart;
  std::uint64_t events_fired_ = 0;
  std::uint64_t in_system_ = 0;     // arrived, not yet answered
  std::uint32_t open_sources_ = 0;  // that will still send requests by themselves
  bool any_closed_ = false;
  TimePoint last_move_ = kStart;  // last time that a request was answered
};

}  // namespace tangram
