// Simulates one shard: arrivals, the Host with its policy, and the rate device, on one event queue.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "policies/host.h"
#include "sim/core/event_queue.h"
#include "sim/rate_device.h"
#include "sim/results/metrics.h"
#include "sim/scenario/scenario.h"
#include "workloads/request_source.h"

namespace tangram {

class EventLoop {
 public:
  // References must outlive the loop. `key` is the root of the run's random streams.
  EventLoop(const Scenario& scenario,
            const Deployment& deployment,
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
  void unserved(Request request);
  [[gnu::always_inline]] inline void device_event(ExecutorId e);
  [[gnu::always_inline]] inline void answered(std::span<const Request> requests);
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
  std::uint32_t workloads_;
  Host host_;
  EventQueue events_;
  RateDevice device_;
  Recorder recorder_;
  std::vector<RequestSource> sources_;
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
