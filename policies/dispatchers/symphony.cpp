// Symphony's deferred batching: a model waits for as long as one more request would still fit, and
// models that are ready are matched with executors that are about to be free.
#include <algorithm>
#include <vector>

#include "policies/dispatcher.h"
#include "policies/dispatchers/symphony_candidate.h"
#include "sim/core/slot_tree.h"

namespace tangram {
namespace {

class Symphony final : public Dispatcher {
 public:
  explicit Symphony(const Params& params)
      : rules_(params), stale_(params.boolean("stale_timers")) {}

  // One for each queue, then one for each executor (stale_timers) or group.
  std::uint32_t timers(const View& view) const override {
    return view.queues() + (stale_ ? view.executors() : view.groups());
  }

  void start(const View& view, Decisions&) override {
    models_.reserve(view.queues());
    for (std::uint32_t q = 0; q < view.queues(); ++q) models_.emplace_back(rules_);
    for (const ExecutorClass& cls : view.deployment().classes) {
      for (const Service& service : cls.services) {
        models_[service.queue.index()].candidate.serve_by(service);
      }
    }
    for (std::uint32_t q = 0; q < view.queues(); ++q) {
      models_[q].candidate.start(rules_, view.info(QueueId(q)).slo);
    }
    for (std::uint32_t g = 0; g < view.groups(); ++g) {
      const GroupInfo& info = view.group(GroupId(g));
      groups_.emplace_back(info.executors.size(), info.queues.size());
      for (std::uint32_t i = 0; i < info.queues.size(); ++i) {
        models_[info.queues[i].index()].places.push_back({g, i});
      }
    }
    for (std::uint32_t e = 0; e < view.executors(); ++e) refresh(view, ExecutorId(e));
    if (stale_) armed_.assign(view.executors(), kNever);
  }

  void decide(const View& view, const Changes& changes, Decisions& out) override {
    for (const Finished& finished : changes.finished) refresh(view, finished.executor);
    for (const Refused& refused : changes.refused) refresh(view, refused.executor);
    for (const ExecutorId e : changes.executors) refresh(view, e);
    for (const QueueId q : changes.grown) {
      models_[q.index()].candidate.count(rules_, view.now(), view.queue(q).size());
      consider(view, q, out);
    }
    for (const TimerId timer : changes.timers) {
      if (timer.value() < view.queues()) {
        models_[timer.value()].armed = kNever;
        consider(view, QueueId(timer.value()), out);
      } else if (stale_) {
        const ExecutorId e(timer.value() - view.queues());
        armed_[e.index()] = kNever;
        executor_timer(view, e, out);
      } else {
        Group& group = groups_[timer.value() - view.queues()];
        group.armed = kNever;
        touch(group);
      }
    }
    while (!touched_.empty()) {
      const std::uint32_t g = touched_.back();
      touched_.pop_back();
      groups_[g].touched = false;
      if (stale_) {
        arm_first(view, g, out);
      } else {
        match(view, g, out);
      }
    }
  }

 private:
  struct Place {
    std::uint32_t group, position;
  };
  struct Model {
    explicit Model(const SymphonyRules& rules) : candidate(rules) {}
    SymphonyCandidate candidate;
    std::vector<Place> places;
    TimePoint armed = kNever;
    bool parked = false;
  };
  struct Group {
    Group(std::size_t executors, std::size_t queues)
        : free(executors), parked(queues), latency(queues) {}
    SlotTree free;     // executors that may take a batch, by when they are believed to be free
    SlotTree parked;   // candidates without an executor, by when they become invalid
    SlotTree latency;  // the same, longest time to send first
    TimePoint armed = kNever;
    bool touched = false;
  };
  // No time to send is longer: the tree of latencies is ranked by what is left to it.
  static constexpr std::uint64_t kLongest = std::uint64_t{1} << 62;

  void refresh(const View& view, ExecutorId e) {
    Group& group = groups_[view.group_of(e).index()];
    const ExecutorBelief& belief = view.executor(e);
    const std::uint32_t position = view.info(e).position;
    if (belief.up && belief.outstanding < view.depth()) {
      group.free.set(position, belief.free_at);
    } else {
      group.free.clear(position);
    }
    touch(group);
  }
  void touch(Group& group) {
    if (group.touched) return;
    group.touched = true;
    touched_.push_back(static_cast<std::uint32_t>(&group - groups_.data()));
  }

  // The executor that is free first. One that should be free and is not has been believed too fast:
  // it may take work again when it finishes.
  MaybeId<ExecutorId> first_free(const View& view, std::uint32_t g) {
    SlotTree& free = groups_[g].free;
    while (!free.empty()) {
      const ExecutorId e = view.group(GroupId(g)).executors[free.top()];
      const ExecutorBelief& belief = view.executor(e);
      if (belief.outstanding == 0 || belief.free_at > view.now()) return e;
      free.clear(free.top());
    }
    return {};
  }

