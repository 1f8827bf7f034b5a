// The Host's state and the operations on it: queues, executors, batches, timers. Policies reach it
// through View and Decisions only; runtimes through Host only.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "policies/deployment.h"
#include "policies/messages.h"
#include "sim/core/bit_set.h"
#include "sim/core/check.h"
#include "sim/core/event_queue.h"
#include "sim/core/list.h"
#include "sim/core/ring.h"

namespace tangram {

// A queue of one workload (or of one replica of it), oldest first. Exact.
class Queue {
 public:
  Queue() = default;
  explicit Queue(const QueueInfo& info) : groups_(info.groups), slo_(info.slo) {}
  bool empty() const { return requests_.empty(); }
  std::uint32_t size() const { return static_cast<std::uint32_t>(requests_.size()); }
  // The i-th oldest. Requires: i < size().
  const Request& operator[](std::size_t i) const { return requests_[i]; }
  const Request& front() const { return requests_.front(); }
  // A request that finishes at its deadline is good.
  TimePoint deadline(std::size_t i) const { return requests_[i].arrival + slo_; }
  Duration slo() const { return slo_; }
  // The groups whose executors serve it.
  std::span<const GroupId> groups() const { return groups_; }

 private:
  friend struct Books;
  Ring<Request> requests_;
  std::span<const GroupId> groups_;
  Duration slo_{};
  std::uint64_t grown_in_ = 0;  // the last instant in which it was in Changes::grown
};

struct ExecutorBelief {
  TimePoint free_at = kStart;     // when its outstanding batches are believed to be done
  std::uint32_t outstanding = 0;  // batches committed and not yet finished or refused: exact
  bool up = true;
};

// An executor in the books: what policies see, and where the rest about it lies.
struct ExecutorBooks {
  ExecutorBelief belief;
  std::uint32_t next_slot = 0;           // of its slots, the one to use next
  const WeightState* weights = nullptr;  // by model; nullptr: all weights are always there
  GroupId group;
  std::uint32_t position = 0;  // within its group
  const ExecutorClass* cls = nullptr;
  BitSet* idle = nullptr;  // of its group
};

// A committed batch.
struct Batch {
  std::uint32_t generation = 0;
  bool live = false;
  ExecutorId executor;
  QueueId queue;               // of the first pick
  std::uint64_t sequence = 0;  // counts commitments, from 1
  Window window;
  TimePoint decided;
  Duration predicted{};
  List<Request> requests;
  List<Pick> more;  // picks after the first; usually none
  std::uint32_t size() const { return static_cast<std::uint32_t>(requests.size()); }
};

struct Books {
  const Deployment* deployment = nullptr;
  TimePoint now = kStart;
  std::uint64_t instant = 1;  // counts calls of decide
  std::uint32_t depth = 2;
  std::vector<Queue> queues;
  std::vector<ExecutorBooks> executors;
  std::vector<BitSet> idle;  // by group, by position
  // Executor e owns 2 * depth slots from e * 2 * depth on, used in turn: at one instant all that it
  // held may end (the running one, and those behind it refused), and as many be committed; what has
  // just ended keeps its content through that decision.
  std::vector<Batch> batches;
  List<Command> commands;
  List<Request> dropped;
  std::uint64_t committed = 0;
  std::uint32_t executor_count = 0;  // sizes that every decision checks against
  std::uint32_t queue_count = 0;

  // Only where weights are managed: by executor * models + model, and by executor.
  std::vector<WeightState> weights;
  std::vector<std::int64_t> weights_room_kib;

  EventQueue* events = nullptr;  // lent by the runtime
  std::uint32_t first_timer_slot = 0;
  std::uint32_t timer_count = 0;

  const Service* service(ExecutorId e, QueueId q) const {
    return executors[e.index()].cls->find(q);
  }

  BatchId run(ExecutorId e, QueueId q, std::uint32_t n, Window window) {
    const BatchId id = commit(e, q, n, window);
    take(batches[id.slot], q, n);
    return id;
  }

  BatchId run(ExecutorId e, std::span<const Pick> picks, Window window);
  BatchId run(ExecutorId e, QueueId q, std::span<const RequestId> ids, Window window);

  // n requests from the first-th oldest on.
  void drop(QueueId q, std::uint32_t first, std::uint32_t n, DropReason why);
  void drop(QueueId q, std::span<const RequestId> ids, DropReason why);

