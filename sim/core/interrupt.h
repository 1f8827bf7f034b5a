// Ctrl-C as a stop request, so that what is finished can be kept.
#pragma once

#include <csignal>
#include <stop_token>
#include <thread>

namespace tangram {

// Takes SIGINT and SIGTERM while it lives; another one, a second or more after the first, ends the
// program at once with exit code 1. Construct it before any other thread: they inherit the blocked
// signals, so that only this one gets them. Restores what was before.
class Interrupt {
 public:
  Interrupt();
  ~Interrupt();
  Interrupt(const Interrupt&) = delete;
  Interrupt& operator=(const Interrupt&) = delete;
  std::stop_token token() const { return interrupted_.get_token(); }
  // Whether a signal came since construction.
  bool pending() const { return interrupted_.stop_requested(); }

 private:
  void watch(const std::stop_token& done);

  sigset_t signals_{};
  sigset_t before_{};
  std::stop_source interrupted_;
  std::jthread thread_;
};

}  // namespace tangram
