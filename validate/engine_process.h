// The engine as a child process, so that the command itself needs no device; Ctrl-C reaches it
// on the way: what is running stops, temporary files go away.
#pragma once

#include <stdexcept>
#include <string>
#include <vector>

#include "sim/core/interrupt.h"

namespace tangram {

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
                        const Interrupt& interrupt);

}  // namespace tangram
