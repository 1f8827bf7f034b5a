#include "engine/worker_process.h"

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <map>
#include <sched.h>
#include <spawn.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

#include "engine/worker/worker.h"
#include "sim/core/error.h"

namespace tangram {
namespace {

constexpr std::size_t kTail = 2'000;  // bytes of last words

[[noreturn]] void fail(const std::string& what, int error) {
  throw SystemError(what + ": " + std::strerror(error));
}

// This process's environment with additions, as "NAME=VALUE".
std::vector<std::string> environment_with(
    const std::vector<std::pair<std::string, std::string>>& added) {
  std::map<std::string, std::string> values;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string text = *entry;
    const std::size_t equals = text.find('=');
    if (equals != std::string::npos) values[text.substr(0, equals)] = text.substr(equals + 1);
  }
  for (const auto& [name, value] : added) values[name] = value;
  std::vector<std::string> list;
  for (const auto& [name, value] : values) list.push_back(name + '=' + value);
  return list;
}

std::vector<char*> pointers_to(std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  for (std::string& text : texts) pointers.push_back(text.data());
  pointers.push_back(nullptr);
  return pointers;
}

class SpawnPlan {
 public:
  SpawnPlan(int socket, int output) {
    posix_spawn_file_actions_init(&actions_);
    posix_spawnattr_init(&attributes_);
    posix_spawn_file_actions_addopen(&actions_, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&actions_, output, STDOUT_FILENO);
    posix_spawn_file_actions_adddup2(&actions_, output, STDERR_FILENO);
    posix_spawn_file_actions_adddup2(&actions_, socket, kWorkerSocket);
    // A group of its own: Ctrl-C in the terminal is for the engine, which then closes its workers.
    // The engine's threads block signals that a worker must not ignore.
    sigset_t none;
    sigemptyset(&none);
    posix_spawnattr_setsigmask(&attributes_, &none);
    posix_spawnattr_setpgroup(&attributes_, 0);
    posix_spawnattr_setflags(&attributes_,
                             static_cast<short>(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETPGROUP));
  }
  ~SpawnPlan() {
    posix_spawn_file_actions_destroy(&actions_);
    posix_spawnattr_destroy(&attributes_);
  }
  SpawnPlan(const SpawnPlan&) = delete;
  SpawnPlan& operator=(const SpawnPlan&) = delete;

  // Returns an errno.
  int run(const std::string& program, const WorkerSpec& spec, pid_t& id) {
    std::vector<std::string> arguments{program, std::to_string(::getpid())};
    std::vector<std::string> environment = environment_with(spec.environment);
    return ::posix_spawn(&id, program.c_str(), &actions_, &attributes_,
                         pointers_to(arguments).data(), pointers_to(environment).data());
  }

 private:
  posix_spawn_file_actions_t actions_{};
  posix_spawnattr_t attributes_{};
};

// Threads that the process starts later inherit it.
void pin(pid_t process, const std::vector<int>& cores) {
  if (cores.empty()) return;
  cpu_set_t set;
  CPU_ZERO(&set);
  for (const int core : cores) {
    if (core >= 0 && core < CPU_SETSIZE) CPU_SET(static_cast<std::size_t>(core), &set);
  }
  if (::sched_setaffinity(process, sizeof set, &set) != 0) {
    fail("a worker cannot run on core " + std::to_string(cores.front()), errno);
  }
}

}  // namespace

WorkerProcess::WorkerProcess(const std::string& program, const WorkerSpec& spec) {
  std::array<int, 2> output{};
  if (::pipe2(output.data(), O_CLOEXEC) != 0) fail("cannot open a pipe", errno);
  errors_ = output[0];
  ::fcntl(errors_, F_SETFL, O_NONBLOCK);
  int theirs = -1;
  try {
    const auto [ours, other] = connected_pair();
    theirs = other;
    channel_ = std::make_unique<Channel>(ours);
  } catch (...) {
    ::close(output[0]);
    ::close(output[1]);
    throw;
  }
  const int error = SpawnPlan(theirs, output[1]).run(program, spec, id_);
  ::close(theirs);
  ::close(output[1]);
  try {
    if (error != 0) fail("cannot start " + program, error);
    pin(id_, spec.cores);
  } catch (...) {
    if (error == 0) reap({});
    ::close(errors_);
    throw;
  }
}

WorkerProcess::~WorkerProcess() {
  reap({});
  ::close(errors_);
}

bool WorkerProcess::read_errors() {
  std::array<char, 4096> buffer;
  while (true) {
    const ssize_t n = ::read(errors_, buffer.data(), buffer.size());
    if (n == 0) return false;
    if (n < 0) return errno == EAGAIN || errno == EINTR;
    said_.append(buffer.data(), static_cast<std::size_t>(n));
    if (said_.size() > kTail) said_.erase(0, said_.size() - kTail);
  }
}

void WorkerProcess::kill() const {
  if (!is_reaped_) ::kill(id_, SIGKILL);
}

std::string WorkerProcess::reap(std::chrono::milliseconds within) {
  if (is_reaped_) return "";
  const auto deadline = std::chrono::steady_clock::now() + within;
  int status = 0;
  pid_t ended = 0;
  while ((ended = ::waitpid(id_, &status, WNOHANG)) == 0 &&
         std::chrono::steady_clock::now() < deadline) {
    std::this_thread::sleep_for(std::chrono::microseconds(200));
  }
  if (ended == 0) {
    kill();
    ended = ::waitpid(id_, &status, 0);
  }
  is_reaped_ = true;
  read_errors();
  if (ended != id_) return "ended";
  if (WIFSIGNALED(status)) {
    const int signal = WTERMSIG(status);
    return "was killed by signal " + std::to_string(signal) + " (" + ::strsignal(signal) + ')' +
           last_words();
  }
  return "exited with status " + std::to_string(WEXITSTATUS(status)) + last_words();
}

std::string WorkerProcess::last_words() const {
  std::string words = said_;
  while (!words.empty() && words.back() == '\n') words.pop_back();
  return words.empty() ? "" : "; it said: " + words;
}

std::string find_worker_program(const std::string& runner, const std::string& folder) {
  namespace fs = std::filesystem;
  const std::string name = runner == "torch" ? "tangram-worker-torch" : "tangram-worker";
  std::vector<fs::path> places{folder};
  if (folder.empty()) {
    std::error_code ignored;
    const fs::path here = fs::read_symlink("/proc/self/exe", ignored).parent_path();
    places = {here, here.parent_path() / "engine"};
  }
  for (const fs::path& place : places) {
    const fs::path program = place / name;
    if (::access(program.c_str(), X_OK) == 0) return program.string();
  }
  std::string what = "the program " + name + " is not in " + places.front().string();
  if (runner == "torch") what += "; it is built where LibTorch is found (docs/guide/engine.md)";
  throw SystemError(what);
}

}  // namespace tangram
