// What the text readers of traces share: lines and cells without copies, decimals read digit by
// digit.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "sim/core/time.h"

namespace tangram::trace_text {

using Nanoseconds = std::optional<std::int64_t>;

inline constexpr std::int64_t kSecond = 1'000'000'000;
inline constexpr std::int64_t kLatest = static_cast<std::int64_t>(kLongestRunSeconds) * kSecond;

inline bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
// One digit or more, and nothing else.
bool all_digits(std::string_view text);
// For messages: at most 40 characters, in quotes, unprintable ones as '?'.
std::string in_quotes(std::string_view text);

// Walks over lines; each ends at LF or CRLF. A byte order mark is skipped.
class Lines {
 public:
  explicit Lines(std::string_view text);
  bool next();
  std::string_view line() const { return line_; }
  std::size_t number() const { return number_; }

 private:
  std::string_view rest_;
  std::string_view line_;
  std::size_t number_ = 0;
};

// Walks over the cells of a line, between commas, without surrounding blanks.
class CellReader {
 public:
  explicit CellReader(std::string_view line) : rest_(line) {}
  bool next();
  std::string_view cell() const { return cell_; }

 private:
  std::string_view rest_;
  std::string_view cell_;
  bool at_end_ = false;
};

inline constexpr std::size_t kMostColumns = 64;
using Cells = std::array<std::string_view, kMostColumns>;
// Cuts a line at its commas; returns the number of cells, of which the first kMostColumns are kept.
std::size_t cut(std::string_view line, Cells& cells);

// A number of seconds or what is wrong with it ("is not a number of seconds").
struct SecondsResult {
  std::int64_t ns = 0;
  std::string wrong;  // empty when nothing is
};
// Reads a decimal number of seconds, at most kLongestRunSeconds, to the nearest nanosecond.
SecondsResult parse_seconds(std::string_view cell);

}  // namespace tangram::trace_text
