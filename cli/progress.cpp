// Draws the bar.
#include "cli/progress.h"

#include <algorithm>
#include <cstdio>
#include <unistd.h>
#include <utility>

#include <fmt/format.h>

namespace tangram::cli {
namespace {

std::string time_left(double seconds) {
  const auto s = static_cast<std::int64_t>(std::min(seconds, 1e9) + 0.5);
  if (s < 60) return fmt::format("{} s left", s);
  if (s < 3600) return fmt::format("{} min {:02} s left", s / 60, s % 60);
  return fmt::format("{} h {:02} min left", s / 3600, s / 60 % 60);
}

}  // namespace

Progress::Progress(std::string what)
    : what_(std::move(what)),
      is_terminal_(::isatty(STDERR_FILENO) == 1),
      began_(Clock::now()),
      drawn_(began_) {}

Progress::~Progress() {
  if (width_ > 0) std::fputs(('\r' + std::string(width_, ' ') + '\r').c_str(), stderr);
}

void Progress::update(double share) {
  if (!is_terminal_) return;
  const Clock::time_point now = Clock::now();
  const double elapsed = std::chrono::duration<double>(now - began_).count();
  if (elapsed < 1 || share <= 0 || now - drawn_ < std::chrono::milliseconds(100)) return;
  drawn_ = now;
  constexpr std::size_t kCells = 30;
  const auto cells = static_cast<std::size_t>(std::min(share, 1.0) * kCells);
  const std::string line = fmt::format("{} [{}{}] {:3.0f} %  {}", what_, std::string(cells, '#'),
                                       std::string(kCells - cells, '.'), share * 100,
                                       time_left(elapsed * (1 - share) / share));
  const std::size_t old = std::exchange(width_, line.size());
  const std::string blanks(old > width_ ? old - width_ : 0, ' ');
  std::fputs(('\r' + line + blanks).c_str(), stderr);
  std::fflush(stderr);
}

}  // namespace tangram::cli