  // Forms the candidate anew and starts it, parks it, or waits until it is to be sent.
  void consider(const View& view, QueueId q, Decisions& out) {
    while (true) {
      Model& model = models_[q.index()];
      SymphonyCandidate& candidate = model.candidate;
      candidate.form(rules_, view, q, kStart, out);
      candidate.see(view.queue(q).size());
      if (candidate.batch() == 0) {
        unpark(model);
        arm(q, kNever, out);
        return;
      }
      const Duration send = rules_.send(candidate.batch());
      const TimePoint send_at = candidate.exec_at() - send;
      if (send_at > view.now()) {
        unpark(model);
        arm(q, send_at, out);
        return;
      }
      if (stale_ && model.parked) withdraw(view, model, out);
      const MaybeId<ExecutorId> e = soonest(view, model);
      if (!e || view.executor(*e).free_at > candidate.exec_at()) {
        park(model);
        // Once it can no longer run as it is, it is formed anew.
        arm(q,
            candidate.invalid_after() == SymphonyCandidate::kPatience
                ? kNever
                : std::max(view.now(), candidate.invalid_after() - send) + Duration(1),
            out);
        return;
      }
      if (!grant(view, q, *e, out)) {
        arm(q, kNever, out);
        return;
      }
    }
  }

  MaybeId<ExecutorId> soonest(const View& view, const Model& model) {
    MaybeId<ExecutorId> best;
    for (const Place& place : model.places) {
      const MaybeId<ExecutorId> e = first_free(view, place.group);
      if (e && (!best || view.executor(*e).free_at < view.executor(*best).free_at)) best = e;
    }
    return best;
  }

  // Forms the candidate for the time at which the executor is free and sends it. Returns false when
  // nothing of it is left.
  bool grant(const View& view, QueueId q, ExecutorId e, Decisions& out) {
    Model& model = models_[q.index()];
    SymphonyCandidate& candidate = model.candidate;
    candidate.form(rules_, view, q, std::max(view.now(), view.executor(e).free_at), out);
    unpark(model);
    if (candidate.batch() == 0) return false;
    const std::uint32_t n = std::min(candidate.batch(), view.max_batch(e, q));
    out.run(e, q, n, {candidate.exec_at(), kNever});
    candidate.sent(n);
    candidate.see(view.queue(q).size());
    refresh(view, e);
    return true;
  }

  // Executors that are about to be free take the candidate that becomes invalid first.
  void match(const View& view, std::uint32_t g, Decisions& out) {
    while (true) {
      Group& group = groups_[g];
      const MaybeId<ExecutorId> e =
          group.parked.empty() ? MaybeId<ExecutorId>() : first_free(view, g);
      if (!e) {
        arm(view, g, kNever, out);
        return;
      }
      const TimePoint free = std::max(view.now(), view.executor(*e).free_at);
      const TimePoint decide_at = free - longest_send(group);
      if (decide_at > view.now()) {
        arm(view, g, decide_at, out);
        return;
      }
      const QueueId q = view.group(GroupId(g)).queues[group.parked.top()];
      if (models_[q.index()].candidate.invalid_after() < free) {
        unpark(models_[q.index()]);  // its timer forms it anew
        continue;
      }
      grant(view, q, *e, out);
      consider(view, q, out);
    }
  }
  // As the released code: the timer of the executor that is free first is set, and others are left
  // as they are. One that was given work meanwhile fires all the same: it discards every candidate
  // that becomes invalid before the executor is free again, though another would be sooner.
  void arm_first(const View& view, std::uint32_t g, Decisions& out) {
    while (true) {
      Group& group = groups_[g];
      const MaybeId<ExecutorId> e = first_free(view, g);
      if (!e) return;
      const TimePoint at =
          group.parked.empty() ? kNever : view.executor(*e).free_at - longest_send(group);
      if (at > view.now()) {
        arm(view, *e, at, out);
        return;
      }
      executor_timer(view, *e, out);
    }
  }
  // A candidate that is formed anew is no longer parked; with none left, the timer is stopped.
  void withdraw(const View& view, Model& model, Decisions& out) {
    unpark(model);
    for (const Place& place : model.places) {
      if (!groups_[place.group].parked.empty()) continue;
      const MaybeId<ExecutorId> e = first_free(view, place.group);
      if (e) arm(view, *e, kNever, out);
    }
  }
  void executor_timer(const View& view, ExecutorId e, Decisions& out) {
    if (!view.executor(e).up) return;
    const std::uint32_t g = view.group_of(e).value();
    Group& group = groups_[g];
    const TimePoint free = view.executor(e).free_at;
    const std::vector<QueueId>& queues = view.group(GroupId(g)).queues;
    while (!group.parked.empty() &&
           models_[queues[group.parked.top()].index()].candidate.invalid_after() < free) {
      unpark(models_[queues[group.parked.top()].index()]);
    }
    if (!group.parked.empty() && group.free.holds(view.info(e).position)) {
      const QueueId q = queues[group.parked.top()];
      grant(view, q, e, out);
      consider(view, q, out);
    }
    touch(group);
  }
  static Duration longest_send(const Group& group) {
    return Duration(static_cast<std::int64_t>(kLongest - group.latency.top_primary()));
  }

