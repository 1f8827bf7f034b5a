#include "validate/engine_process.h"

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <filesystem>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fmt/format.h>

#include "sim/core/error.h"
#include "sim/scenario/command.h"

namespace tangram {
namespace {

namespace fs = std::filesystem;

// How often a running engine is looked at.
constexpr int kLookMs = 50;

// The child's side of the fork; does not return.
[[noreturn]] void become(const std::string& program,
                         const std::vector<char*>& argv,
                         const sigset_t& signals) {
  // An engine must not outlive the command that would read its result.
  ::prctl(PR_SET_PDEATHSIG, SIGTERM);
  ::sigprocmask(SIG_UNBLOCK, &signals, nullptr);
  ::execv(program.c_str(), argv.data());
  const std::string text =
      "error: " + program + " cannot be started: " + std::strerror(errno) + '\n';
  [[maybe_unused]] const ssize_t written = ::write(STDERR_FILENO, text.data(), text.size());
  std::_Exit(kSystemFailed);
}

}  // namespace

std::string find_engine() {
  std::error_code error;
  const fs::path self = fs::read_symlink("/proc/self/exe", error);
  for (const char* place : {"tangram-engine", "../engine/tangram-engine"}) {
    const fs::path candidate = (self.parent_path() / place).lexically_normal();
    if (::access(candidate.c_str(), X_OK) == 0) return candidate.string();
  }
  throw SystemError("tangram-engine is not in " + self.parent_path().string() +
                    ": the real world needs it beside this program");
}

void run_engine_process(const std::string& program,
                        const std::vector<std::string>& arguments,
                        const Interrupt& interrupt) {
  std::vector<std::string> words{program};
  words.insert(words.end(), arguments.begin(), arguments.end());
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGTERM);

  const pid_t child = ::fork();
  if (child < 0) throw SystemError(std::string("no process for the engine: ") + strerror(errno));
  if (child == 0) become(program, argv, signals);
  bool passed_on = false;
  int status = 0;
  while (true) {
    const pid_t ended = ::waitpid(child, &status, WNOHANG);
    if (ended == child) break;
    if (ended < 0 && errno != EINTR) throw SystemError("the engine's process was lost");
    if (interrupt.pending() && !passed_on) {
      ::kill(child, SIGINT);
      passed_on = true;
    }
    const timespec look{0, kLookMs * 1'000'000L};
    ::nanosleep(&look, nullptr);
  }
  if (interrupt.pending()) throw NoAnswer("interrupted; nothing was written");
  if (WIFSIGNALED(status)) {
    throw EngineFailed(kSystemFailed, fmt::format("tangram-engine was killed by signal {} ({})",
                                                  WTERMSIG(status), strsignal(WTERMSIG(status))));
  }
  const int code = WEXITSTATUS(status);
  if (code != 0) {
    throw EngineFailed(code, fmt::format("tangram-engine failed with exit code {}; nothing was "
                                         "written",
                                         code));
  }
}

}  // namespace tangram
