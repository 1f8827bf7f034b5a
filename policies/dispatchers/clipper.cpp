// Clipper's adaptive batching: every executor searches the largest batch whose latency meets the
// objective, by additive increase and multiplicative decrease.
#include <algorithm>
#include <optional>
#include <vector>

#include "policies/dispatcher.h"
#include "policies/dispatchers/ranking.h"

namespace tangram {
namespace {

class Clipper final : public Dispatcher {
 public:
  explicit Clipper(const Params& params)
      : step_(params.number("step")),
        backoff_(params.number("backoff")),
        wait_(params.ms("max_wait_ms")),
        most_(static_cast<std::uint32_t>(params.integer("max_batch"))) {
    if (params.has("objective_ms")) objective_ = params.ms("objective_ms");
  }

  std::uint32_t timers(const View& view) const override {
    return wait_ > Duration::zero() ? view.queues() : 0;
  }

  void start(const View& view, Decisions&) override {
    ranking_.start(view);
    for (std::uint32_t e = 0; e < view.executors(); ++e) {
      const ExecutorClass& cls = view.deployment().classes[view.info(ExecutorId(e)).cls.index()];
      caps_.emplace_back(cls.services.size(), 1.0);
    }
    armed_.resize(view.queues(), kNever);
  }

  void decide(const View& view, const Changes& changes, Decisions& out) override {
    for (const QueueId q : changes.grown) rank(view, q, out);
    for (const TimerId timer : changes.timers) {
      armed_[timer.value()] = kNever;
      rank(view, QueueId(timer.value()), out);
    }
    for (const Finished& finished : changes.finished) {
      learn(view, finished);
      serve(view, finished.executor, out);
    }
    for (const Refused& refused : changes.refused) serve(view, refused.executor, out);
    for (const ExecutorId e : changes.executors) serve(view, e, out);
    for (const QueueId q : changes.grown) offer(view, q, out);
    for (const TimerId timer : changes.timers) offer(view, QueueId(timer.value()), out);
  }

 private:
  double& cap(const View& view, ExecutorId e, QueueId q) {
    return caps_[e.index()][view.deployment().classes[view.info(e).cls.index()].index_of(q)];
  }
  std::uint32_t limit(const View& view, ExecutorId e, QueueId q) {
    return std::min({static_cast<std::uint32_t>(cap(view, e, q)), most_, view.max_batch(e, q)});
  }

  void learn(const View& view, const Finished& finished) {
    double& batch = cap(view, finished.executor, finished.queue);
    const Duration objective = objective_.value_or(view.info(finished.queue).slo);
    if (finished.end - finished.start > objective) {
      batch = std::max(1.0, batch * backoff_);
    } else if (finished.count >= limit(view, finished.executor, finished.queue)) {
      // A batch that did not fill the cap says nothing about a larger one.
      const double largest = view.max_batch(finished.executor, finished.queue);
      batch = std::min({batch + step_, static_cast<double>(most_), largest});
    }
  }

  bool due(const View& view, ExecutorId e, QueueId q) {
    const Queue& queue = view.queue(q);
    return queue.front().arrival + wait_ <= view.now() || queue.size() >= limit(view, e, q);
  }

  void rank(const View& view, QueueId q, Decisions& out) {
    const Queue& queue = view.queue(q);
    const TimePoint first = queue.empty() ? kNever : queue.front().arrival;
    if (ranking_.competes(q)) ranking_.set(q, first);
    if (wait_ == Duration::zero()) return;
    const TimePoint wake = queue.empty() || first + wait_ <= view.now() ? kNever : first + wait_;
    if (wake == armed_[q.index()]) return;
    armed_[q.index()] = wake;
    out.wake(TimerId(q.value()), wake);
  }

  // Runs the queue whose oldest request has waited longest, unless that one is worth waiting for.
  bool serve(const View& view, ExecutorId e, Decisions& out) {
    if (!view.is_idle(e)) return false;
    const MaybeId<QueueId> q = ranking_.best(view, view.group_of(e));
    if (!q || !due(view, e, *q)) return false;
    out.run(e, *q, std::min(view.queue(*q).size(), limit(view, e, *q)));
    rank(view, *q, out);
    return true;
  }
  void offer(const View& view, QueueId q, Decisions& out) {
    for (const GroupId g : view.groups_of(q)) {
      while (!view.queue(q).empty()) {
        const std::size_t position = view.idle(g).first();
        if (position == BitSet::kNone) break;
        if (!serve_any(view, g, position, out)) break;
      }
    }
  }
  // The first idle executor of the group, from this one on, that takes something: their caps
  // differ.
  bool serve_any(const View& view, GroupId g, std::size_t position, Decisions& out) {
    for (; position != BitSet::kNone; position = view.idle(g).from(position + 1)) {
      if (serve(view, view.group(g).executors[position], out)) return true;
    }
    return false;
  }

  double step_, backoff_;
  Duration wait_;
  std::uint32_t most_;
  std::optional<Duration> objective_;
  QueueRanking ranking_;
  std::vector<std::vector<double>> caps_;  // by executor, by service
  std::vector<TimePoint> armed_;           // by queue
};

}  // namespace

DispatcherEntry clipper_dispatcher() {
  return describe_dispatcher<Clipper>(
      {"clipper",
       "an idle executor takes up to its batch cap of the queue that has waited longest; the cap "
       "grows by step while batches meet the objective and shrinks by backoff when one does not",
       "the rule of the paper (Crankshaw et al., NSDI 2017, sections 4.3.1 and 4.3.2): AIMD, and "
       "delayed batching, off by default. The released code has neither (specifications differ by "
       "version). Departs: only batches that fill the cap raise it; an executor that serves "
       "several "
       "queues waits for the oldest of them",
       {number_param("step", 1, 1e-3, 1 << 20, "added to the cap after a full batch in time"),
        number_param("backoff", 0.9, 1e-3, 1, "times the cap after a batch that took longer"),
        number_param("objective_ms", std::nullopt, 1e-6, 3'600'000,
                     "largest latency of a batch; none: the workload's SLO"),
        number_param("max_wait_ms", 0, 0, 3'600'000,
                     "longest wait of the oldest request for a batch that fills the cap"),
        integer_param("max_batch", 1 << 20, 1, 1 << 20, "largest cap")}});
}

}  // namespace tangram
