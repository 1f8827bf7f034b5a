// The words of the seam: what passes between a policy, the Host and a runtime. Plain data.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "sim/core/ids.h"
#include "sim/core/time.h"

namespace tangram {

struct Request {
  TimePoint arrival;  // intended arrival, never later than now
  RequestId id;
};

// When a batch may start: the device starts it at max(earliest, device free) and refuses it if that
// is later than latest.
struct Window {
  TimePoint earliest = kStart;
  TimePoint latest = kNever;
};

enum class DropReason : std::uint8_t {
  kDeadline,   // can no longer be met
  kQueueFull,  // a limit of the queue
  kTimeout,    // waited longer than the policy allows
  kUnserved,   // the plan serves no such workload
};
inline constexpr std::size_t kDropReasons = 4;
// "deadline", "queue_full", "timeout", "unserved", in the order of DropReason.
const std::vector<std::string>& drop_reason_names();

enum class Refusal : std::uint8_t {
  kTooLate,  // could not start inside its window
  kLost,     // the executor went away, or had no memory for the batch
};

// Where a model's weights are, as seen from one executor.
enum class WeightState : std::uint8_t { kAbsent, kLoading, kLoaded };

// A message that a batch finished. end may be earlier than now in real time.
struct Finished {
  BatchId batch;
  ExecutorId executor;
  QueueId queue;
  std::uint32_t count = 0;
  TimePoint start, end;
};
struct Refused {
  BatchId batch;
  ExecutorId executor;
  QueueId queue;
  Refusal why = Refusal::kTooLate;
};

// A load of weights is over. done: they are there; else the device could not, and they are absent.
struct Loaded {
  ExecutorId executor;
  ModelId model;
  bool done = true;
  TimePoint start, end;
};

// n requests of one queue, from the first-th oldest on, as a part of a batch.
struct Pick {
  QueueId queue;
  std::uint32_t n = 0;
  std::uint32_t first = 0;
};

enum class CommandKind : std::uint8_t { kRun, kDrop, kLoad, kUnload };

// What a runtime must carry out. kRun: Host::batch(batch) has the requests and the window. kDrop:
// Host::dropped(command) has the requests. kLoad, kUnload: model() of the executor's memory.
struct Command {
  CommandKind kind = CommandKind::kRun;
  DropReason reason = DropReason::kDeadline;
  ExecutorId executor;
  QueueId queue;
  BatchId batch;
  std::uint32_t count = 0;    // kRun, kDrop: of requests; kLoad, kUnload: the model
  std::uint32_t service = 0;  // kRun: of the queue, within the executor's class
  std::uint32_t first_dropped = 0;
  ModelId model() const { return ModelId(count); }
};

}  // namespace tangram
