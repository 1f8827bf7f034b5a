// A bar with the time left, on standard error.
#pragma once

#include <chrono>
#include <string>

namespace tangram::cli {

// Draws only when standard error is a terminal and the work has lasted a second; the destructor
// wipes the line.
class Progress {
 public:
  explicit Progress(std::string what);
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;
  // `share` of the work done, in [0, 1].
  void update(double share);

 private:
  using Clock = std::chrono::steady_clock;
  std::string what_;
  bool is_terminal_;
  Clock::time_point began_;
  Clock::time_point drawn_;
  std::size_t width_ = 0;  // of what stands on the line
};

}  // namespace tangram::cli
