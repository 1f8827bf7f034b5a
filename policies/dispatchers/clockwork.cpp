// Clockwork: predicts when each executor is free from measured durations, books work a little ahead
// with a window for its start, drops what cannot be in time, and loads weights by demand.
#include <algorithm>
#include <bit>
#include <vector>

#include "policies/dispatcher.h"
#include "policies/dispatchers/clockwork_loads.h"
#include "policies/dispatchers/sliding_max.h"
#include "sim/core/slot_tree.h"

namespace tangram {
namespace {

// In the original every request makes a strategy per batch size and executor, and each executor
// pops them by their latest start, discarding those that are stale, too large for the requests that
// wait, smaller than what waits, or too late. What is left of that for a queue is one strategy: the
// first request i for which the largest supported batch that waits from i on still finishes by the
// deadline of i. So queues are ranked, not strategies.
class Clockwork final : public Dispatcher {
 public:
  static constexpr bool kLoadsWeights = true;

  explicit Clockwork(const Params& params)
      : ahead_(params.ms("schedule_ahead_ms")),
        margin_(params.ms("margin_ms")),
        soonest_(params.ms("future_ms")),
        lag_(params.ms("lag_ms")),
        max_exec_(params.ms("max_exec_ms")),
        poll_(params.ms("poll_ms")),
        max_batch_(static_cast<std::uint32_t>(params.integer("max_batch"))),
        window_(static_cast<std::uint32_t>(params.integer("estimate_window"))),
        loads_({params.ms("default_slo_ms"), params.ms("load_slo_ms"), params.ms("load_every_ms"),
                static_cast<std::uint32_t>(params.integer("loads_ahead"))}) {}

  // One for each queue, one for each group, one to poll and one for loads.
  std::uint32_t timers(const View& view) const override { return poll_timer(view) + 2; }

  void start(const View& view, Decisions&) override {
    for (std::uint32_t q = 0; q < view.queues(); ++q) {
      Model& model = models_.emplace_back();
      const QueueInfo& info = view.info(QueueId(q));
      model.model = info.model;
      model.patience = std::max(info.slo - margin_, ahead_ + margin_);
    }
    for (const ExecutorClass& cls : view.deployment().classes) {
      std::vector<Estimates>& list = estimates_.emplace_back();
      for (const Service& service : cls.services) list.push_back(estimates_of(service));
    }
    for (std::uint32_t g = 0; g < view.groups(); ++g) {
      const GroupInfo& info = view.group(GroupId(g));
      groups_.emplace_back(info.executors.size(), info.queues.size());
      for (std::uint32_t i = 0; i < info.queues.size(); ++i) {
        models_[info.queues[i].index()].places.push_back({g, i});
      }
    }
    executors_.resize(view.executors());
    for (std::uint32_t e = 0; e < view.executors(); ++e) refresh(view, ExecutorId(e));
    if (view.manages_weights()) loads_.start(view);
    touched_.clear();
    for (Group& group : groups_) group.touched = false;
  }

  void decide(const View& view, const Changes& changes, Decisions& out) override {
    for (const Finished& finished : changes.finished) {
      measure(view, finished);
      over(view, finished.executor, finished.queue, finished.batch, finished.end);
    }
    for (const Refused& refused : changes.refused) {
      over(view, refused.executor, refused.queue, refused.batch, view.now());
    }
    for (const ExecutorId e : changes.executors) {
      refresh(view, e);
      touch(view.group_of(e).value());
    }
    for (const QueueId q : changes.grown) {
      rank(view, q);
      watch(view, q, out);
    }
    bool polled = poll_ == Duration::zero();
    for (const TimerId timer : changes.timers) {
      if (timer.value() < view.queues()) {
        expire(view, QueueId(timer.value()), out);
      } else if (timer.value() < poll_timer(view)) {
        const std::uint32_t g = timer.value() - view.queues();
        groups_[g].armed = kNever;
        touch(g);
        polled = true;
      } else if (timer.value() == poll_timer(view)) {
        poll_armed_ = false;
        polled = true;
      } else {
        loads_.woken();
      }
    }
    for (const QueueId q : changes.grown) pending_.push_back(q);
    if (polled) {
      look(view, out);
    } else if (!poll_armed_ && (!pending_.empty() || !touched_.empty())) {
      poll_armed_ = true;
      out.wake(TimerId(poll_timer(view)), next_poll(view.now()));
    }
    if (view.manages_weights()) [[unlikely]]
      manage_loads(view, changes, out);
  }

