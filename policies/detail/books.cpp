#include "policies/detail/books.h"

namespace tangram {

const std::vector<std::string>& drop_reason_names() {
  static const std::vector<std::string> names{"deadline", "queue_full", "timeout", "unserved"};
  return names;
}

BatchId Books::run(ExecutorId e, std::span<const Pick> picks, Window window) {
  TANGRAM_CHECK(!picks.empty(), "a batch needs requests");
  const ModelId model = deployment->queues[picks.front().queue.index()].model;
  std::uint32_t n = 0;
  std::uint32_t limit = ~std::uint32_t{0};
  for (const Pick& pick : picks) {
    const Service* how = service(e, pick.queue);
    TANGRAM_CHECK(pick.n > 0, "an empty pick is no part of a batch; queue ", pick.queue.value());
    TANGRAM_CHECK(how != nullptr, "executor ", e.value(), " does not serve queue ",
                  pick.queue.value());
    TANGRAM_CHECK(deployment->queues[pick.queue.index()].model == model,
                  "one batch, two models; queue ", pick.queue.value());
    limit = std::min(limit, how->max_batch);
    n += pick.n;
  }
  TANGRAM_CHECK(n <= limit, "batch ", n, ", largest ", limit);
  const BatchId id = commit(e, picks.front().queue, n, window);
  Batch& batch = batches[id.slot];
  for (const Pick& pick : picks) {
    Queue& queue = queues[pick.queue.index()];
    TANGRAM_CHECK(std::uint64_t{pick.first} + pick.n <= queue.size(), "asked for requests ",
                  pick.first, " to ", std::uint64_t{pick.first} + pick.n, ", queue holds ",
                  queue.size());
    queue.requests_.extract(pick.first, pick.n, batch.requests.extend(pick.n));
  }
  batch.more.append(picks.subspan(1));
  return id;
}

BatchId Books::run(ExecutorId e, QueueId q, std::span<const RequestId> ids, Window window) {
  const BatchId id = commit(e, q, static_cast<std::uint32_t>(ids.size()), window);
  take_named(q, ids, batches[id.slot].requests);
  return id;
}

void Books::take_named(QueueId q, std::span<const RequestId> ids, List<Request>& out) {
  Ring<Request>& waiting = queues[q.index()].requests_;
  std::size_t i = 0;
  for (const RequestId id : ids) {
    while (i < waiting.size() && waiting[i].id != id) ++i;
    TANGRAM_CHECK(i < waiting.size(), "request ", id.value, " does not wait in queue ", q.value(),
                  ", or not behind the one named before it");
    waiting.extract(i, 1, out.extend(1));
  }
}

void Books::drop(QueueId q, std::uint32_t first, std::uint32_t n, DropReason why) {
  if (n == 0) return;
  Queue& queue = queues[q.index()];
  TANGRAM_CHECK(std::uint64_t{first} + n <= queue.size(), "asked to drop requests ", first, " to ",
                std::uint64_t{first} + n, ", queue holds ", queue.size());
  const auto at = static_cast<std::uint32_t>(dropped.size());
  queue.requests_.extract(first, n, dropped.extend(n));
  commands.push_back({CommandKind::kDrop, why, ExecutorId(), q, BatchId(), n, 0, at});
}

void Books::drop(QueueId q, std::span<const RequestId> ids, DropReason why) {
  if (ids.empty()) return;
  const auto at = static_cast<std::uint32_t>(dropped.size());
  take_named(q, ids, dropped);
  const auto n = static_cast<std::uint32_t>(ids.size());
  commands.push_back({CommandKind::kDrop, why, ExecutorId(), q, BatchId(), n, 0, at});
}

WeightState& Books::weight_state(ExecutorId e, ModelId m) {
  TANGRAM_CHECK(e.value() < executor_count, "unknown executor ", e.value());
  TANGRAM_CHECK(m.index() < deployment->models.size(), "unknown model ", m.value());
  TANGRAM_CHECK(!weights.empty(), "the scenario does not manage weights: all are always there");
  return weights[e.index() * deployment->models.size() + m.index()];
}

void Books::check_loaded(ExecutorId e, QueueId q) const {
  const ModelId m = deployment->queues[q.index()].model;
  TANGRAM_CHECK(executors[e.index()].weights[m.index()] == WeightState::kLoaded, "model ",
                m.value(), " is not loaded on executor ", e.value());
}

void Books::load(ExecutorId e, ModelId m) {
  WeightState& state = weight_state(e, m);
  TANGRAM_CHECK(state == WeightState::kAbsent, "model ", m.value(),
                " is loaded or being loaded on executor ", e.value());
  TANGRAM_CHECK(executors[e.index()].belief.up, "executor ", e.value(), " is down");
  std::int64_t& room = weights_room_kib[e.index()];
  const std::int64_t needed = deployment->weights.kib[m.index()];
  TANGRAM_CHECK(needed <= room, "no room for model ", m.value(), " on executor ", e.value(),
                "; KiB needed ", needed, ", free ", room);
  room -= needed;
  state = WeightState::kLoading;
  commands.push_back(
      {CommandKind::kLoad, DropReason::kDeadline, e, QueueId(), BatchId(), m.value(), 0, 0});
}

void Books::unload(ExecutorId e, ModelId m) {
  WeightState& state = weight_state(e, m);
  TANGRAM_CHECK(state == WeightState::kLoaded, "model ", m.value(), " is not loaded on executor ",
                e.value());
  const std::span<const Batch> own(batches.data() + e.index() * slots(), slots());
  for (const Batch& batch : own) {
    TANGRAM_CHECK(!batch.live || deployment->queues[batch.queue.index()].model != m, "model ",
                  m.value(), " has a batch on executor ", e.value());
  }
  weights_room_kib[e.index()] += deployment->weights.kib[m.index()];
  state = WeightState::kAbsent;
  commands.push_back(
      {CommandKind::kUnload, DropReason::kDeadline, e, QueueId(), BatchId(), m.value(), 0, 0});
}

void Books::loaded(ExecutorId e, ModelId m, bool done) {
  WeightState& state = weight_state(e, m);
  state = done ? WeightState::kLoaded : WeightState::kAbsent;
  if (!done) weights_room_kib[e.index()] += deployment->weights.kib[m.index()];
}

void Books::forget_weights(ExecutorId e) {
  if (weights.empty()) return;
  const std::size_t models = deployment->models.size();
  for (std::size_t m = 0; m < models; ++m) weights[e.index() * models + m] = WeightState::kAbsent;
  weights_room_kib[e.index()] = deployment->weights.cache_kib[e.index()];
}

void Books::rebase(ExecutorId e) {
  // Batches of an executor run in the order in which they were committed. depth is small.
  const std::span<const Batch> own(batches.data() + e.index() * slots(), slots());
  TimePoint free = now;
  std::uint64_t done = 0;
  for (std::uint32_t left = executors[e.index()].belief.outstanding; left > 0; --left) {
    const Batch* next = nullptr;
    for (const Batch& batch : own) {
      if (batch.live && batch.sequence > done && (!next || batch.sequence < next->sequence)) {
        next = &batch;
      }
    }
    free = std::max(free, next->window.earliest) + next->predicted;
    done = next->sequence;
  }
  executors[e.index()].belief.free_at = free;
}

void Books::give_back(const Batch& batch) {
  const auto by_id = [](const Request& a, const Request& b) { return a.id < b.id; };
  std::size_t next = 0;
  const auto give = [&](QueueId q, std::size_t n) {
    for (std::size_t i = next + n; i-- > next;) {
      // Almost always older than everything that waits: then it goes straight to the front.
      Ring<Request>& waiting = queues[q.index()].requests_;
      if (waiting.empty() || by_id(batch.requests[i], waiting.front())) {
        waiting.push_front(batch.requests[i]);
      } else {
        waiting.insert_ordered(batch.requests[i], by_id);
      }
    }
    next += n;
  };
  std::size_t in_more = 0;
  for (const Pick& pick : batch.more) in_more += pick.n;
  give(batch.queue, batch.requests.size() - in_more);
  for (const Pick& pick : batch.more) give(pick.queue, pick.n);
}

}  // namespace tangram
