// Clockwork's choice of weights to load and to evict. Only in runs that manage weights.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "policies/dispatcher.h"
#include "sim/core/bit_set.h"

namespace tangram {

struct ClockworkLoadRules {
  Duration capacity;    // default_slo_ms
  Duration patience;    // load_slo_ms: how long a request asks for weights
  Duration every;       // load_every_ms, of one executor
  std::uint32_t ahead;  // loads of an executor that may be outstanding
};

// A waiting request demands latency(1) * capacity / (time to its deadline). What is left of a
// model's demand after its executors have served theirs, capacity / outstanding each (at most 1),
// is its priority. The original keeps these sums per request as they come and go; here they follow
// from the queues when a load is chosen, at most every `every`.
class ClockworkLoads {
 public:
  explicit ClockworkLoads(const ClockworkLoadRules& rules) : rules_(rules) {}

  void start(const View& view) {
    models_ = view.deployment().models.size();
    queues_of_.resize(models_);
    for (std::uint32_t q = 0; q < view.queues(); ++q) {
      queues_of_[view.info(QueueId(q)).model.index()].emplace_back(q);
    }
    unit_.resize(view.queues(), 0.0);
    asking_ = BitSet(models_);
    used_.resize(view.executors() * models_);
    busy_.resize(view.executors() * models_);
    last_load_.resize(view.executors(), TimePoint::min());
    copies_.resize(models_);
    demand_.resize(models_);
    outstanding_.resize(view.executors());
    model_of_.reserve(view.queues());
    for (std::uint32_t q = 0; q < view.queues(); ++q) {
      model_of_.push_back(view.info(QueueId(q)).model);
    }
  }

  void arrived(QueueId q, Duration alone, Duration patience) {
    asking_.set(model_of_[q.index()].index());
    unit_[q.index()] = to_seconds(alone) * to_seconds(rules_.capacity) / to_seconds(patience);
  }
  void used(const View&, ExecutorId e, QueueId q) {
    used_[at(e, model_of_[q.index()])] = ++clock_;
    ++busy_[at(e, model_of_[q.index()])];
  }
  void done(const View&, ExecutorId e, QueueId q) { --busy_[at(e, model_of_[q.index()])]; }
  void woken() { armed_ = false; }

  // Loads what is missed most where it may be loaded; evicts what was used least recently.
  void decide(const View& view, std::uint32_t timer, Decisions& out) {
    if (armed_ || !asking_.any()) return;
    weigh(view);
    for (std::uint32_t e = 0; e < view.executors(); ++e) try_load(view, ExecutorId(e), out);
    // Look again while anybody asks.
    if (!asking_.any()) return;
    armed_ = true;
    out.wake(TimerId(timer), view.now() + std::max(rules_.every, Duration(1)));
  }

 private:
  std::size_t at(ExecutorId e, ModelId m) const { return e.index() * models_ + m.index(); }

  // The demand of every model that asks, and what is asked of every executor.
  void weigh(const View& view) {
    // From nothing, as in the original: 1 ms.
    std::fill(outstanding_.begin(), outstanding_.end(), 1e-3);
    for (std::size_t m = asking_.first(); m != BitSet::kNone; m = asking_.from(m + 1)) {
      double demand = 0;
      for (const QueueId q : queues_of_[m]) {
        const Queue& queue = view.queue(q);
        for (std::size_t i = queue.size(); i-- > 0;) {
          if (queue[i].arrival + rules_.patience < view.now()) break;
          demand += unit_[q.index()];
        }
      }
      demand_[m] = demand;
      copies_[m] = 0;
      if (demand == 0) {
        asking_.clear(m);
        continue;
      }
      for (std::uint32_t e = 0; e < view.executors(); ++e) {
        copies_[m] += view.weights(ExecutorId(e), ModelId(m)) != WeightState::kAbsent ? 1 : 0;
      }
      for (std::uint32_t e = 0; e < view.executors(); ++e) {
        if (view.weights(ExecutorId(e), ModelId(m)) != WeightState::kAbsent) {
          outstanding_[e] += demand / copies_[m];
        }
      }
    }
  }
  double priority(const View& view, std::size_t m) const {
    if (copies_[m] == 0) return demand_[m];
    double left = demand_[m];
    for (std::uint32_t e = 0; e < view.executors(); ++e) {
      if (view.weights(ExecutorId(e), ModelId(m)) == WeightState::kAbsent) continue;
      left -=
          demand_[m] / copies_[m] * std::min(1.0, to_seconds(rules_.capacity) / outstanding_[e]);
    }
    return left;
  }

