// The user's mistakes: every reader collects all faults of its input and throws them together, each
// with the place (JSON pointer, or file:line), what is wrong, and what would be right.
#pragma once

#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace tangram {

struct Fault {
  std::string where;  // "scenario.json#/workloads/0/slo_ms" or "trace.csv:17"
  std::string what;   // one sentence, no full stop at the end
};

// Wrong input. The command prints every fault on a line of its own and exits with 2.
class ConfigError : public std::runtime_error {
 public:
  explicit ConfigError(std::vector<Fault> faults);
  ConfigError(std::string where, std::string what);
  const std::vector<Fault>& faults() const { return faults_; }

 private:
  std::vector<Fault> faults_;
};

// The answer is "no": a planner cannot plan at all, a check failed. The command exits with 1.
class NoAnswer : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// The system failed: a full disk, a lost device. The command exits with 3.
class SystemError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// Collects faults; at most kMost are kept, the rest counted, so that a broken file of a million
// lines stays readable.
class Faults {
 public:
  static constexpr std::size_t kMost = 100;
  void add(std::string where, std::string what);
  void append(const ConfigError& error);
  bool empty() const { return faults_.empty(); }
  std::size_t size() const { return faults_.size() + dropped_; }
  // Throws ConfigError with everything collected, if there is anything.
  void throw_if_any() const;

 private:
  std::vector<Fault> faults_;
  std::size_t dropped_ = 0;
};

// Returns the known name nearest to `name` by edit distance (insert, delete, substitute, transpose;
// case-insensitive), or "" when none is near: more than a third of the longer name, at least 2.
std::string nearest_name(std::string_view name, const std::vector<std::string>& known);

// Returns `unknown KIND "name"; did you mean "x"? known: a, b, c`, for messages.
std::string unknown_name(std::string_view kind,
                         std::string_view name,
                         const std::vector<std::string>& known);

}  // namespace tangram
