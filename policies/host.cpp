#include "policies/host.h"

#include "policies/message_log.h"

namespace tangram {
namespace {

Books make_books(const Deployment& deployment, std::uint32_t depth) {
  TANGRAM_CHECK(depth >= 1, "an executor must hold at least one batch; depth ", depth);
  Books books;
  books.deployment = &deployment;
  books.executor_count = static_cast<std::uint32_t>(deployment.executors.size());
  books.queue_count = static_cast<std::uint32_t>(deployment.queues.size());
  books.depth = depth;
  books.queues.reserve(deployment.queues.size());
  for (const QueueInfo& queue : deployment.queues) books.queues.emplace_back(queue);
  books.batches.resize(deployment.executors.size() * 2 * depth);
  for (const GroupInfo& group : deployment.groups) {
    BitSet idle(group.executors.size());
    for (std::size_t i = 0; i < group.executors.size(); ++i) idle.set(i);
    books.idle.push_back(std::move(idle));
  }
  for (const ExecutorInfo& info : deployment.executors) {
    books.executors.push_back({{},
                               0,
                               nullptr,
                               info.group,
                               info.position,
                               &deployment.classes[info.cls.index()],
                               &books.idle[info.group.index()]});
  }
  if (deployment.weights.managed()) {
    books.weights = deployment.weights.initial;
    books.weights_room_kib = initial_room_kib(deployment);
    const std::size_t models = deployment.models.size();
    for (std::size_t e = 0; e < books.executors.size(); ++e) {
      books.executors[e].weights = books.weights.data() + e * models;
    }
  }
  return books;
}

}  // namespace

Host::Host(const Deployment& deployment, Dispatcher& dispatcher, std::uint32_t depth)
    : books_(make_books(deployment, depth)),
      view_(books_),
      decisions_(books_),
      dispatcher_(&dispatcher),
      router_(deployment),
      timer_count_(dispatcher.timers(view_)) {}

std::span<const Command> Host::start(TimePoint now, EventQueue& events, std::uint32_t first_slot) {
  books_.events = &events;
  books_.first_timer_slot = first_slot;
  books_.timer_count = timer_count_;
  begin(now);
  dispatcher_->start(view_, decisions_);
  if (log_ != nullptr) log_decisions();
  return books_.commands;
}

bool Host::refused(BatchId id, Refusal why) {
  Batch* batch = books_.live(id);
  if (batch == nullptr) {
    ++counters_.stale;
    return false;
  }
  if (log_ != nullptr) log_message(RefusedMessage{id, why});
  ++counters_.refused;
  books_.close(*batch);
  books_.give_back(*batch);
  changes_.refused.push_back({id, batch->executor, batch->queue, why});
  changes_.rare = true;
  if (books_.mark_grown(batch->queue)) changes_.grown.push_back(batch->queue);
  for (const Pick& pick : batch->more) {
    if (books_.mark_grown(pick.queue)) changes_.grown.push_back(pick.queue);
  }
  return true;
}

void Host::executor(ExecutorId e, bool up) {
  if (log_ != nullptr) log_message(ExecutorMessage{e, up});
  ExecutorBooks& executor = books_.executors[e.index()];
  if (executor.belief.up == up) return;
  executor.belief.up = up;
  if (up && executor.belief.outstanding == 0) {
    executor.idle->set(executor.position);
  } else {
    executor.idle->clear(executor.position);
  }
  if (!up) books_.forget_weights(e);
  changes_.executors.push_back(e);
  changes_.rare = true;
}

void Host::loaded(ExecutorId e, ModelId m, bool done, TimePoint start, TimePoint end) {
  if (log_ != nullptr) log_message(LoadedMessage{e, m, done, start, end});
  if (view_.weights(e, m) != WeightState::kLoading) return;
  books_.loaded(e, m, done);
  changes_.loads.push_back({e, m, done, start, end});
  changes_.executors.push_back(e);
  changes_.rare = true;
}

void Host::clear_rare_changes() {
  changes_.refused.clear();
  changes_.timers.clear();
  changes_.loads.clear();
  changes_.executors.clear();
  changes_.rare = false;
}

std::uint64_t Host::in_queues() const {
  std::uint64_t n = 0;
  for (const Queue& queue : books_.queues) n += queue.size();
  return n;
}

std::uint64_t Host::in_flight() const {
  std::uint64_t n = 0;
  for (const Batch& batch : books_.batches) n += batch.live ? batch.size() : 0;
  return n;
}

Instant& Host::current_instant() {
  // decide() closes an instant, so an instant with decisions recorded is over.
  if (instant_closed_) {
    log_->instants.push_back({books_.now, {}, {}});
    instant_closed_ = false;
  }
  return log_->instants.back();
}

void Host::log_message(const Message& message) {
  current_instant().messages.push_back(message);
}

void Host::log_decisions() {
  Instant& instant = current_instant();
  for (const Command& command : books_.commands) {
    DecisionRecord record{
        command.kind, command.reason, command.executor, command.queue, command.batch, {}, {}, {}};
    if (command.kind == CommandKind::kLoad || command.kind == CommandKind::kUnload) {
      record.model = command.model();
    } else if (command.kind == CommandKind::kRun) {
      record.window = batch(command.batch).window;
      for (const Request& request : batch(command.batch).requests) {
        record.requests.push_back(request.id);
      }
    } else {
      for (const Request& request : dropped(command)) record.requests.push_back(request.id);
    }
    instant.decisions.push_back(std::move(record));
  }
  instant_closed_ = true;
}

}  // namespace tangram
