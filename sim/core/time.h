// Simulated and real time: 64-bit integer nanoseconds, never floating point. Equal times are then
// really equal, sums do not depend on their order, and the event key stays an integer.
#pragma once

#include <chrono>
#include <cstdint>

namespace tangram {

// Nanoseconds, signed. Range: about +-292 years.
using Duration = std::chrono::duration<std::int64_t, std::nano>;

// The clock of a run: its epoch is the start of the run. It has no now(): the runtime owns time.
struct SimClock {
  using duration = Duration;
  using rep = Duration::rep;
  using period = Duration::period;
  using time_point = std::chrono::time_point<SimClock, Duration>;
  static constexpr bool is_steady = true;
};
using TimePoint = SimClock::time_point;

inline constexpr TimePoint kStart{};
// Later than every event; a timer set to it is off.
inline constexpr TimePoint kNever = TimePoint::max();
// The longest run that the integers can hold with room for arithmetic, in seconds (about 146
// years).
inline constexpr double kLongestRunSeconds = 4.6e9;

constexpr double to_ms(Duration d) {
  return static_cast<double>(d.count()) / 1e6;
}
constexpr double to_seconds(Duration d) {
  return static_cast<double>(d.count()) / 1e9;
}

// Rounds to the nearest nanosecond, halves away from zero. Requires: |ns| < 2^63.
constexpr Duration from_ns(double ns) {
  return Duration(static_cast<std::int64_t>(ns < 0 ? ns - 0.5 : ns + 0.5));
}
constexpr Duration from_ms(double ms) {
  return from_ns(ms * 1e6);
}
constexpr Duration from_seconds(double seconds) {
  return from_ns(seconds * 1e9);
}

}  // namespace tangram
