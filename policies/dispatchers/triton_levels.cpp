// Triton's queue of priority levels. A batcher is a model (or, without levels, a workload) on the
// executors of one class; its queue has levels, each of the queues of workloads.
#include <map>
#include <tuple>
#include <utility>

#include "policies/dispatchers/idle_members.h"
#include "policies/dispatchers/triton.h"
#include "sim/core/slot_tree.h"

namespace tangram::triton {
namespace {

class Levels final : public Dispatcher {
 public:
  explicit Levels(const Params& params) : params_(params) {}

  std::uint32_t timers(const View&) const override { return 1; }

  void start(const View& view, Decisions&) override {
    settings_.emplace(params_, view);
    if (settings_->limiter) limiter_.emplace(*settings_->limiter, view);
    batchers_of_.resize(view.queues());
    const Deployment& deployment = view.deployment();
    for (std::uint32_t c = 0; c < deployment.classes.size(); ++c) add_batchers(view, c);
    next_ = SlotTree(batchers_.size());
    for (std::uint32_t e = 0; e < view.executors(); ++e) release(view, ExecutorId(e));
    idle_.start(view);
    group_queues(view);
  }

  void decide(const View& view, const Changes& changes, Decisions& out) override {
    woken_.clear();
    for (const QueueId q : changes.grown) rank_all(view, q);
    while (!next_.empty() && next_.top_primary() <= ticks(view.now())) {
      woken_.push_back(batchers_[next_.top()].cls);
      rank(view, next_.top());
    }
    if (limiter_) {
      for (const Finished& finished : changes.finished) note(view, finished.executor);
      for (const Refused& refused : changes.refused) note(view, refused.executor);
      for (const ExecutorId e : changes.executors) note(view, e);
      allocate(view, out);
    } else {
      for (const Finished& finished : changes.finished) serve(view, finished.executor, out);
      for (const Refused& refused : changes.refused) serve(view, refused.executor, out);
      for (const ExecutorId e : changes.executors) serve(view, e, out);
      for (const QueueId q : changes.grown) {
        for (const std::uint32_t b : batchers_of_[q.index()]) offer(view, batchers_[b].cls, out);
      }
      for (const std::uint32_t cls : woken_) offer(view, cls, out);
    }
    for (const QueueId q : changes.grown) trim(view, q, out);
    const TimePoint next =
        next_.empty() ? kNever : kStart + Duration(static_cast<std::int64_t>(next_.top_primary()));
    if (next != armed_) out.wake(TimerId(0), next);
    armed_ = next;
  }

 private:
  struct Level {
    const LevelPolicy* policy = nullptr;
    std::uint32_t place = 0;
    std::vector<QueueId> queues;
  };
  struct Batcher {
    std::uint32_t cls = 0;
    std::uint32_t slot = 0;  // in the class's tree
    ModelId model;
    std::uint32_t most = 0;  // the largest batch
    std::vector<Level> levels;
  };
  // What the cursor passes over: how many requests, and since when the oldest of them waits.
  struct Passed {
    std::uint32_t count = 0;
    TimePoint oldest = kNever;
  };

  static std::uint64_t ticks(TimePoint t) {
    return static_cast<std::uint64_t>(t.time_since_epoch().count());
  }

  void add_batchers(const View& view, std::uint32_t c) {
    std::map<std::uint32_t, std::uint32_t> found;  // by model or queue
    std::vector<std::uint32_t>& here = of_class_.emplace_back();
    for (const Service& service : view.deployment().classes[c].services) {
      if (service.max_batch == 0) continue;
      const QueueInfo& info = view.info(service.queue);
      const std::uint32_t key = settings_->has_levels ? info.model.value() : service.queue.value();
      const auto [it, is_new] =
          found.try_emplace(key, static_cast<std::uint32_t>(batchers_.size()));
      if (is_new) {
        batchers_.push_back({c,
                             static_cast<std::uint32_t>(here.size()),
                             info.model,
                             settings_->rule.max_batch,
                             {}});
        here.push_back(it->second);
      }
      Batcher& batcher = batchers_[it->second];
      batcher.most = std::min(batcher.most, service.max_batch);
      level_of(batcher, settings_->places[info.workload.index()]).queues.push_back(service.queue);
      batchers_of_[service.queue.index()].push_back(it->second);
    }
    due_.emplace_back(here.size());
  }

