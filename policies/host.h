// The one state machine between policies and the world: it owns queues, executors' books, timers
// and validation, is fed messages, calls the policy once per instant, and emits commands. No clock,
// no thread, no randomness: simulator, engine and replay embed this same class and differ only in
// where messages come from and where commands go.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "policies/dispatcher.h"
#include "policies/message_log.h"
#include "policies/router.h"

namespace tangram {

struct HostCounters {
  std::uint64_t instants = 0;  // calls of decide
  std::uint64_t batches = 0;
  std::uint64_t refused = 0;  // batches
  std::uint64_t stale = 0;    // messages about batches that were already over
};

class Host {
 public:
  // References must outlive the Host. depth: batches that an executor may hold, >= 1.
  Host(const Deployment& deployment, Dispatcher& dispatcher, std::uint32_t depth = 2);
  Host(const Host&) = delete;
  Host& operator=(const Host&) = delete;

  // How many slots the policy's timers need in the queue lent to start().
  std::uint32_t timers() const { return timer_count_; }
  // Begins the run: timers live in `events` from slot `first_slot` on (Phase::kTimer). Carry out
  // the returned commands as those of decide().
  std::span<const Command> start(TimePoint now, EventQueue& events, std::uint32_t first_slot);
  // Records messages and decisions from here on, for a replay. Costs about 30 ns a request.
  void record(MessageLog* log) { log_ = log; }

  // Opens an instant. Requires: now is not earlier than the last one.
  void begin(TimePoint now) {
    TANGRAM_CHECK(now >= books_.now, "time goes back; now ", now.time_since_epoch().count(),
                  ", was ", books_.now.time_since_epoch().count());
    books_.now = now;
  }
  // A request of a workload arrived. `draw` is a uniform 64-bit number for weighted_random routing,
  // unused otherwise. Returns false when the plan does not serve the workload: count it as dropped.
  bool arrived(WorkloadId workload, Request request, std::uint64_t draw = 0);
  // The same in two steps, for a runtime that does not record and takes many requests at once: each
  // enters a queue that busy_queue() has just named; then that queue has grown.
  void enter(QueueId queue, const Request& request) { books_.push(queue, request); }
  void grew(QueueId queue) {
    if (books_.mark_grown(queue)) changes_.grown.push_back(queue);
  }
  // Returns false for a stale message, which is counted and has no effect.
  bool finished(BatchId batch, TimePoint start, TimePoint end);
  bool refused(BatchId batch, Refusal why);
  void timer(TimerId timer);
  // An executor came up or went away. A runtime refuses (kLost) the batches that it still held.
  void executor(ExecutorId executor, bool up);
  // A load of weights is over; done: they are there. A late message about an executor that went
  // away has no effect.
  void loaded(ExecutorId executor, ModelId model, bool done, TimePoint start, TimePoint end);
  // Calls the policy once and returns what to carry out, valid until the next message.
  std::span<const Command> decide();

  // The batch of a command or of a message. Its content outlives the decision that follows its end:
  // the slots of an executor, twice as many as it may hold, are used in turn.
  const Batch& batch(BatchId id) const { return books_.batches[id.slot]; }
  bool is_live(BatchId id) const { return batch(id).live && batch(id).generation == id.generation; }
  // The requests of a kDrop command.
  std::span<const Request> dropped(const Command& command) const {
    return {books_.dropped.begin() + command.first_dropped, command.count};
  }
  const View& view() const { return view_; }
  // The queue of a workload that has just one, if none of the executors that serve it is idle.
  MaybeId<QueueId> busy_queue(WorkloadId workload) const {
    const MaybeId<QueueId> queue = router_.only(workload);
    if (!queue) return {};
    for (const GroupId g : view_.groups_of(*queue)) {
      if (view_.idle(g).any()) return {};
    }
    return queue;
  }
  HostCounters counters() const {
    HostCounters counters = counters_;
    counters.instants = books_.instant - 1;
    counters.batches = books_.committed;
    return counters;
  }
  // Requests in queues and in outstanding batches.
  std::uint64_t in_queues() const;
  std::uint64_t in_flight() const;
  // Visits every request that is in a queue.
  template <typename Visit>
  void for_each_waiting(Visit visit) const {
    for (const Queue& queue : books_.queues) {
      for (std::size_t i = 0; i < queue.size(); ++i) visit(queue[i]);
    }
  }
  // Visits every request that is in a queue or in an outstanding batch.
  template <typename Visit>
  void for_each_unanswered(Visit visit) const {
    for_each_waiting(visit);
    for (const Batch& batch : books_.batches) {
      if (!batch.live) continue;
      for (const Request& request : batch.requests) visit(request);
    }
  }

 private:
  Instant& current_instant();
  void log_message(const Message& message);
  void log_decisions();
  void clear_rare_changes();

  Books books_;
  View view_;
  Decisions decisions_;
  Dispatcher* dispatcher_;
  Router router_;
  std::uint32_t timer_count_ = 0;
  Changes changes_;
  HostCounters counters_;
  MessageLog* log_ = nullptr;
  bool instant_closed_ = true;
};

inline bool Host::arrived(WorkloadId workload, Request request, std::uint64_t draw) {
  const MaybeId<QueueId> queue = router_.route(view_, workload, draw);
  if (!queue) return false;
  if (log_ != nullptr) [[unlikely]]
    log_message(ArrivedMessage{workload, request, draw});
  enter(*queue, request);
  grew(*queue);
  return true;
}

inline bool Host::finished(BatchId id, TimePoint start, TimePoint end) {
  Batch* batch = books_.live(id);
  if (batch == nullptr) [[unlikely]] {
    ++counters_.stale;
    return false;
  }
  if (log_ != nullptr) [[unlikely]]
    log_message(FinishedMessage{id, start, end});
  books_.close(*batch);
  changes_.finished.push_back({id, batch->executor, batch->queue, batch->size(), start, end});
  return true;
}

inline void Host::timer(TimerId timer) {
  if (log_ != nullptr) [[unlikely]]
    log_message(TimerMessage{timer});
  changes_.timers.push_back(timer);
  changes_.rare = true;
}

inline std::span<const Command> Host::decide() {
  books_.commands.clear();
  books_.dropped.clear();
  dispatcher_->decide(view_, changes_, decisions_);
  ++books_.instant;
  changes_.grown.clear();
  changes_.finished.clear();
  if (changes_.rare) [[unlikely]]
    clear_rare_changes();
  if (log_ != nullptr) [[unlikely]]
    log_decisions();
  return books_.commands;
}

}  // namespace tangram
