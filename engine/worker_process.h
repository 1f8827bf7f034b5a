// One worker process as the engine sees it: started with cores and environment, its channel, its
// last words, and how it ended.
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <sys/types.h>

#include "engine/worker/protocol.h"
#include "engine/worker/spec.h"

namespace tangram {

class WorkerProcess {
 public:
  // Starts the program; the process is killed when the calling thread ends. Throws SystemError.
  WorkerProcess(const std::string& program, const WorkerSpec& spec);
  // Kills and reaps it, where that has not happened.
  ~WorkerProcess();
  WorkerProcess(const WorkerProcess&) = delete;
  WorkerProcess& operator=(const WorkerProcess&) = delete;

  pid_t id() const { return id_; }
  Channel& channel() { return *channel_; }
  // Where its standard output and error arrive; not blocking.
  int errors() const { return errors_; }
  // Takes in what has arrived there. Returns false once nothing more will come.
  bool read_errors();

  void kill() const;
  // Waits for the end of a process that closed its channel, and kills it when that takes longer.
  // Returns how it ended, with its last words: "was killed by signal 9 (Killed)".
  std::string reap(std::chrono::milliseconds within);

 private:
  std::string last_words() const;

  int errors_ = -1;
  std::unique_ptr<Channel> channel_;
  pid_t id_ = -1;
  bool is_reaped_ = false;
  std::string said_;  // the tail of what it printed
};

// The worker program that has a runner, and where it lies: in `folder`, or, where that is "",
// beside the running program or in the folder engine/ next to its own (a build tree). Throws
// SystemError where there is none.
std::string find_worker_program(const std::string& runner, const std::string& folder);

}  // namespace tangram