  // The batcher's level at this place; levels stay in their order.
  Level& level_of(Batcher& batcher, std::uint32_t place) const {
    auto it = batcher.levels.begin();
    while (it != batcher.levels.end() && it->place < place) ++it;
    if (it == batcher.levels.end() || it->place != place) {
      it = batcher.levels.insert(it, {&settings_->levels[place], place, {}});
    }
    return *it;
  }

  // A limit holds for a level of a model's queue; where each executor has a queue, for that.
  void group_queues(const View& view) {
    const bool is_central = view.deployment().routing == Routing::kCentral;
    std::map<std::tuple<std::uint32_t, std::uint32_t, std::uint32_t>, std::uint32_t> found;
    for (std::uint32_t q = 0; q < view.queues(); ++q) {
      const QueueInfo& info = view.info(QueueId(q));
      const std::uint32_t place = settings_->places[info.workload.index()];
      const std::uint32_t where =
          is_central || info.groups.empty() ? 0 : info.groups.front().value() + 1;
      const std::uint32_t what = settings_->has_levels ? info.model.value() : q;
      const auto [it, is_new] = found.try_emplace(std::tuple{what, place, where},
                                                  static_cast<std::uint32_t>(limited_.size()));
      if (is_new) limited_.push_back({&settings_->levels[place], place, {}});
      limited_[it->second].queues.emplace_back(q);
      limited_of_.push_back(it->second);
    }
  }

  void note(const View& view, ExecutorId e) {
    release(view, e);
    idle_.note(view, e);
  }
  void release(const View& view, ExecutorId e) {
    if (limiter_) limiter_->release(view, e);
  }

  void rank_all(const View& view, QueueId q) {
    for (const std::uint32_t b : batchers_of_[q.index()]) rank(view, b);
  }
  void rank(const View& view, std::uint32_t b) {
    const Batcher& batcher = batchers_[b];
    const TimePoint due = due_of(view, batcher);
    if (due == kNever) {
      due_[batcher.cls].clear(batcher.slot);
    } else {
      due_[batcher.cls].set(batcher.slot, due);
    }
    if (due == kNever || due <= view.now()) {
      next_.clear(b);
    } else {
      next_.set(b, due);
    }
  }

  // When the smallest preferred size was there, the oldest has waited for the delay, or a request
  // is to be rejected, whichever is first.
  TimePoint due_of(const View& view, const Batcher& batcher) {
    const std::uint32_t wanted = settings_->rule.smallest_preferred(batcher.most);
    std::uint32_t total = 0;
    TimePoint due = kNever;
    all_.clear();
    for (const Level& level : batcher.levels) {
      for (const QueueId q : level.queues) {
        const Queue& queue = view.queue(q);
        if (queue.empty()) continue;
        total += queue.size();
        all_.push_back({q, 0, 0});
        due = std::min(due, queue.front().arrival + settings_->rule.delay);
        if (level.policy->timeout == Duration::zero() || level.policy->delays) continue;
        due = std::min(due, expires(queue.front(), *level.policy));
      }
    }
    if (total < wanted) return due;
    TimePoint last = kNever;
    for (std::uint32_t i = 0; i < wanted; ++i) last = next_of(view, all_)->arrival;
    return std::min(due, last);
  }

