// The real clock of a run: SimClock's time points on the machine's steady clock.
#pragma once

#include <algorithm>
#include <chrono>

#include "sim/core/time.h"

namespace tangram {

class RealClock {
 public:
  using Steady = std::chrono::steady_clock;

  // Puts kStart at this moment, which may lie ahead: now() is negative until then. Set once, before
  // any thread reads the clock.
  void start_at(Steady::time_point origin) { origin_ = origin; }
  TimePoint now() const {
    return kStart + std::chrono::duration_cast<Duration>(Steady::now() - origin_);
  }
  TimePoint at(Steady::time_point moment) const {
    return kStart + std::chrono::duration_cast<Duration>(moment - origin_);
  }
  // The moment of a time point, for waiting; kNever is a century and a half away.
  Steady::time_point moment(TimePoint t) const {
    return origin_ + (std::min(t, kStart + from_seconds(kLongestRunSeconds)) - kStart);
  }

 private:
  Steady::time_point origin_{};
};

// While it lives, the calling thread's waits end within microseconds of their time: without it the
// kernel gathers wake-ups over its timer slack, 50 us by default.
class PreciseTimers {
 public:
  PreciseTimers();
  ~PreciseTimers();
  PreciseTimers(const PreciseTimers&) = delete;
  PreciseTimers& operator=(const PreciseTimers&) = delete;

 private:
  int slack_ns_;  // before; negative where the system does not say
};

}  // namespace tangram
