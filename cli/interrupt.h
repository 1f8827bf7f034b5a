// Ctrl-C as a stop request, so that what is finished can be kept.
#pragma once

#include <csignal>
#include <stop_token>
#include <thread>

namespace tangram::cli {

// Takes SIGINT and SIGTERM while it lives. Construct it before any other thread: they inherit the
// blocked signals, so that only this one gets them.
class Interrupt {
 public:
  Interrupt();
  ~Interrupt();
  Interrupt(const Interrupt&) = delete;
  Interrupt& operator=(const Interrupt&) = delete;
  std::stop_token token() const { return interrupted_.get_token(); }

 private:
  sigset_t signals_{};
  sigset_t before_{};
  std::stop_source interrupted_;
  std::jthread thread_;
};

}  // namespace tangram::cli