  // The oldest request that the picks have not taken yet, which takes it: a pick has n from the
  // first-th on.
  static const Request* next_of(const View& view, std::span<Pick> picks) {
    const Request* best = nullptr;
    Pick* from = nullptr;
    for (Pick& pick : picks) {
      const Queue& queue = view.queue(pick.queue);
      if (pick.first + pick.n >= queue.size()) continue;
      const Request& request = queue[pick.first + pick.n];
      if (best != nullptr && std::pair(best->arrival, best->id.value) <=
                                 std::pair(request.arrival, request.id.value)) {
        continue;
      }
      best = &request;
      from = &pick;
    }
    if (from != nullptr) ++from->n;
    return best;
  }

  static std::uint32_t expired(const View& view, QueueId q, const LevelPolicy& policy) {
    if (policy.timeout == Duration::zero()) return 0;
    const Queue& queue = view.queue(q);
    std::uint32_t n = 0;
    while (n < queue.size() && expires(queue[n], policy) <= view.now()) ++n;
    return n;
  }

  // Rejects what has expired in the levels that the cursor reaches. Says whether there was any.
  bool reject(const View& view, const Batcher& batcher, Decisions& out) const {
    std::uint32_t pending = 0;
    bool any = false;
    for (const Level& level : batcher.levels) {
      if (pending >= batcher.most) break;
      for (const QueueId q : level.queues) {
        const std::uint32_t n = level.policy->delays ? 0 : expired(view, q, *level.policy);
        out.drop_oldest(q, n, DropReason::kTimeout);
        any = any || n > 0;
        pending += view.queue(q).size();
      }
    }
    return any;
  }

  // Moves the cursor over at most `most` requests: level by level, in each those that have not
  // expired, then those that have, each in the order of arrival. picks_ has them.
  Passed pass(const View& view, const Batcher& batcher, std::uint32_t most) {
    Passed passed;
    picks_.clear();
    for (const Level& level : batcher.levels) {
      const std::size_t begin = picks_.size();
      for (const QueueId q : level.queues) {
        picks_.push_back({q, 0, level.policy->delays ? expired(view, q, *level.policy) : 0});
      }
      pass_over(view, begin, most, passed);
      if (!level.policy->delays) continue;
      // A pick before this one has taken requests behind these, so their places have not moved.
      const std::size_t behind = picks_.size();
      for (const QueueId q : level.queues) picks_.push_back({q, 0, 0});
      pass_over_expired(view, *level.policy, behind, most, passed);
    }
    std::erase_if(picks_, [](const Pick& pick) { return pick.n == 0; });
    return passed;
  }
  void pass_over(const View& view, std::size_t begin, std::uint32_t most, Passed& passed) {
    while (passed.count < most) {
      const Request* request = next_of(view, std::span(picks_).subspan(begin));
      if (request == nullptr) return;
      ++passed.count;
      passed.oldest = std::min(passed.oldest, request->arrival);
    }
  }
  void pass_over_expired(const View& view,
                         const LevelPolicy& policy,
                         std::size_t begin,
                         std::uint32_t most,
                         Passed& passed) {
    std::uint32_t left = 0;
    for (std::size_t i = begin; i < picks_.size(); ++i) {
      left += expired(view, picks_[i].queue, policy);
    }
    // Expired ones are older than all others, so the merge meets them first.
    for (; left > 0 && passed.count < most; --left) {
      const Request* request = next_of(view, std::span(picks_).subspan(begin));
      ++passed.count;
      passed.oldest = std::min(passed.oldest, request->arrival);
    }
  }

  bool any_due(const View& view, std::uint32_t cls) const {
    return !due_[cls].empty() && due_[cls].top_primary() <= ticks(view.now());
  }

  // Runs a batch, or rejects what must go before. Requires: due.
  bool send(const View& view, const Batcher& batcher, ExecutorId e, Decisions& out) {
    const bool rejected = reject(view, batcher, out);
    if (!rejected) {
      const Passed all = pass(view, batcher, batcher.most);
      const std::uint32_t n =
          settings_->rule.size(all.count, batcher.most, view.now() - all.oldest);
      if (n < all.count) pass(view, batcher, n);
      out.run(e, picks_);
      note(view, e);
    }
    for (const Level& level : batcher.levels) {
      for (const QueueId q : level.queues) rank_all(view, q);
    }
    return !rejected;
  }

