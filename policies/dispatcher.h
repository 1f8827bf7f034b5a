// The seam of the product: a dispatcher is told what changed at this instant, sees a read-only
// View, and answers with Decisions. The same object drives the simulator and the real engine; it
// has no clock, no thread and no randomness of its own. Semantics: docs/model/policy-seam.md.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "policies/detail/books.h"
#include "policies/policy_info.h"

namespace tangram {

// What happened since the last call; valid during the call only. Every list is in the order of the
// messages.
struct Changes {
  List<QueueId> grown;  // gained requests (arrived, or returned by a refusal); once each
  List<Finished> finished;
  List<Refused> refused;       // for learning: the requests are back in their queues
  List<TimerId> timers;        // hints: recompute, do not take one as proof that work is due
  List<Loaded> loads;          // of weights that are over
  List<ExecutorId> executors;  // came up, went away, or finished a load
  bool rare = false;           // some list but grown and finished is not empty
};

// Read-only state, every call O(1) but for first_idle (O(groups of the queue)). Exact: queues, own
// outstanding batches. Belief: free_at and predict. The truth is never reachable.
class View {
 public:
  explicit View(const Books& books) : books_(&books) {}

  // One value for the whole instant.
  TimePoint now() const { return books_->now; }
  const Deployment& deployment() const { return *books_->deployment; }
  std::uint32_t queues() const { return books_->queue_count; }
  std::uint32_t executors() const { return books_->executor_count; }
  std::uint32_t groups() const { return static_cast<std::uint32_t>(books_->idle.size()); }

  const Queue& queue(QueueId q) const { return books_->queues[q.index()]; }
  const QueueInfo& info(QueueId q) const { return deployment().queues[q.index()]; }
  const ExecutorBelief& executor(ExecutorId e) const { return books_->executors[e.index()].belief; }
  const ExecutorInfo& info(ExecutorId e) const { return deployment().executors[e.index()]; }
  // How many batches an executor may hold: the running one and those sent ahead.
  std::uint32_t depth() const { return books_->depth; }

  // How this executor serves that queue; nullptr when it does not.
  const Service* service(ExecutorId e, QueueId q) const { return books_->service(e, q); }
  // The largest batch: the planned one if any, else the profile's largest; 0 when not served.
  std::uint32_t max_batch(ExecutorId e, QueueId q) const {
    const Service* s = service(e, q);
    return s == nullptr ? 0 : s->max_batch;
  }
  // The believed latency of a batch. Requires: 1 <= batch <= max_batch(e, q).
  Duration predict(ExecutorId e, QueueId q, std::uint32_t batch) const {
    return service(e, q)->predicted[batch];
  }

  // Whether weights must be loaded before a batch may run. Where not, all are always there.
  bool manages_weights() const { return deployment().weights.managed(); }
  // Exact. Requires for the next four: manages_weights().
  WeightState weights(ExecutorId e, ModelId m) const {
    return books_->executors[e.index()].weights[m.index()];
  }
  std::int64_t weights_kib(ModelId m) const { return deployment().weights.kib[m.index()]; }
  std::int64_t room_kib(ExecutorId e) const { return books_->weights_room_kib[e.index()]; }
  // Belief: from host memory, over a link that does nothing else.
  Duration predict_load(ExecutorId e, ModelId m) const {
    return deployment().weights.load[info(e).gpu.index()][m.index()];
  }
  bool is_loaded(ExecutorId e, ModelId m) const {
    return !manages_weights() || weights(e, m) == WeightState::kLoaded;
  }

  // Executors that serve the same queues form a group.
  const GroupInfo& group(GroupId g) const { return deployment().groups[g.index()]; }
  GroupId group_of(ExecutorId e) const { return books_->executors[e.index()].group; }
  std::span<const GroupId> groups_of(QueueId q) const { return queue(q).groups(); }
  // Positions within the group of the executors that are up and hold no batch.
  const BitSet& idle(GroupId g) const { return books_->idle[g.index()]; }
  bool is_idle(ExecutorId e) const { return executor(e).outstanding == 0 && executor(e).up; }
  // The first idle executor that serves the queue, in the order of groups and positions.
  MaybeId<ExecutorId> first_idle(QueueId q) const {
    for (const GroupId g : groups_of(q)) {
      const std::size_t position = idle(g).first();
      if (position != BitSet::kNone) return group(g).executors[position];
    }
    return {};
  }