  void park(Model& model) {
    model.parked = true;
    const auto invalid = static_cast<std::uint64_t>(
        std::max(model.candidate.invalid_after(), kStart).time_since_epoch().count());
    const std::uint64_t left =
        kLongest - static_cast<std::uint64_t>(rules_.send(model.candidate.batch()).count());
    for (const Place& place : model.places) {
      Group& group = groups_[place.group];
      if (group.parked.primary(place.position) != invalid || !group.parked.holds(place.position)) {
        group.parked.set(place.position, invalid);
      }
      if (group.latency.primary(place.position) != left || !group.latency.holds(place.position)) {
        group.latency.set(place.position, left);
      }
      touch(group);
    }
  }
  void unpark(Model& model) {
    if (!model.parked) return;
    model.parked = false;
    for (const Place& place : model.places) {
      groups_[place.group].parked.clear(place.position);
      groups_[place.group].latency.clear(place.position);
    }
  }

  void arm(QueueId q, TimePoint t, Decisions& out) {
    Model& model = models_[q.index()];
    if (t == model.armed) return;
    model.armed = t;
    out.wake(TimerId(q.value()), t);
  }
  void arm(const View& view, ExecutorId e, TimePoint t, Decisions& out) {
    if (t == armed_[e.index()]) return;
    armed_[e.index()] = t;
    out.wake(TimerId(view.queues() + e.value()), t);
  }
  void arm(const View& view, std::uint32_t g, TimePoint t, Decisions& out) {
    Group& group = groups_[g];
    if (t == group.armed) return;
    group.armed = t;
    out.wake(TimerId(view.queues() + g), t);
  }

  SymphonyRules rules_;
  bool stale_;
  std::vector<TimePoint> armed_;  // by executor; stale_timers only
  std::vector<Model> models_;     // by queue
  std::vector<Group> groups_;
  std::vector<std::uint32_t> touched_;  // groups to match
};

}  // namespace

DispatcherEntry symphony_dispatcher() {
  return describe_dispatcher<Symphony>(
      {"symphony",
       "a batch waits until one more request would no longer fit before its first deadline; "
       "batches "
       "that are ready take the executor that is free first, and executors that are about to be "
       "free take the batch whose last chance comes first",
       "Symphony (Chen et al., arXiv 2308.07470; code abcdabcd987/nexuslb dbb9043, and the windows "
       "timeout and beta_lambda of its branch priority). Departs: an executor holds what the "
       "scenario's depth allows; one that overruns its prediction gets nothing until it finishes",
       {number_param("control_ms", 0.1, 0, 60'000, "time for a decision to reach an executor"),
        number_param("data_ms", 0.05, 0, 60'000, "time to move one request's input to it"),
        number_param("response_ms", 2, 0, 60'000, "taken off every SLO for the way back"),
        number_param("margin_ms", 0.1, 0, 60'000, "kept back before each deadline for late timers"),
        choice_param(
            "window", "frontrun", SymphonyRules::windows(),
            "when a batch may start: when one more request would no longer fit; at once; at "
            "once from the target batch on; a target batch's time after the last start; at "
            "the last moment; timeout_pct after the oldest arrival; at once where waiting "
            "does not pay"),
        choice_param("drop", "window", SymphonyRules::drops(),
                     "requests to drop: those in the way of a full batch; those that cannot be met "
                     "even alone; none"),
        number_param("timeout_pct", 20, 0, 100, "window timeout: wait, as a share of the SLO"),
        number_param("rate_window_ms", 50, 1, 60'000, "window over which arrivals are counted"),
        integer_param("rate_windows", 100, 1, 10'000, "windows whose mean is the rate"),
        bool_param("stale_timers", true,
                   "as the released code: the timer of an executor that was given work meanwhile "
                   "still fires, and discards the candidates that would be too late for it")}});
}

}  // namespace tangram