  // As Holding: what was due first, among what the executor serves.
  void serve(const View& view, ExecutorId e, Decisions& out) {
    note(view, e);
    const std::uint32_t cls = view.info(e).cls.value();
    while (view.is_idle(e) && any_due(view, cls)) {
      send(view, batchers_[of_class_[cls][due_[cls].top()]], e, out);
    }
  }
  void offer(const View& view, std::uint32_t cls, Decisions& out) {
    while (any_due(view, cls)) {
      const MaybeId<ExecutorId> e = idle_.first(cls);
      if (!e) break;
      serve(view, *e, out);
    }
  }

  // The rate limiter's line: idle instances with a batch that is due. O(idle executors x models)
  // for each batch.
  void allocate(const View& view, Decisions& out) {
    while (true) {
      std::tuple<std::uint64_t, TimePoint, std::uint32_t> first;
      const Batcher* chosen = nullptr;
      for (std::uint32_t c = 0; c < idle_.classes(); ++c) {
        if (!any_due(view, c)) continue;
        for (auto next = idle_.first(c); next; next = idle_.next(c, *next)) {
          const ExecutorId e = *next;
          for (const std::uint32_t b : of_class_[c]) {
            const Batcher& batcher = batchers_[b];
            if (!due_[c].holds(batcher.slot)) continue;
            const std::uint64_t due = due_[c].primary(batcher.slot);
            if (due > ticks(view.now())) continue;
            const std::tuple key{limiter_->rank(view, e, batcher.model),
                                 kStart + Duration(static_cast<std::int64_t>(due)), e.value()};
            if (chosen != nullptr && key >= first) continue;
            first = key;
            chosen = &batcher;
          }
        }
      }
      if (chosen == nullptr) return;
      const ExecutorId e(std::get<2>(first));
      if (!limiter_->fits(view, e, chosen->model)) return;  // and whoever is behind it waits
      if (send(view, *chosen, e, out)) limiter_->take(view, e, chosen->model);
    }
  }

  void trim(const View& view, QueueId q, Decisions& out) {
    const Level& level = limited_[limited_of_[q.index()]];
    std::uint64_t total = 0;
    for (const QueueId peer : level.queues) total += view.queue(peer).size();
    for (; total > level.policy->limit; --total) {
      QueueId newest = q;
      TimePoint latest = kStart;
      for (const QueueId peer : level.queues) {
        const Queue& queue = view.queue(peer);
        if (queue.empty() || queue[queue.size() - 1].arrival < latest) continue;
        latest = queue[queue.size() - 1].arrival;
        newest = peer;
      }
      out.drop_newest(newest, 1, DropReason::kQueueFull);
      rank_all(view, newest);
    }
  }

  Params params_;
  std::optional<Settings> settings_;
  std::optional<RateLimiter> limiter_;
  std::vector<Batcher> batchers_;
  std::vector<std::vector<std::uint32_t>> of_class_;     // batchers by class
  std::vector<std::vector<std::uint32_t>> batchers_of_;  // by queue
  std::vector<SlotTree> due_;                            // by class, of its batchers
  SlotTree next_;                                        // of batchers that are due later
  TimePoint armed_ = kNever;
  IdleMembers idle_;
  std::vector<Level> limited_;             // queues that share a limit
  std::vector<std::uint32_t> limited_of_;  // by queue: index into limited_
  std::vector<std::uint32_t> woken_;       // scratch: classes
  std::vector<Pick> all_, picks_;          // scratch
};

}  // namespace

std::unique_ptr<Dispatcher> make_levels(const Params& params) {
  return std::make_unique<Levels>(params);
}

}  // namespace tangram::triton
