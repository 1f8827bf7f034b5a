#include "engine/pinned_thread.h"

#include <cerrno>
#include <cstring>
#include <string>

#include "sim/core/error.h"

namespace tangram {

PinnedThread::PinnedThread(int core) {
  cpu_set_t set;
  CPU_ZERO(&set);
  if (core >= 0 && core < CPU_SETSIZE) CPU_SET(static_cast<std::size_t>(core), &set);
  if (::sched_getaffinity(0, sizeof before_, &before_) != 0 ||
      ::sched_setaffinity(0, sizeof set, &set) != 0) {
    throw SystemError("the dispatcher cannot run on core " + std::to_string(core) + ": " +
                      std::strerror(errno));
  }
}

PinnedThread::~PinnedThread() {
  ::sched_setaffinity(0, sizeof before_, &before_);
}

}  // namespace tangram
