// What workers and the load generator tell the dispatcher's thread. Many threads post, one takes.
#pragma once

#include <condition_variable>
#include <mutex>
#include <span>
#include <variant>
#include <vector>

#include "engine/clock.h"
#include "policies/dispatcher.h"

namespace tangram {

// A request; its arrival is the intended one.
struct ArrivalPost {
  Request request;
};
// No request will follow.
struct LoadOverPost {};
// A batch began on its executor: for the books of busy time, not for the policy.
struct StartedPost {
  BatchId batch;
  ExecutorId executor;
  TimePoint start;
};
// alone: what the batch would have taken on an undisturbed device.
struct FinishedPost {
  BatchId batch;
  TimePoint start, end;
  Duration alone{};
};
struct RefusedPost {
  BatchId batch;
  Refusal why = Refusal::kTooLate;
};
// An executor came up, or went away with all that it held.
struct ExecutorPost {
  ExecutorId executor;
  bool up = true;
};
// A load of weights is over. done: they are there.
struct WeightsPost {
  ExecutorId executor;
  ModelId model;
  bool done = true;
  TimePoint start, end;
};
using Post = std::variant<FinishedPost,
                          RefusedPost,
                          ExecutorPost,
                          StartedPost,
                          ArrivalPost,
                          LoadOverPost,
                          WeightsPost>;

class Inbox {
 public:
  // Adds a message and wakes the taker.
  void post(const Post& message);
  void post(std::span<const Post> messages);
  // Adds a message that can wait until something else wakes the taker.
  void post_quietly(const Post& message);
  // Wakes the taker without a message.
  void wake();
  // Waits for a post or a wake, at most until `deadline`, and swaps everything that is there into
  // `messages`, oldest first; what `messages` held is discarded.
  void take(std::vector<Post>& messages, RealClock::Steady::time_point deadline);

 private:
  std::mutex mutex_;
  std::condition_variable posted_;
  std::vector<Post> messages_;
  bool awake_ = false;
};

}  // namespace tangram
