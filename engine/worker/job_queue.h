// What an executor's thread works on: jobs in order of their arrival, and waits that end early when
// the executor is to close.
#pragma once

#include <chrono>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <optional>
#include <utility>

namespace tangram {

// Any thread may push and close; one thread takes and waits.
template <typename Job>
class JobQueue {
 public:
  using Steady = std::chrono::steady_clock;

  void push(Job job) {
    {
      const std::scoped_lock lock(mutex_);
      jobs_.push_back(std::move(job));
    }
    changed_.notify_one();
  }
  void close() {
    {
      const std::scoped_lock lock(mutex_);
      closing_ = true;
    }
    changed_.notify_one();
  }
  // The oldest job; waits for one. nullopt once closed, whatever is left.
  std::optional<Job> take() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return closing_ || !jobs_.empty(); });
    if (closing_) return std::nullopt;
    Job job = std::move(jobs_.front());
    jobs_.pop_front();
    return job;
  }
  // Returns at that moment, to the microsecond under PreciseTimers: the end of the wait is spun, so
  // that the kernel's wake-up does not lengthen every batch. Returns false at once when closed.
  bool wait_until(Steady::time_point moment) {
    constexpr auto kSpin = std::chrono::microseconds(40);
    if (Steady::now() + kSpin < moment) {
      std::unique_lock lock(mutex_);
      changed_.wait_until(lock, moment - kSpin, [this] { return closing_; });
      if (closing_) return false;
    }
    while (Steady::now() < moment) {
    }
    return true;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Job> jobs_;
  bool closing_ = false;
};

}  // namespace tangram
