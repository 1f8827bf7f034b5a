// The record of a run as the Host saw it: every message and every decision, instant by instant.
// Host and policy are a pure function of the messages, so a replay must give the same decisions;
// where it does not, something leaked in from outside the seam.
#pragma once

#include <cstdint>
#include <iosfwd>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "policies/dispatcher.h"

namespace tangram {

struct ArrivedMessage {
  WorkloadId workload;
  Request request;
  std::uint64_t draw = 0;
};
struct FinishedMessage {
  BatchId batch;
  TimePoint start, end;
};
struct RefusedMessage {
  BatchId batch;
  Refusal why = Refusal::kTooLate;
};
struct TimerMessage {
  TimerId timer;
};
struct ExecutorMessage {
  ExecutorId executor;
  bool up = true;
};
struct LoadedMessage {
  ExecutorId executor;
  ModelId model;
  bool done = true;
  TimePoint start, end;
};
using Message = std::variant<FinishedMessage,
                             RefusedMessage,
                             ArrivedMessage,
                             TimerMessage,
                             ExecutorMessage,
                             LoadedMessage>;

// One decision, flattened: what was run, dropped, loaded or unloaded, with the ids it concerned.
// Timers that a policy
// arms show in the instants that follow.
struct DecisionRecord {
  CommandKind kind = CommandKind::kRun;
  DropReason reason = DropReason::kDeadline;
  ExecutorId executor;
  QueueId queue;
  BatchId batch;
  Window window;
  std::vector<RequestId> requests;
  ModelId model;  // of a load or an unload
  friend bool operator==(const DecisionRecord&, const DecisionRecord&);
};

struct Instant {
  TimePoint now;
  std::vector<Message> messages;
  std::vector<DecisionRecord> decisions;
};

class MessageLog {
 public:
  // The first instant is the start of the run: it has no messages.
  std::vector<Instant> instants;
};

// Feeds the messages of a log to a fresh Host with this policy. Returns what differed first, in a
// sentence with the instant's number and time, or nullopt when every decision was the same and
// every logged timer was due in the replayed Host.
std::optional<std::string> replay(const MessageLog& log,
                                  const Deployment& deployment,
                                  Dispatcher& dispatcher,
                                  std::uint32_t depth);

}  // namespace tangram
