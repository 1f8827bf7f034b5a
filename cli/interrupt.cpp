#include "cli/interrupt.h"

#include <ctime>

namespace tangram::cli {

Interrupt::Interrupt() {
  sigemptyset(&signals_);
  sigaddset(&signals_, SIGINT);
  sigaddset(&signals_, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &signals_, &before_);
  thread_ = std::jthread([this](const std::stop_token& done) {
    constexpr timespec kLook{0, 100'000'000};
    while (!done.stop_requested()) {
      if (sigtimedwait(&signals_, nullptr, &kLook) > 0) interrupted_.request_stop();
    }
  });
}

Interrupt::~Interrupt() {
  thread_.request_stop();
  thread_.join();
  pthread_sigmask(SIG_SETMASK, &before_, nullptr);
}

}  // namespace tangram::cli