 private:
  struct Place {
    std::uint32_t group, position;
  };
  struct Model {
    ModelId model;
    Duration patience{};  // from a request's arrival to its internal deadline
    TimePoint armed = kNever;
    std::vector<Place> places;
  };
  // Of one service of one class: durations of the supported batch sizes 1, 2, 4 ...
  struct Estimates {
    std::vector<Duration> by_log;
    std::vector<SlidingMax> measured;
  };
  struct Work {
    BatchId batch;
    TimePoint begin;
    Duration estimate{};
  };
  struct Executor {
    std::vector<Work> outstanding;  // in the order of their start
    TimePoint free = kStart;        // as predicted; may be in the past
  };
  struct Group {
    Group(std::size_t executors, std::size_t queues)
        : free(executors), booked(executors), hungry(executors), waiting(queues) {}
    SlotTree free;     // executors that may take a batch, by when they are predicted to be free
    SlotTree booked;   // those of them that are not hungry
    BitSet hungry;     // the others: less than schedule_ahead is booked
    SlotTree waiting;  // queues, by the latest start of their next batch
    TimePoint armed = kNever;
    bool touched = false;
  };

  static std::uint32_t poll_timer(const View& view) { return view.queues() + view.groups(); }
  // The next time at which executors look for work.
  TimePoint next_poll(TimePoint t) const {
    if (poll_ == Duration::zero()) return t;
    return kStart + (t - kStart + poll_ - Duration(1)) / poll_ * poll_;
  }
  void look(const View& view, Decisions& out) {
    for (const QueueId q : pending_) {
      for (const Place& place : models_[q.index()].places) {
        if (settle(view, place.group) || view.manages_weights()) touch(place.group);
      }
    }
    while (!touched_.empty()) {
      const std::uint32_t g = touched_.back();
      touched_.pop_back();
      groups_[g].touched = false;
      feed(view, g, out);
    }
    for (const QueueId q : pending_) offer(view, q, out);
    pending_.clear();
  }

  Estimates estimates_of(const Service& service) const {
    Estimates estimates;
    for (std::uint32_t b = 1; b <= std::min(max_batch_, service.max_batch); b *= 2) {
      if (b > 1 && service.predicted[b] > max_exec_) break;
      estimates.by_log.push_back(service.predicted[b]);
      estimates.measured.emplace_back(window_);
    }
    return estimates;
  }
  Estimates& estimates(const View& view, ExecutorId e, QueueId q) {
    const std::uint32_t cls = view.info(e).cls.value();
    return estimates_[cls][view.deployment().classes[cls].index_of(q)];
  }
  // The largest supported batch of at most n requests, as its logarithm. Requires: n >= 1.
  static std::size_t log_batch(const Estimates& estimates, std::uint32_t n) {
    return std::min<std::size_t>(static_cast<std::size_t>(std::bit_width(n)) - 1,
                                 estimates.by_log.size() - 1);
  }

  void measure(const View& view, const Finished& finished) {
    Estimates& known = estimates(view, finished.executor, finished.queue);
    const auto log = static_cast<std::size_t>(std::bit_width(finished.count)) - 1;
    known.by_log[log] = known.measured[log].add(finished.end - finished.start);
  }

