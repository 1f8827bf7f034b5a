// The engine as a child process, so that the command itself needs no device, and Ctrl-C handled on
// the way: what is running stops, temporary files go away.
#pragma once

#include <csignal>
#include <stdexcept>
#include <string>
#include <vector>

namespace tangram {

// While it lives, SIGINT and SIGTERM do not end the process but are seen by pending(). Construct it
// before other threads: they inherit what is blocked. Restores what was before.
class Interrupts {
 public:
  Interrupts();
  ~Interrupts();
  Interrupts(const Interrupts&) = delete;
  Interrupts& operator=(const Interrupts&) = delete;

  // Whether a signal came since construction.
  bool pending() { return pending_for(0); }
  // The same, waiting for one at most this long.
  bool pending_for(int milliseconds);

 private:
  sigset_t signals_{};
  sigset_t before_{};
  bool seen_ = false;
};

// The engine ended with another code than 0. It has said why on standard error.
class EngineFailed : public std::runtime_error {
 public:
  EngineFailed(int exit_code, const std::string& what)
      : std::runtime_error(what), exit_code_(exit_code) {}
  // What the command should exit with: the engine's code, 3 when a signal killed it.
  int exit_code() const { return exit_code_; }

 private:
  int exit_code_;
};

// Finds tangram-engine beside the running program, or where the build leaves it. Throws
// SystemError.
std::string find_engine();

// Runs a program with our standard output and error and waits for its end. An interrupt is passed
// on to it. Throws EngineFailed; NoAnswer when it was interrupted; SystemError when it cannot be
// started.
void run_engine_process(const std::string& program,
                        const std::vector<std::string>& arguments,
                        Interrupts& interrupts);

}  // namespace tangram
