// Keeps the calling thread, and those that it starts, on one core while it lives.
#pragma once

#include <sched.h>

namespace tangram {

class PinnedThread {
 public:
  // Throws SystemError when the thread may not run there.
  explicit PinnedThread(int core);
  // Gives back what was allowed before. To be destroyed by the same thread.
  ~PinnedThread();
  PinnedThread(const PinnedThread&) = delete;
  PinnedThread& operator=(const PinnedThread&) = delete;

 private:
  cpu_set_t before_{};
};

}  // namespace tangram
