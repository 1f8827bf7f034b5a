#include "sim/core/interrupt.h"

#include <chrono>
#include <cstdlib>
#include <ctime>
#include <optional>

namespace tangram {
namespace {
constexpr int kInterrupted = 1;  // exit code: the answer is "no"
}  // namespace

Interrupt::Interrupt() {
  sigemptyset(&signals_);
  sigaddset(&signals_, SIGINT);
  sigaddset(&signals_, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &signals_, &before_);
  thread_ = std::jthread([this](const std::stop_token& done) { watch(done); });
}

Interrupt::~Interrupt() {
  thread_.request_stop();
  thread_.join();
  pthread_sigmask(SIG_SETMASK, &before_, nullptr);
}

void Interrupt::watch(const std::stop_token& done) {
  using Steady = std::chrono::steady_clock;
  constexpr timespec kLook{0, 50'000'000};
  std::optional<Steady::time_point> first;
  while (!done.stop_requested()) {
    if (sigtimedwait(&signals_, nullptr, &kLook) <= 0) continue;
    if (first && Steady::now() - *first > std::chrono::seconds(1)) std::_Exit(kInterrupted);
    if (!first) first = Steady::now();
    interrupted_.request_stop();
  }
}

}  // namespace tangram