  // Work is over: what is behind it starts now.
  void over(const View& view, ExecutorId e, QueueId q, BatchId batch, TimePoint end) {
    std::vector<Work>& work = executors_[e.index()].outstanding;
    const auto found = std::find_if(work.begin(), work.end(),
                                    [batch](const Work& one) { return one.batch == batch; });
    const bool first = found == work.begin();
    if (found != work.end()) work.erase(found);
    if (first && !work.empty()) work.front().begin = end;
    if (view.manages_weights()) loads_.done(view, e, q);
    refresh(view, e);
  }

  // When all that is booked is predicted to be done. A batch that is overdue by more than lag_ms
  // does not push the others any more.
  TimePoint predicted_free(const View& view, const Executor& executor) const {
    if (executor.outstanding.empty()) return kStart;
    TimePoint free = std::max(view.now() - lag_, executor.outstanding.front().begin);
    for (const Work& work : executor.outstanding) {
      free = std::max(free, work.begin) + work.estimate;
    }
    return free;
  }
  TimePoint available(const View& view, const Executor& executor) const {
    return std::max(executor.free, view.now() + soonest_);
  }

  void refresh(const View& view, ExecutorId e) {
    Executor& executor = executors_[e.index()];
    const std::uint32_t g = view.group_of(e).value();
    Group& group = groups_[g];
    const std::uint32_t position = view.info(e).position;
    const TimePoint before = executor.free;
    executor.free = predicted_free(view, executor);
    if (!view.executor(e).up || view.executor(e).outstanding >= view.depth()) {
      group.hungry.clear(position);
      group.free.clear(position);
      if (group.booked.holds(position)) group.booked.clear(position);
      return;
    }
    const bool could = group.free.holds(position);
    group.free.set(position, std::max(executor.free, kStart));
    const bool is_hungry = hungry(view, executor);
    if (is_hungry) {
      if (group.booked.holds(position)) group.booked.clear(position);
      if (!group.hungry.test(position) || !could || executor.free < before) touch(g);
      group.hungry.set(position);
    } else {
      group.booked.set(position, executor.free);
      group.hungry.clear(position);
      touch(g);
    }
  }
  void touch(std::uint32_t g) {
    if (groups_[g].touched) return;
    groups_[g].touched = true;
    touched_.push_back(g);
  }

  TimePoint deadline(const View& view, QueueId q, std::uint32_t i) const {
    return view.queue(q)[i].arrival + models_[q.index()].patience;
  }

  void rank(const View& view, QueueId q) {
    const std::uint32_t n = view.queue(q).size();
    for (const Place& place : models_[q.index()].places) {
      Group& group = groups_[place.group];
      if (n == 0) {
        if (group.waiting.holds(place.position)) group.waiting.clear(place.position);
        continue;
      }
      const Estimates& known =
          estimates(view, view.group(GroupId(place.group)).executors.front(), q);
      const TimePoint start = deadline(view, q, 0) - known.by_log[log_batch(known, n)];
      const auto key =
          static_cast<std::uint64_t>(std::max(start, kStart).time_since_epoch().count());
      if (group.waiting.primary(place.position) != key) group.waiting.set(place.position, key);
    }
  }
  // A timer at the first deadline. It is not moved when the first request leaves: it then fires
  // early, once.
  void watch(const View& view, QueueId q, Decisions& out) {
    Model& model = models_[q.index()];
    if (model.armed != kNever || view.queue(q).empty()) return;
    model.armed = deadline(view, q, 0) + Duration(1);
    out.wake(TimerId(q.value()), model.armed);
  }
  void expire(const View& view, QueueId q, Decisions& out) {
    models_[q.index()].armed = kNever;
    drop_before(view, q, view.now(), out);
    rank(view, q);
    watch(view, q, out);
  }
  void drop_before(const View& view, QueueId q, TimePoint t, Decisions& out) {
    const std::uint32_t n = view.queue(q).size();
    std::uint32_t late = 0;
    while (late < n && deadline(view, q, late) < t) ++late;
    out.drop_oldest(q, late, DropReason::kDeadline);
  }

