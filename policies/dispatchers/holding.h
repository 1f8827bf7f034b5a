// For policies that hold requests back to fill a batch: ranks the queues of each executor class by
// the time at which they are due, wakes at that time, and hands out what is due. O(log queues) per
// decision and class.
#pragma once

#include <algorithm>
#include <optional>
#include <vector>

#include "policies/dispatcher.h"
#include "policies/dispatchers/idle_members.h"
#include "sim/core/slot_tree.h"

namespace tangram {

// When a batch of `target` is complete or the oldest request has waited for `patience` (nullopt:
// for ever), whichever is first; kNever for neither. Requires: queue not empty, target >= 1.
inline TimePoint full_or_waited(const Queue& queue,
                                std::uint32_t target,
                                std::optional<Duration> patience) {
  TimePoint due = patience ? queue.front().arrival + *patience : kNever;
  if (queue.size() >= target) due = std::min(due, queue[target - 1].arrival);
  return due;
}

// An idle executor serves the queue that was due first among those that are due. Rule provides
//   TimePoint due(const View&, QueueId, const Service&) const;
//       when the queue, not empty, is due on executors of this class; a function of the queue
//       alone, so that it changes only when the queue does
//   std::uint32_t size(const View&, QueueId, const Service&);
//       the batch, once due; >= 1; called once for each batch
// and, if it drops requests,
//   bool prune(const View&, QueueId, Decisions&);
//       called before each batch; says whether it dropped any
//   std::uint32_t limit() const;
//       the longest queue; newer requests are dropped
template <typename Rule>
class Holding : public Dispatcher {
 public:
  std::uint32_t timers(const View& view) const override { return view.queues(); }

  void start(const View& view, Decisions&) override {
    const Deployment& deployment = view.deployment();
    places_.resize(view.queues());
    armed_.resize(view.queues(), kNever);
    for (std::uint32_t c = 0; c < deployment.classes.size(); ++c) {
      const std::vector<Service>& services = deployment.classes[c].services;
      due_.emplace_back(services.size());
      for (std::uint32_t i = 0; i < services.size(); ++i) {
        places_[services[i].queue.index()].push_back({c, i});
      }
    }
    idle_.start(view);
  }

  void decide(const View& view, const Changes& changes, Decisions& out) override {
    for (const QueueId q : changes.grown) rank(view, q, out);
    for (const TimerId timer : changes.timers) {
      armed_[timer.value()] = kNever;
      rank(view, QueueId(timer.value()), out);
    }
    for (const Finished& finished : changes.finished) serve(view, finished.executor, out);
    for (const Refused& refused : changes.refused) serve(view, refused.executor, out);
    for (const ExecutorId e : changes.executors) serve(view, e, out);
    for (const QueueId q : changes.grown) offer(view, q, out);
    for (const TimerId timer : changes.timers) offer(view, QueueId(timer.value()), out);
    for (const QueueId q : changes.grown) trim(view, q, out);
  }

  bool prune(const View&, QueueId, Decisions&) const { return false; }
  std::uint32_t limit() const { return ~std::uint32_t{0}; }

 private:
  struct Place {
    std::uint32_t cls, service;
  };
  Rule& rule() { return static_cast<Rule&>(*this); }

  // Ranks the queue in every class that serves it, and wakes when it is next due in one of them.
  void rank(const View& view, QueueId q, Decisions& out) {
    const bool empty = view.queue(q).empty();
    TimePoint next = kNever;
    for (const Place& place : places_[q.index()]) {
      SlotTree& tree = due_[place.cls];
      const Service& service = view.deployment().classes[place.cls].services[place.service];
      const TimePoint due = empty ? kNever : rule().due(view, q, service);
      if (due == kNever) {
        tree.clear(place.service);
      } else {
        tree.set(place.service, due);
      }
      if (due > view.now()) next = std::min(next, due);
    }
    if (next == armed_[q.index()]) return;
    armed_[q.index()] = next;
    out.wake(TimerId(q.value()), next);
  }

  bool any_due(const View& view, std::uint32_t cls) const {
    const auto now = static_cast<std::uint64_t>(view.now().time_since_epoch().count());
    return !due_[cls].empty() && due_[cls].top_primary() <= now;
  }

  // Gives an executor whose state changed the queue that was due first.
  void serve(const View& view, ExecutorId e, Decisions& out) {
    idle_.note(view, e);
    const std::uint32_t cls = view.info(e).cls.value();
    while (view.is_idle(e) && any_due(view, cls)) {
      const Service& service = view.deployment().classes[cls].services[due_[cls].top()];
      const QueueId q = service.queue;
      if (!rule().prune(view, q, out)) {
        out.run(e, q, rule().size(view, q, service));
        idle_.note(view, e);
      }
      rank(view, q, out);
    }
  }

  // Gives idle executors of every class in which the queue may be due what is due there.
  void offer(const View& view, QueueId q, Decisions& out) {
    for (const Place& place : places_[q.index()]) {
      while (any_due(view, place.cls)) {
        const MaybeId<ExecutorId> e = idle_.first(place.cls);
        if (!e) break;
        serve(view, *e, out);
      }
    }
  }

  void trim(const View& view, QueueId q, Decisions& out) {
    const std::uint32_t size = view.queue(q).size();
    if (size <= rule().limit()) return;
    out.drop_newest(q, size - rule().limit(), DropReason::kQueueFull);
    rank(view, q, out);
  }

  std::vector<SlotTree> due_;               // by class, by service: the queue's due time
  std::vector<std::vector<Place>> places_;  // by queue: where it is ranked
  std::vector<TimePoint> armed_;            // by queue: its timer
  IdleMembers idle_;
};

}  // namespace tangram
