// TensorFlow Serving's shared batch scheduler: a queue of batches per model, and idle workers that
// scan the queues round robin for the next batch that is complete or has waited long enough.
#include <algorithm>
#include <vector>

#include "policies/dispatcher.h"

namespace tangram {
namespace {

// With requests of one task, a batch is closed only when it is full. So the batches of a queue are
// its requests in runs of batch_limit from the oldest on, the last of them open, and need no books
// of their own.
class TfServing final : public Dispatcher {
 public:
  explicit TfServing(const Params& params)
      : max_batch_(static_cast<std::uint32_t>(params.integer("max_batch"))),
        timeout_(params.ms("timeout_ms")),
        max_enqueued_(static_cast<std::uint64_t>(params.integer("max_enqueued_batches"))) {}

  std::uint32_t timers(const View& view) const override { return view.queues(); }

  void start(const View& view, Decisions&) override {
    queues_.resize(view.queues());
    for (const ExecutorClass& cls : view.deployment().classes) {
      for (const Service& service : cls.services) {
        std::uint32_t& limit = queues_[service.queue.index()].batch_limit;
        limit = std::max(limit, std::min(max_batch_, service.max_batch));
      }
    }
    for (std::uint32_t g = 0; g < view.groups(); ++g) {
      const std::vector<QueueId>& queues = view.group(GroupId(g)).queues;
      scans_.push_back({BitSet(queues.size()), 0});
      for (std::size_t i = 0; i < queues.size(); ++i) {
        queues_[queues[i].index()].places.push_back({g, i});
      }
    }
  }

  void decide(const View& view, const Changes& changes, Decisions& out) override {
    for (const QueueId q : changes.grown) refresh(view, q, out);
    for (const TimerId timer : changes.timers) {
      queues_[timer.value()].armed = kNever;
      refresh(view, QueueId(timer.value()), out);
    }
    for (const Finished& finished : changes.finished) serve(view, finished.executor, out);
    for (const Refused& refused : changes.refused) serve(view, refused.executor, out);
    for (const ExecutorId e : changes.executors) serve(view, e, out);
    for (const QueueId q : changes.grown) offer(view, q, out);
    for (const TimerId timer : changes.timers) offer(view, QueueId(timer.value()), out);
    for (const QueueId q : changes.grown) reject(view, q, out);
  }

 private:
  struct Place {
    std::uint32_t group;
    std::size_t position;
  };
  struct QueueState {
    std::uint32_t batch_limit = 0;
    TimePoint armed = kNever;
    bool available = false;  // its first batch may be taken
    std::vector<Place> places;
  };
  struct Scan {
    BitSet available;  // positions of the group's queues
    std::size_t cursor = 0;
  };

  // The first batch is available when it is full, or open and its first task has waited long
  // enough.
  void refresh(const View& view, QueueId q, Decisions& out) {
    const Queue& queue = view.queue(q);
    QueueState& state = queues_[q.index()];
    const TimePoint timeout = queue.empty() ? kNever : queue.front().arrival + timeout_;
    state.available = queue.size() >= state.batch_limit || timeout <= view.now();
    for (const Place& place : state.places) {
      BitSet& available = scans_[place.group].available;
      if (state.available) {
        available.set(place.position);
      } else {
        available.clear(place.position);
      }
    }
    const TimePoint wake = state.available ? kNever : timeout;
    if (wake == state.armed) return;
    state.armed = wake;
    out.wake(TimerId(q.value()), wake);
  }

  void serve(const View& view, ExecutorId e, Decisions& out) {
    if (!view.is_idle(e)) return;
    Scan& scan = scans_[view.group_of(e).index()];
    std::size_t position = scan.available.from(scan.cursor);
    if (position == BitSet::kNone) position = scan.available.first();
    if (position == BitSet::kNone) return;
    const QueueId q = view.group(view.group_of(e)).queues[position];
    out.run(e, q,
            std::min({view.queue(q).size(), queues_[q.index()].batch_limit, view.max_batch(e, q)}));
    scan.cursor = position + 1;
    refresh(view, q, out);
  }

  void offer(const View& view, QueueId q, Decisions& out) {
    while (queues_[q.index()].available) {
      const MaybeId<ExecutorId> e = view.first_idle(q);
      if (!e) return;
      serve(view, *e, out);
    }
  }

  // A task that would open a batch too many. The queue stays full, so available.
  void reject(const View& view, QueueId q, Decisions& out) {
    const std::uint64_t most = max_enqueued_ * queues_[q.index()].batch_limit;
    const std::uint32_t size = view.queue(q).size();
    if (size <= most) return;
    out.drop_newest(q, static_cast<std::uint32_t>(size - most), DropReason::kQueueFull);
  }

  std::uint32_t max_batch_;
  Duration timeout_;
  std::uint64_t max_enqueued_;
  std::vector<QueueState> queues_;
  std::vector<Scan> scans_;  // by group
};

}  // namespace

DispatcherEntry tf_serving_dispatcher() {
  return describe_dispatcher<TfServing>(
      {"tf_serving",
       "an idle executor scans the queues round robin for a batch that is full or whose first "
       "request "
       "has waited timeout_ms; a queue of max_enqueued_batches rejects",
       "SharedBatchScheduler of tensorflow 021bfd4, without batch splitting, padding and queue "
       "ranks. "
       "A worker is an executor, and there is a cursor per group of executors. Its idle workers "
       "look "
       "every 1 ms, which may delay a timeout; here they look at once",
       {integer_param("max_batch", 1000, 1, 1 << 20, "max_batch_size"),
        number_param("timeout_ms", 0, 0, 3'600'000, "batch_timeout_micros, in ms"),
        integer_param("max_enqueued_batches", 10, 1, 1 << 20,
                      "batches of one queue, the open one included")}});
}

}  // namespace tangram