  // Sends the queue's strategy to the executor, if it has one for it.
  bool send(const View& view, QueueId q, ExecutorId e, Decisions& out) {
    if (!view.is_loaded(e, models_[q.index()].model)) return false;
    Executor& executor = executors_[e.index()];
    const TimePoint free = available(view, executor);
    drop_before(view, q, free, out);
    const std::uint32_t n = view.queue(q).size();
    const Estimates& known = estimates(view, e, q);
    const auto misses = [&](std::uint32_t i) {
      return free + known.by_log[log_batch(known, n - i)] > deadline(view, q, i);
    };
    // Later requests have later deadlines and smaller batches behind them.
    std::uint32_t low = 0, high = n;
    while (low < high) {
      const std::uint32_t middle = (low + high) / 2;
      if (misses(middle)) {
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    if (low == n) {
      rank(view, q);
      return false;
    }
    const std::size_t log = log_batch(known, n - low);
    drop_before(view, q, free + known.by_log[log], out);
    const BatchId batch = out.run(e, q, std::uint32_t{1} << log, {view.now(), free + ahead_});
    executor.outstanding.push_back({batch, free, known.by_log[log]});
    refresh(view, e);
    rank(view, q);
    if (view.manages_weights()) loads_.used(view, e, q);
    return true;
  }

  // New requests go to the first hungry executor that can have them in time: as in the original,
  // where executors look one after the other, not to the one that is free first.
  void offer(const View& view, QueueId q, Decisions& out) {
    for (const Place& place : models_[q.index()].places) {
      Group& group = groups_[place.group];
      std::size_t position = group.hungry.first();
      while (position != BitSet::kNone && !view.queue(q).empty()) {
        const ExecutorId e = view.group(GroupId(place.group)).executors[position];
        // No other is free sooner.
        const bool last = position == group.free.top() && !view.manages_weights();
        if (send(view, q, e, out)) {
          if (group.hungry.test(position)) continue;
        } else if (last) {
          break;
        }
        position = group.hungry.from(position + 1);
      }
      if (!view.queue(q).empty()) arm(view, place.group, out);
    }
  }
  bool hungry(const View& view, const Executor& executor) const {
    return executor.free < view.now() + ahead_;
  }
  // Wakes when the next executor becomes hungry while something waits.
  void arm(const View& view, std::uint32_t g, Decisions& out) {
    Group& group = groups_[g];
    const TimePoint next =
        group.booked.empty() || group.waiting.empty()
            ? kNever
            : next_poll(TimePoint(Duration(static_cast<std::int64_t>(group.booked.top_primary()))) -
                        ahead_ + Duration(1));
    if (next == group.armed) return;
    group.armed = next;
    out.wake(TimerId(view.queues() + g), next);
  }
  // Takes those that have become hungry from the booked ones; says whether there were any.
  bool settle(const View& view, std::uint32_t g) {
    Group& group = groups_[g];
    bool any = false;
    while (!group.booked.empty()) {
      const std::uint32_t position = group.booked.top();
      const ExecutorId e = view.group(GroupId(g)).executors[position];
      if (!hungry(view, executors_[e.index()])) break;
      group.booked.clear(position);
      group.hungry.set(position);
      any = true;
    }
    return any;
  }

  // Hungry executors, one after the other, take queues by their latest start. What the executor
  // that is free first cannot serve in time, no other can, unless weights differ.
  void feed(const View& view, std::uint32_t g, Decisions& out) {
    Group& group = groups_[g];
    settle(view, g);
    std::size_t position = group.hungry.first();
    while (position != BitSet::kNone && !group.waiting.empty()) {
      const ExecutorId e = view.group(GroupId(g)).executors[position];
      const bool last = position == group.free.top() && !view.manages_weights();
      if (feed(view, g, e, out)) {
        if (group.hungry.test(position)) continue;
      } else if (last) {
        break;
      }
      position = group.hungry.from(position + 1);
    }
    arm(view, g, out);
  }
  // Gives the executor one batch. Returns false when no queue has one for it.
  bool feed(const View& view, std::uint32_t g, ExecutorId e, Decisions& out) {
    Group& group = groups_[g];
    skipped_.clear();
    bool sent = false;
    while (!sent && !group.waiting.empty()) {
      const std::uint32_t position = group.waiting.top();
      const QueueId q = view.group(GroupId(g)).queues[position];
      sent = send(view, q, e, out);
      if (sent || view.queue(q).empty()) continue;
      skipped_.push_back(q);
      group.waiting.clear(position);
    }
    for (const QueueId q : skipped_) rank(view, q);
    return sent;
  }

  void manage_loads(const View& view, const Changes& changes, Decisions& out) {
    for (const QueueId q : changes.grown) {
      const Estimates& known =
          estimates(view, view.group(view.groups_of(q).front()).executors.front(), q);
      loads_.arrived(q, known.by_log.front(), models_[q.index()].patience);
    }
    loads_.decide(view, poll_timer(view) + 1, out);
  }

  Duration ahead_, margin_, soonest_, lag_, max_exec_, poll_;
  std::uint32_t max_batch_, window_;
  std::vector<Model> models_;                      // by queue
  std::vector<std::vector<Estimates>> estimates_;  // by class, by service
  std::vector<Executor> executors_;
  std::vector<Group> groups_;
  std::vector<std::uint32_t> touched_;  // groups to feed
  std::vector<QueueId> pending_;        // queues that gained requests since the last look
  bool poll_armed_ = false;
  std::vector<QueueId> skipped_;  // the same
  ClockworkLoads loads_;
};

}  // namespace

DispatcherEntry clockwork_dispatcher() {
  return describe_dispatcher<Clockwork>(
      {"clockwork",
       "an executor with less than schedule_ahead_ms of predicted work takes the queue whose batch "
       "must start first, with the largest batch that waits and meets its deadline; requests that "
       "would be late are dropped before they run",
       "Clockwork (Gujarati et al., OSDI 2020; code malixian/clockwork 5917620, "
       "concurrent_infer_and_load_scheduler). Departs: queues are ranked in place of a strategy "
       "per "
       "request and size, which decides the same but for strategies that were discarded too early; "
       "requests of a refused batch wait again; loads are ranked by demand above 0 (there a "
       "pointer is "
       "compared and surplus models are loaded). An executor needs room for what is booked: device "
       "depth >= 2 + schedule_ahead_ms / latency(1)",
       {number_param("schedule_ahead_ms", 10, 0, 60'000, "predicted work that is booked ahead"),
        number_param(
            "margin_ms", 5, 0, 60'000,
            "taken off every SLO; an SLO counts as at least schedule_ahead_ms + twice this"),
        integer_param("max_batch", 16, 1, 1 << 20, "largest batch; batches are powers of two"),
        number_param("max_exec_ms", 250, 0, 3'600'000, "longest batch that is used, but for 1"),
        number_param("future_ms", 1, 0, 60'000, "nothing starts sooner than this from now"),
        number_param("poll_ms", 0.05, 0, 60'000,
                     "executors look for work this often, so that what arrives in between makes "
                     "one batch; 0: at once"),
        number_param("lag_ms", 10, 0, 60'000,
                     "a batch that is overdue by more does not push what is behind it"),
        integer_param("estimate_window", 10, 1, 10'000,
                      "measured durations whose largest is the prediction"),
        number_param("default_slo_ms", 100, 1e-3, 3'600'000, "capacity by which demand is weighed"),
        number_param("load_slo_ms", 25, 0, 3'600'000,
                     "a request asks for its model's weights for so long"),
        number_param("load_every_ms", 0.1, 0, 60'000, "between two loads of one executor"),
        integer_param("loads_ahead", 2, 1, 1000, "loads of an executor that may be outstanding")}});
}

}  // namespace tangram