  void load(ExecutorId e, ModelId m);
  void unload(ExecutorId e, ModelId m);
  // A load is over, or the executor went away with all that was in its memory.
  void loaded(ExecutorId e, ModelId m, bool done);
  void forget_weights(ExecutorId e);

  void wake(TimerId timer, TimePoint t) {
    TANGRAM_CHECK(timer.value() < timer_count, "unknown timer ", timer.value(), " of ",
                  timer_count);
    events->schedule(SlotId(first_timer_slot + timer.value()), t < now ? now : t, Phase::kTimer);
  }

  // The live batch of that id, or nullptr for a stale message.
  Batch* live(BatchId id) {
    Batch& batch = batches[id.slot];
    return batch.live && batch.generation == id.generation ? &batch : nullptr;
  }

  // Takes the batch off its executor's books. Requires: live.
  void close(Batch& batch) {
    batch.live = false;
    ExecutorBooks& executor = executors[batch.executor.index()];
    if (--executor.belief.outstanding == 0) {
      executor.belief.free_at = now;
      if (executor.belief.up) executor.idle->set(executor.position);
    } else {
      rebase(batch.executor);
    }
  }

  // Puts the requests of a refused batch back into their queues, in the order of their ids.
  void give_back(const Batch& batch);

 private:
  std::uint32_t slots() const { return 2 * depth; }
  std::uint32_t free_slot(ExecutorId e, ExecutorBooks& executor) {
    while (true) {
      const std::uint32_t turn = executor.next_slot;
      executor.next_slot = turn + 1 == slots() ? 0 : turn + 1;
      const std::uint32_t slot = e.value() * slots() + turn;
      if (!batches[slot].live) [[likely]]
        return slot;
    }
  }
  // Enters a batch, as yet without requests, into the executor's books and into the commands.
  [[gnu::always_inline]] BatchId commit(ExecutorId e, QueueId q, std::uint32_t n, Window window) {
    TANGRAM_CHECK(e.value() < executor_count, "unknown executor ", e.value());
    TANGRAM_CHECK(q.value() < queue_count, "unknown queue ", q.value());
    ExecutorBooks& executor = executors[e.index()];
    ExecutorBelief& belief = executor.belief;
    const ExecutorClass& cls = *executor.cls;
    const std::uint32_t service = cls.index_of(q);
    TANGRAM_CHECK(service != ExecutorClass::kNotServed, "executor ", e.value(),
                  " does not serve queue ", q.value());
    const Service& how = cls.services[service];
    TANGRAM_CHECK(n >= 1 && n <= how.max_batch, "batch ", n, ", largest ", how.max_batch);
    TANGRAM_CHECK(belief.up && belief.outstanding < depth, "executor ", e.value(),
                  " is full or down; outstanding ", belief.outstanding, ", depth ", depth);
    if (executor.weights != nullptr) [[unlikely]]
      check_loaded(e, q);
    const std::uint32_t slot = free_slot(e, executor);
    Batch& batch = batches[slot];
    const BatchId id{slot, ++batch.generation};
    commands.push_back({CommandKind::kRun, DropReason::kDeadline, e, q, id, n, service, 0});
    batch.live = true;
    batch.executor = e;
    batch.queue = q;
    batch.sequence = ++committed;
    batch.window = window;
    batch.decided = now;
    batch.predicted = how.predicted[n];
    batch.requests.clear();
    batch.more.clear();
    if (belief.outstanding++ == 0) executor.idle->clear(executor.position);
    belief.free_at = std::max({now, window.earliest, belief.free_at}) + batch.predicted;
    return id;
  }

  void take(Batch& batch, QueueId q, std::uint32_t n) {
    Queue& queue = queues[q.index()];
    TANGRAM_CHECK(n <= queue.size(), "asked for ", n, " requests, queue holds ", queue.size());
    queue.requests_.pop_front(n, batch.requests.extend(n));
  }
  // Moves requests of the queue that are named, in its order, to the list.
  void take_named(QueueId q, std::span<const RequestId> ids, List<Request>& out);
  WeightState& weight_state(ExecutorId e, ModelId m);
  void check_loaded(ExecutorId e, QueueId q) const;

  void rebase(ExecutorId e);

 public:
  // Used by the Host when requests arrive or come back.
  void push(QueueId q, const Request& request) { queues[q.index()].requests_.push_back(request); }
  // Whether the queue has not been marked in this instant before.
  bool mark_grown(QueueId q) {
    Queue& queue = queues[q.index()];
    const bool first = queue.grown_in_ != instant;
    queue.grown_in_ = instant;
    return first;
  }
};

}  // namespace tangram
