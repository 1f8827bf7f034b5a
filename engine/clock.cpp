#include "engine/clock.h"

#include <sys/prctl.h>

namespace tangram {

PreciseTimers::PreciseTimers() : slack_ns_(prctl(PR_GET_TIMERSLACK, 0UL, 0UL, 0UL, 0UL)) {
  prctl(PR_SET_TIMERSLACK, 1UL, 0UL, 0UL, 0UL);
}

PreciseTimers::~PreciseTimers() {
  if (slack_ns_ < 0) return;
  prctl(PR_SET_TIMERSLACK, static_cast<unsigned long>(slack_ns_), 0UL, 0UL, 0UL);
}

}  // namespace tangram
