// Follows the requests of applications through their stages: which requests start when one is
// answered, and when a request of an application is over. Like the Host it has no clock, no thread
// and nothing random but keyed draws, so that simulator and engine use the same object.
#pragma once

#include <cstdint>
#include <optional>
#include <unordered_map>
#include <vector>

#include "policies/detail/books.h"
#include "sim/core/random.h"
#include "workloads/application.h"

namespace tangram {

// Where the latency of a request went. With several stages: along the chain of requests of which
// each started when the one before it ended and the last ended last, so that the parts add up to
// it.
struct PathTime {
  Duration batch_wait{};    // arrival to the decision that committed the batch
  Duration exec{};          // on the device
  Duration interference{};  // exec beyond what the same batch takes alone

  friend PathTime operator+(const PathTime& a, const PathTime& b) {
    return {a.batch_wait + b.batch_wait, a.exec + b.exec, a.interference + b.interference};
  }
};

class ApplicationTracker {
 public:
  // The requests of loads[a] are those of the workload id `workloads` + a, one behind the other
  // after the scenario's own. `key` is the root of the run's random streams. Loads must outlive
  // this.
  ApplicationTracker(const std::vector<ApplicationLoad>& loads,
                     std::uint32_t workloads,
                     StreamKey key);

  bool empty() const { return apps_.empty(); }
  bool is_application(WorkloadId w) const { return w.value() >= workloads_; }
  bool is_stage(WorkloadId w) const { return !apps_.empty() && stage_of_[w.index()].app != kNone; }

  // A request of an application has come: its first stages start, with its own arrival. Requires:
  // ids of one application increase.
  void arrived(const Request& request);
  // A request of a stage is done. `own`: what it spent itself.
  void finished(const Request& request, TimePoint end, const PathTime& own);
  // A request of a stage was dropped: its application's request is over, and nothing follows from
  // it any more; those of its requests that are under way end without effect.
  void dropped(const Request& request, DropReason reason);

  struct Ended {
    Request request;  // of the application
    TimePoint end;
    std::optional<DropReason> dropped;  // none: completed
    PathTime path;                      // of a completed one
  };
  // What the calls since clear() brought about, in order. Every request in started() must be given
  // to the Host (arrived), or to dropped().
  const std::vector<Request>& started() const { return started_; }
  const std::vector<Ended>& ended() const { return ended_; }
  void clear() {
    started_.clear();
    ended_.clear();
  }

  // Hands that over and forgets it: start(Request), then end(Ended). A request that starts may be
  // dropped at once (dropped()), and so end one; nothing may start on an end.
  template <typename Start, typename End>
  void deliver(Start start, End end) {
    for (std::size_t i = 0; i < started_.size(); ++i) start(Request(started_[i]));
    for (std::size_t i = 0; i < ended_.size(); ++i) end(Ended(ended_[i]));
    clear();
  }

  // Visits every request of an application that is neither completed nor dropped, in no particular
  // order.
  template <typename Visit>
  void for_each_open(Visit visit) const {
    for (const App& app : apps_) {
      for (const State& state : app.states) {
        if (state.is_used && !state.is_dropped) visit(state.request);
      }
    }
  }

 private:
  static constexpr std::uint32_t kNone = ~std::uint32_t{0};

  struct StageState {
    std::uint32_t started = 0;  // requests so far
    std::uint32_t open = 0;     // of them, not yet answered
    bool is_asked = false;      // a join: its predecessors are complete and it has its requests
    bool is_complete = false;
    TimePoint last_end = kStart;  // of its requests; without any, of the last stage before it
    PathTime path;                // that led to last_end
  };
  // A request of a stage under way.
  struct Live {
    std::uint32_t stage = 0;
    std::uint32_t ordinal = 0;  // among those of its stage for one request of the application
    PathTime before;            // of the chain that led to its start
  };
  // A request of an application, from its arrival until all that it caused is answered.
  struct State {
    Request request;
    bool is_used = false;
    bool is_dropped = false;
    std::vector<StageState> stages;
    std::vector<Live> live;
  };
  struct App {
    const ApplicationLoad* load = nullptr;
    WorkloadId id;
    StageGraph graph;
    std::vector<std::uint64_t>
        stride;  // the most requests of each stage for one of the application
    StreamKey fan_out;
    std::vector<State> states;
    std::vector<std::uint32_t> free;                             // of states
    std::unordered_map<std::uint64_t, std::uint32_t> states_of;  // by the request's number
  };
  struct StageOf {
    std::uint32_t app = kNone, stage = 0;
  };

  // The state of the application's request that a stage's request belongs to; `ordinal` of the
  // latter.
  State& state_of(App& app, std::uint32_t stage, RequestId id, std::uint32_t& ordinal);
  static Live take_live(State& state, std::uint32_t stage, std::uint32_t ordinal);
  void start(App& app,
             State& state,
             std::uint32_t stage,
             TimePoint when,
             const PathTime& before,
             std::uint32_t asked_by);
  // Completes stages, asks joins, and ends the request when all is done.
  void settle(App& app, State& state);
  bool ready(const App& app, const State& state, std::uint32_t stage) const;
  static void inherit(const App& app, State& state, std::uint32_t stage);
  static void release(App& app, State& state);

  std::uint32_t workloads_;
  std::vector<StageOf> stage_of_;  // by workload
  std::vector<App> apps_;
  std::vector<Request> started_;
  std::vector<Ended> ended_;
};

}  // namespace tangram