 private:
  const Books* books_;
};

// What the policy wants. Applied to the books at once (queues, idle, free_at), carried out after
// decide returns. Asking for what the books rule out (more than the queue holds, a full executor,
// too large a batch) is a bug of the policy and throws InternalError in both worlds; what only the
// device can know (too late, lost) comes back later as Refused.
class Decisions {
 public:
  explicit Decisions(Books& books) : books_(&books) {}

  // Runs the n oldest requests of a queue as one batch. Requires: 1 <= n <= queue size, n <=
  // max_batch, fewer than depth batches outstanding on an executor that is up.
  BatchId run(ExecutorId e, QueueId q, std::uint32_t n, Window window = {}) {
    return books_->run(e, q, n, window);
  }
  // One batch from several queues of one model (two SLOs on one model), or from inside a queue: n
  // of each, from the first-th oldest on, taken one pick after the other. A request in front costs
  // a copy.
  BatchId run(ExecutorId e, std::span<const Pick> picks, Window window = {}) {
    return books_->run(e, picks, window);
  }
  // These requests of a queue, named in its order, as one batch. O(queue).
  BatchId run(ExecutorId e, QueueId q, std::span<const RequestId> ids, Window window = {}) {
    return books_->run(e, q, ids, window);
  }
  void drop_oldest(QueueId q, std::uint32_t n, DropReason why) { books_->drop(q, 0, n, why); }
  void drop_newest(QueueId q, std::uint32_t n, DropReason why);
  // n requests from the first-th oldest on.
  void drop_range(QueueId q, std::uint32_t first, std::uint32_t n, DropReason why) {
    books_->drop(q, first, n, why);
  }
  // These requests of a queue, named in its order. O(queue).
  void drop(QueueId q, std::span<const RequestId> ids, DropReason why) {
    books_->drop(q, ids, why);
  }
  // Moves a model's weights to the executor's memory; Changes::loads says when they are there.
  // Requires: managed weights, absent there, room for them, an executor that is up.
  void load(ExecutorId e, ModelId m) { books_->load(e, m); }
  // Forgets them, at once. Requires: loaded, and no batch of the model outstanding on the executor.
  void unload(ExecutorId e, ModelId m) { books_->unload(e, m); }
  // Calls decide again at t with this timer in Changes::timers. One pending time per timer: arming
  // replaces it, kNever cancels it. A time in the past means now.
  void wake(TimerId timer, TimePoint t) { books_->wake(timer, t); }

 private:
  Books* books_;
};

class Dispatcher {
 public:
  virtual ~Dispatcher() = default;
  // How many timers the policy uses: ids 0 .. n-1. Asked once, before start.
  virtual std::uint32_t timers(const View&) const { return 0; }
  // Once, at the beginning of the run, when all queues are empty.
  virtual void start(const View&, Decisions&) {}
  // Once per instant at which something changed, after everything that happened at that instant.
  virtual void decide(const View& view, const Changes& changes, Decisions& out) = 0;
  // Whether decide() decides nothing at an instant that brought no more than requests for queues
  // whose executors are all busy, and would decide the same if it had heard of them (in
  // Changes::grown) at its next call only. The simulator then leaves such calls out. Asked once.
  virtual bool only_serves_idle() const { return false; }
};

inline void Decisions::drop_newest(QueueId q, std::uint32_t n, DropReason why) {
  const std::uint32_t size = books_->queues[q.index()].size();
  TANGRAM_CHECK(n <= size, "asked to drop ", n, " requests, queue holds ", size);
  books_->drop(q, size - n, n, why);
}

struct DispatcherEntry {
  PolicyInfo info;
  std::unique_ptr<Dispatcher> (*make)(const Params& params);
  bool loads_weights = false;  // copes with weights that are not there
};

// For the one line that a policy's file ends with: builds the entry of a class with a constructor
// from Params.
template <typename T>
DispatcherEntry describe_dispatcher(PolicyInfo info) {
  return {std::move(info),
          [](const Params& params) -> std::unique_ptr<Dispatcher> {
            return std::make_unique<T>(params);
          },
          requires {T::kLoadsWeights;
}
};  // namespace tangram
}

}  // namespace tangram