  void try_load(const View& view, ExecutorId e, Decisions& out) {
    if (!view.executor(e).up || last_load_[e.index()] > view.now() - rules_.every) return;
    std::uint32_t loading = 0;
    std::size_t best = models_;
    double most = kNothing;
    const ExecutorClass& cls = view.deployment().classes[view.info(e).cls.index()];
    for (std::size_t m = 0; m < models_; ++m) {
      loading += view.weights(e, ModelId(m)) == WeightState::kLoading ? 1 : 0;
    }
    if (loading >= rules_.ahead) return;
    for (std::size_t m = asking_.first(); m != BitSet::kNone; m = asking_.from(m + 1)) {
      if (view.weights(e, ModelId(m)) != WeightState::kAbsent) continue;
      if (cls.find(queues_of_[m].front()) == nullptr) continue;
      const double missed = priority(view, m);
      if (missed <= most) continue;
      most = missed;
      best = m;
    }
    if (best == models_ || !make_room(view, e, ModelId(best), out)) return;
    out.load(e, ModelId(best));
    last_load_[e.index()] = view.now();
    used_[at(e, ModelId(best))] = ++clock_;
    ++copies_[best];
  }

  // Evicts, models that nobody asks for first, then by last use. Returns false, and evicts nothing,
  // when it would not be enough.
  bool make_room(const View& view, ExecutorId e, ModelId wanted, Decisions& out) {
    std::int64_t room = view.room_kib(e);
    victims_.clear();
    if (room < view.weights_kib(wanted)) {
      for (std::size_t m = 0; m < models_; ++m) {
        const bool there = view.weights(e, ModelId(m)) == WeightState::kLoaded;
        if (there && busy_[at(e, ModelId(m))] == 0) victims_.emplace_back(m);
      }
      std::sort(victims_.begin(), victims_.end(), [&](ModelId a, ModelId b) {
        const bool asks_a = asking_.test(a.index()), asks_b = asking_.test(b.index());
        return asks_a != asks_b ? asks_b : used_[at(e, a)] < used_[at(e, b)];
      });
    }
    std::size_t n = 0;
    while (room < view.weights_kib(wanted) && n < victims_.size()) {
      room += view.weights_kib(victims_[n++]);
    }
    if (room < view.weights_kib(wanted)) return false;
    for (std::size_t i = 0; i < n; ++i) out.unload(e, victims_[i]);
    return true;
  }

  // Demand below this is rounding.
  static constexpr double kNothing = 1e-12;

  ClockworkLoadRules rules_;
  std::size_t models_ = 0;
  std::vector<std::vector<QueueId>> queues_of_;  // by model
  std::vector<ModelId> model_of_;                // by queue
  std::vector<double> unit_;                     // by queue: the demand of one request
  BitSet asking_;                                // models with requests that wait
  std::vector<std::uint64_t> used_;              // by executor and model: when last
  std::vector<std::uint32_t> busy_;              // the same: batches outstanding
  std::vector<TimePoint> last_load_;             // by executor
  std::vector<std::uint32_t> copies_;            // by model: executors that have it
  std::vector<double> demand_;                   // by model
  std::vector<double> outstanding_;              // by executor
  std::vector<ModelId> victims_;
  std::uint64_t clock_ = 0;
  bool armed_ = false;
};

}  // namespace tangram
