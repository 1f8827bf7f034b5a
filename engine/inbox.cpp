#include "engine/inbox.h"

namespace tangram {

void Inbox::post(const Post& message) {
  post({&message, 1});
}

void Inbox::post(std::span<const Post> messages) {
  {
    const std::scoped_lock lock(mutex_);
    messages_.insert(messages_.end(), messages.begin(), messages.end());
    awake_ = true;
  }
  posted_.notify_one();
}

void Inbox::post_quietly(const Post& message) {
  const std::scoped_lock lock(mutex_);
  messages_.push_back(message);
}

void Inbox::wake() {
  post(std::span<const Post>{});
}

void Inbox::take(std::vector<Post>& messages, RealClock::Steady::time_point deadline) {
  messages.clear();
  std::unique_lock lock(mutex_);
  posted_.wait_until(lock, deadline, [this] { return awake_; });
  awake_ = false;
  messages.swap(messages_);
}

}  // namespace tangram
