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
  for (const Pick& pick : picks) take(batch, pick.queue, pick.n);
  batch.more.append(picks.subspan(1));
  return id;
}

void Books::drop(QueueId q, std::uint32_t n, DropReason why, bool oldest) {
  if (n == 0) return;
  Queue& queue = queues[q.index()];
  TANGRAM_CHECK(n <= queue.size(), "asked to drop ", n, " requests, queue holds ", queue.size());
  const auto first = static_cast<std::uint32_t>(dropped.size());
  const std::size_t begin = oldest ? 0 : queue.size() - n;
  for (std::size_t i = begin; i < begin + n; ++i) dropped.push_back(queue.requests_[i]);
  if (oldest) {
    queue.requests_.pop_front(n);
  } else {
    queue.requests_.pop_back(n);
  }
  commands.push_back({CommandKind::kDrop, why, ExecutorId(), q, BatchId(), n, 0, first});
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
