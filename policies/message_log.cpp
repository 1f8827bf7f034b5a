#include "policies/message_log.h"

#include <sstream>

#include "policies/host.h"
#include "policies/replay.h"

namespace tangram {
namespace {

std::string describe(const DecisionRecord& d) {
  std::ostringstream text;
  if (d.kind == CommandKind::kLoad || d.kind == CommandKind::kUnload) {
    text << (d.kind == CommandKind::kLoad ? "load" : "unload") << " model " << d.model.value()
         << " on executor " << d.executor.value();
    return text.str();
  }
  if (d.kind == CommandKind::kRun) {
    text << "run batch " << d.batch.slot << '.' << d.batch.generation << " on executor "
         << d.executor.value();
  } else {
    text << "drop (" << drop_reason_names()[static_cast<std::size_t>(d.reason)] << ')';
  }
  text << " of " << d.requests.size() << " requests of queue " << d.queue.value();
  if (!d.requests.empty()) text << ", first " << d.requests.front().value;
  if (d.window.latest != kNever || d.window.earliest != kStart) {
    text << ", window " << d.window.earliest.time_since_epoch().count() << ".."
         << d.window.latest.time_since_epoch().count() << " ns";
  }
  return text.str();
}

std::optional<std::string> first_difference(const std::vector<DecisionRecord>& logged,
                                            const std::vector<DecisionRecord>& replayed) {
  for (std::size_t i = 0; i < std::max(logged.size(), replayed.size()); ++i) {
    if (i < logged.size() && i < replayed.size() && logged[i] == replayed[i]) continue;
    const std::string was = i < logged.size() ? describe(logged[i]) : "nothing";
    const std::string is = i < replayed.size() ? describe(replayed[i]) : "nothing";
    return "decision " + std::to_string(i) + ": logged " + was + "; replayed " + is;
  }
  return std::nullopt;
}

// Feeds one message. Returns what is wrong with it, as the replayed Host sees it.
class Feeder {
 public:
  Feeder(Host& host, const EventQueue& events, TimePoint now)
      : host_(host), events_(events), now_(now) {}

  std::optional<std::string> operator()(const FinishedMessage& m) {
    if (host_.finished(m.batch, m.start, m.end)) return std::nullopt;
    return "finished: batch " + std::to_string(m.batch.slot) + " is not outstanding";
  }
  std::optional<std::string> operator()(const RefusedMessage& m) {
    if (host_.refused(m.batch, m.why)) return std::nullopt;
    return "refused: batch " + std::to_string(m.batch.slot) + " is not outstanding";
  }
  std::optional<std::string> operator()(const ArrivedMessage& m) {
    host_.arrived(m.workload, m.request, m.draw);
    return std::nullopt;
  }
  std::optional<std::string> operator()(const TimerMessage& m) {
    if (events_.time_of(SlotId(m.timer.value())) > now_) {
      return "timer " + std::to_string(m.timer.value()) + " is not due";
    }
    host_.timer(m.timer);
    return std::nullopt;
  }
  std::optional<std::string> operator()(const ExecutorMessage& m) {
    host_.executor(m.executor, m.up);
    return std::nullopt;
  }
  std::optional<std::string> operator()(const LoadedMessage& m) {
    host_.loaded(m.executor, m.model, m.done, m.start, m.end);
    return std::nullopt;
  }

 private:
  Host& host_;
  const EventQueue& events_;
  TimePoint now_;
};

}  // namespace

bool operator==(const DecisionRecord& a, const DecisionRecord& b) {
  return a.kind == b.kind && a.reason == b.reason && a.executor == b.executor &&
         a.queue == b.queue && a.batch == b.batch && a.window.earliest == b.window.earliest &&
         a.window.latest == b.window.latest && a.requests == b.requests && a.model == b.model;
}

std::optional<ReplayDifference> find_difference(const MessageLog& log,
                                                const Deployment& deployment,
                                                Dispatcher& dispatcher,
                                                std::uint32_t depth) {
  Host host(deployment, dispatcher, depth);
  MessageLog again;
  host.record(&again);
  EventQueue events(host.timers());
  for (std::size_t i = 0; i < log.instants.size(); ++i) {
    const Instant& instant = log.instants[i];
    try {
      if (i == 0) {
        host.start(instant.now, events, 0);
      } else {
        host.begin(instant.now);
        Feeder feed(host, events, instant.now);
        for (const Message& message : instant.messages) {
          if (auto wrong = std::visit(feed, message)) return ReplayDifference{i, *std::move(wrong)};
          if (const auto* timer = std::get_if<TimerMessage>(&message)) {
            events.cancel(SlotId(timer->timer.value()));
          }
        }
        host.decide();
      }
    } catch (const InternalError& error) {
      return ReplayDifference{i, error.what()};
    }
    if (auto difference = first_difference(instant.decisions, again.instants.back().decisions)) {
      return ReplayDifference{i, *std::move(difference)};
    }
    again.instants.back().messages.clear();
    again.instants.back().decisions.clear();
  }
  return std::nullopt;
}

std::optional<std::string> replay(const MessageLog& log,
                                  const Deployment& deployment,
                                  Dispatcher& dispatcher,
                                  std::uint32_t depth) {
  const auto difference = find_difference(log, deployment, dispatcher, depth);
  if (!difference) return std::nullopt;
  const Instant& instant = log.instants[difference->instant];
  return "instant " + std::to_string(difference->instant) + " (" +
         std::to_string(instant.now.time_since_epoch().count()) + " ns): " + difference->what;
}

}  // namespace tangram
