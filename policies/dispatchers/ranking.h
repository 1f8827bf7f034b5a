// For policies that never leave an executor idle while it could work: ranks the waiting queues of
// each executor group, and the loop that hands them out. O(log queues) per decision.
#pragma once

#include <optional>
#include <vector>

#include "policies/dispatcher.h"
#include "sim/core/slot_tree.h"

namespace tangram {

// The waiting queues of each group, smallest key first; ties go to the lower position in the group.
class QueueRanking {
 public:
  void start(const View& view) {
    std::vector<std::vector<Place>> places(view.queues());
    for (std::uint32_t g = 0; g < view.groups(); ++g) {
      const std::vector<QueueId>& queues = view.group(GroupId(g)).queues;
      only_.push_back(queues.size() == 1 ? MaybeId<QueueId>(queues.front()) : MaybeId<QueueId>());
      trees_.emplace_back(queues.size());
      if (queues.size() == 1) continue;  // nothing to rank
      any_compete_ = true;
      for (std::size_t i = 0; i < queues.size(); ++i) {
        places[queues[i].index()].push_back({g, static_cast<std::uint32_t>(i)});
      }
    }
    for (const std::vector<Place>& list : places) {
      first_.push_back(static_cast<std::uint32_t>(places_.size()));
      places_.insert(places_.end(), list.begin(), list.end());
    }
    first_.push_back(static_cast<std::uint32_t>(places_.size()));
  }
  // Whether there is any queue that competes with others.
  bool any_compete() const { return any_compete_; }
  // Whether the queue competes with others in some group; where it does not, ranking it is no use.
  bool competes(QueueId q) const { return first_[q.index()] != first_[q.index() + 1]; }
  // Ranks a queue by this key in every group that serves it; kNever takes it out.
  void set(QueueId q, TimePoint key) {
    const auto primary = static_cast<std::uint64_t>(key.time_since_epoch().count());
    for (std::uint32_t i = first_[q.index()]; i < first_[q.index() + 1]; ++i) {
      SlotTree& tree = trees_[places_[i].group];
      if (key == kNever) {
        tree.clear(places_[i].position);
      } else if (tree.primary(places_[i].position) != primary) {
        tree.set(places_[i].position, primary);
      }
    }
  }
  // The waiting queue with the smallest key among those that the group serves.
  MaybeId<QueueId> best(const View& view, GroupId g) const {
    if (const MaybeId<QueueId> q = only_[g.index()]) {
      return view.queue(*q).empty() ? MaybeId<QueueId>() : q;
    }
    const SlotTree& tree = trees_[g.index()];
    if (tree.empty()) return {};
    return view.group(g).queues[tree.top()];
  }

 private:
  struct Place {
    std::uint32_t group, position;
  };
  bool any_compete_ = false;
  std::vector<MaybeId<QueueId>> only_;  // by group: its queue, where it has just one
  std::vector<SlotTree> trees_;         // by group
  std::vector<Place> places_;           // where queue q is ranked: [first_[q], first_[q + 1])
  std::vector<std::uint32_t> first_;
};

// A work-conserving policy. Rule provides
//   TimePoint rank(const View&, QueueId) const;
//       the waiting queue's key, smallest first
//   std::uint32_t size(const View&, ExecutorId, QueueId);
//       its batch on that executor, >= 1; called once for each batch
// and, if it drops requests,
//   bool prune(const View&, QueueId, Decisions&);
//       called before each batch; says whether it dropped any
// State of its own is made in start(), which calls this one first, and may change in size and
// prune. A queue's key is asked for when requests come or go, or later: it must follow from what
// the queue holds and from nothing that changes by itself.
template <typename Rule>
class WorkConserving : public Dispatcher {
 public:
  void start(const View& view, Decisions&) override { ranking_.start(view); }
  bool prune(const View&, QueueId, Decisions&) const { return false; }
  // While nobody is idle it only ranks, by what the queue holds and not by the time.
  bool only_serves_idle() const final { return true; }

  void decide(const View& view, const Changes& changes, Decisions& out) override {
    if (ranking_.any_compete()) {
      for (const QueueId q : changes.grown) rank(view, q);
    }
    // Whoever became free takes the best of what waits; then whoever was free takes what is new.
    for (const Finished& finished : changes.finished) serve(view, finished.executor, out);
    if (changes.rare) [[unlikely]]
      serve_again(view, changes, out);
    for (const QueueId q : changes.grown) {
      while (!view.queue(q).empty()) {
        const MaybeId<ExecutorId> e = view.first_idle(q);
        if (!e) break;
        serve(view, *e, out);
      }
    }
  }

 private:
  Rule& rule() { return static_cast<Rule&>(*this); }

  void rank(const View& view, QueueId q) {
    if (!ranking_.any_compete() || !ranking_.competes(q)) return;
    ranking_.set(q, view.queue(q).empty() ? kNever : rule().rank(view, q));
  }
  // What changed by accident. Out of line: the loop above is for every instant.
  [[gnu::noinline]] void serve_again(const View& view, const Changes& changes, Decisions& out) {
    for (const Refused& refused : changes.refused) serve(view, refused.executor, out);
    for (const ExecutorId e : changes.executors) serve(view, e, out);
  }
  void serve(const View& view, ExecutorId e, Decisions& out) {
    if (!view.is_idle(e)) return;
    const GroupId group = view.group_of(e);
    while (const MaybeId<QueueId> q = ranking_.best(view, group)) {
      const bool pruned = rule().prune(view, *q, out);
      if (!pruned) out.run(e, *q, rule().size(view, e, *q));
      rank(view, *q);
      if (!pruned) return;
    }
  }

  QueueRanking ranking_;
};

}  // namespace tangram
