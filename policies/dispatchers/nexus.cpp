// The runtime of Nexus: every executor cycles over its queues without waiting, takes at most the
// assigned batch, and drops the oldest requests that are in the way of one.
#include <algorithm>
#include <optional>
#include <vector>

#include "policies/dispatcher.h"
#include "sim/core/bit_set.h"

namespace tangram {
namespace {

const std::vector<std::string> kDrops{"early", "lazy"};

class NexusDispatcher final : public Dispatcher {
 public:
  explicit NexusDispatcher(const Params& params)
      : early_(params.choice("drop") == "early"),
        network_(params.ms("network_ms")),
        post_(params.ms("post_ms")) {
    if (params.has("batch")) batch_ = static_cast<std::uint32_t>(params.integer("batch"));
  }

  void start(const View& view, Decisions&) override {
    places_.resize(view.queues());
    for (std::uint32_t g = 0; g < view.groups(); ++g) {
      const std::vector<QueueId>& queues = view.group(GroupId(g)).queues;
      waiting_.emplace_back(queues.size());
      for (std::uint32_t i = 0; i < queues.size(); ++i) {
        places_[queues[i].index()].push_back({g, i});
      }
    }
    cursor_.resize(view.executors());
    for (const ExecutorClass& cls : view.deployment().classes) {
      std::vector<std::uint32_t>& list = assigned_.emplace_back();
      for (const Service& service : cls.services) list.push_back(assigned(view, service));
    }
  }

  void decide(const View& view, const Changes& changes, Decisions& out) override {
    for (const QueueId q : changes.grown) note(view, q);
    for (const Finished& finished : changes.finished) serve(view, finished.executor, out);
    for (const Refused& refused : changes.refused) serve(view, refused.executor, out);
    for (const ExecutorId e : changes.executors) serve(view, e, out);
    for (const QueueId q : changes.grown) {
      while (!view.queue(q).empty()) {
        const MaybeId<ExecutorId> e = view.first_idle(q);
        if (!e) break;
        serve(view, *e, out);
      }
    }
  }

 private:
  struct Place {
    std::uint32_t group, position;
  };

  // The parameter, else the planned batch, else what fits twice into the SLO: once waiting for the
  // batch before it, once running.
  std::uint32_t assigned(const View& view, const Service& service) const {
    if (batch_) return std::min(*batch_, service.max_batch);
    if (service.planned_batch > 0) return service.max_batch;
    const Duration budget = view.info(service.queue).slo - network_ - post_;
    std::uint32_t b = 1;
    while (b < service.max_batch && 2 * service.predicted[b + 1] <= budget) ++b;
    return b;
  }

  void note(const View& view, QueueId q) {
    for (const Place& place : places_[q.index()]) {
      if (view.queue(q).empty()) {
        waiting_[place.group].clear(place.position);
      } else {
        waiting_[place.group].set(place.position);
      }
    }
  }

  // The next queue of the executor's cycle that has a batch.
  void serve(const View& view, ExecutorId e, Decisions& out) {
    if (!view.is_idle(e)) return;
    const GroupId g = view.group_of(e);
    const BitSet& waiting = waiting_[g.index()];
    while (true) {
      std::size_t position = waiting.from(cursor_[e.index()]);
      if (position == BitSet::kNone) position = waiting.first();
      if (position == BitSet::kNone) return;
      const QueueId q = view.group(g).queues[position];
      const std::uint32_t n = take(view, e, q, out);
      if (n > 0) out.run(e, q, n);
      note(view, q);
      cursor_[e.index()] = position + 1;
      if (n > 0) return;
    }
  }

  // Drops what is to be dropped and returns the batch; 0 when nothing is left.
  std::uint32_t take(const View& view, ExecutorId e, QueueId q, Decisions& out) {
    const std::uint32_t cls = view.info(e).cls.value();
    const std::uint32_t index = view.deployment().classes[cls].index_of(q);
    const Service& service = view.deployment().classes[cls].services[index];
    const Queue& queue = view.queue(q);
    const std::uint32_t size = queue.size();
    const auto finish = [&](std::uint32_t b) { return view.now() + service.predicted[b] + post_; };
    std::uint32_t batch = std::min(assigned_[cls][index], size);
    std::uint32_t dropped = 0;
    if (early_) {
      // The window slides over the queue until its oldest request is in time with the whole batch.
      while (batch > 0 && queue.deadline(dropped) < finish(batch)) {
        ++dropped;
        batch = std::min(batch, size - dropped);
      }
    } else {
      while (dropped < size && queue.deadline(dropped) < finish(1)) ++dropped;
      batch = std::min(batch, size - dropped);
      while (batch > 1 && queue.deadline(dropped) < finish(batch)) --batch;
    }
    out.drop_oldest(q, dropped, DropReason::kDeadline);
    return batch;
  }

  bool early_;
  Duration network_, post_;
  std::optional<std::uint32_t> batch_;
  std::vector<std::vector<std::uint32_t>> assigned_;  // by class, by service
  std::vector<std::vector<Place>> places_;            // by queue
  std::vector<BitSet> waiting_;                       // by group: positions of queues
  std::vector<std::size_t> cursor_;                   // by executor: next position of its cycle
};

}  // namespace

DispatcherEntry nexus_dispatcher() {
  return describe_dispatcher<NexusDispatcher>(
      {"nexus",
       "an idle executor takes the next queue of its cycle, at most the assigned batch, and drops "
       "the oldest requests that would be late in it (early), or only those that would be late "
       "even "
       "alone (lazy)",
       "the backend of Nexus (Shen et al., SOSP 2019; code uwsampl/nexus b436191). Its frontends "
       "are the routing drr. Departs: the planned batch is the scenario's plan; backup backends "
       "and "
       "prefix batching are left out",
       {choice_param("drop", "early", kDrops, "which requests to drop"),
        integer_param("batch", std::nullopt, 1, 1 << 20,
                      "largest batch; none: the planned batch, else the largest whose latency is "
                      "half of SLO - network_ms - post_ms"),
        number_param("network_ms", 2, 0, 60'000, "of the SLO, for the network, when batch is none"),
        number_param("post_ms", 0, 0, 60'000, "of every deadline, for what follows a batch")}});
}

}  // namespace tangram
