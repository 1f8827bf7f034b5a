// Hand-written parsers: a million rows in a fraction of a second, every decimal digit kept.
#include "workloads/trace.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <limits>
#include <span>

#include <fmt/format.h>

#include "sim/core/atomic_file.h"
#include "sim/core/check.h"

namespace tangram {
namespace {

using Nanoseconds = std::optional<std::int64_t>;

constexpr std::int64_t kSecond = 1'000'000'000;
constexpr std::int64_t kLatest = static_cast<std::int64_t>(kLongestRunSeconds) * kSecond;

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

std::string_view trimmed(std::string_view text) {
  const auto blank = [](char c) { return c == ' ' || c == '\t'; };
  while (!text.empty() && blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && blank(text.back())) text.remove_suffix(1);
  return text;
}

// For messages: at most 40 characters, in quotes, unprintable ones as '?'.
std::string quoted(std::string_view text) {
  std::string out = "\"";
  for (const char c : text.substr(0, 40)) out += c >= ' ' && c <= '~' ? c : '?';
  return out + (text.size() > 40 ? "...\"" : "\"");
}

// Walks over lines; each ends at LF or CRLF.
class Lines {
 public:
  explicit Lines(std::string_view text) : rest_(text) {
    constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";
    if (rest_.starts_with(kByteOrderMark)) rest_.remove_prefix(kByteOrderMark.size());
  }
  bool next() {
    if (rest_.empty()) return false;
    const std::size_t end = std::min(rest_.find('\n'), rest_.size());
    line_ = rest_.substr(0, end);
    if (line_.ends_with('\r')) line_.remove_suffix(1);
    rest_.remove_prefix(std::min(end + 1, rest_.size()));
    ++number_;
    return true;
  }
  std::string_view line() const { return line_; }
  std::size_t number() const { return number_; }

 private:
  std::string_view rest_;
  std::string_view line_;
  std::size_t number_ = 0;
};

constexpr std::size_t kMostColumns = 64;
using Cells = std::array<std::string_view, kMostColumns>;

// Cuts a line at its commas; returns the number of cells, of which the first kMostColumns are kept.
std::size_t cut(std::string_view line, Cells& cells) {
  for (std::size_t n = 0;; ++n) {
    const std::size_t comma = line.find(',');
    if (n < kMostColumns) cells[n] = trimmed(line.substr(0, comma));
    if (comma == std::string_view::npos) return n + 1;
    line.remove_prefix(comma + 1);
  }
}

// The digits of a decimal number as mantissa * 10^exponent. Digits beyond the 19th cannot change a
// nanosecond of a legal time and are cut off.
struct Decimal {
  std::uint64_t mantissa = 0;
  int exponent = 0;
};

std::optional<Decimal> parse_decimal(std::string_view text) {
  Decimal number;
  bool any = false;
  bool point = false;
  std::size_t i = 0;
  for (; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '.' && !point) {
      point = true;
    } else if (is_digit(c)) {
      any = true;
      const bool keep = number.mantissa < 1'000'000'000'000'000'000U;
      if (keep) number.mantissa = number.mantissa * 10 + static_cast<std::uint64_t>(c - '0');
      number.exponent += (keep ? 0 : 1) - (point ? 1 : 0);
    } else {
      break;
    }
  }
  if (!any) return std::nullopt;
  if (i == text.size()) return number;
  if (text[i] != 'e' && text[i] != 'E') return std::nullopt;
  text.remove_prefix(i + 1);
  const bool negative = text.starts_with('-');
  if (negative || text.starts_with('+')) text.remove_prefix(1);
  if (text.empty() || text.size() > 4) return std::nullopt;
  int power = 0;
  for (const char c : text) {
    if (!is_digit(c)) return std::nullopt;
    power = power * 10 + (c - '0');
  }
  number.exponent += negative ? -power : power;
  return number;
}

// Seconds to whole nanoseconds, halves up; nullopt beyond the longest run.
Nanoseconds to_nanoseconds(Decimal seconds) {
  std::uint64_t value = seconds.mantissa;
  int exponent = seconds.exponent + 9;
  for (; exponent > 0 && value != 0; --exponent) {
    if (value > static_cast<std::uint64_t>(kLatest)) return std::nullopt;
    value *= 10;
  }
  for (; exponent < -1 && value != 0; ++exponent) value /= 10;
  if (exponent == -1) value = value / 10 + (value % 10 >= 5 ? 1 : 0);
  if (value > static_cast<std::uint64_t>(kLatest)) return std::nullopt;
  return static_cast<std::int64_t>(value);
}

// Collects the times of one file, relative to the first, and its faults.
class Collector {
 public:
  Collector(const std::string& name, Faults& faults) : name_(name), faults_(faults) {}

  void fault(std::size_t line, std::string what) {
    faults_.add(fmt::format("{}:{}", name_, line), std::move(what));
  }
  void file_fault(std::string what) { faults_.add(name_, std::move(what)); }
  void add(std::size_t line, std::int64_t ns) {
    if (times_.empty()) {
      first_ = last_ = ns;
    } else if (ns < last_) {
      fault(line,
            fmt::format("this row is {} s earlier than the row before it; rows must ascend in time",
                        to_seconds(Duration(last_ - ns))));
    } else if (ns - first_ > kLatest) {
      fault(line, fmt::format("more than {:.2g} s after the first row", kLongestRunSeconds));
      return;
    }
    last_ = ns;
    times_.emplace_back(ns - first_);
  }
  // An empty line is legal at the end only.
  bool is_row(const Lines& lines) {
    if (lines.line().empty()) {
      empty_line_ = empty_line_ == 0 ? lines.number() : empty_line_;
      return false;
    }
    if (empty_line_ != 0) fault(empty_line_, "an empty line between rows");
    empty_line_ = 0;
    ++rows_;
    return true;
  }
  std::vector<Duration> finish(bool header) {
    if (rows_ == 0) file_fault(header ? "no rows after the header" : "the file is empty");
    return std::move(times_);
  }

 private:
  const std::string& name_;
  Faults& faults_;
  std::vector<Duration> times_;
  std::int64_t first_ = 0;
  std::int64_t last_ = 0;
  std::size_t empty_line_ = 0;
  std::size_t rows_ = 0;
};

// --- timestamps --------------------------------------------------------------------------------

// Adds the time of one cell, or says what is wrong with it.
void add_seconds(std::string_view cell, std::size_t line, Collector& out) {
  const std::optional<Decimal> number = parse_decimal(cell);
  if (number) {
    if (const Nanoseconds ns = to_nanoseconds(*number)) {
      out.add(line, *ns);
    } else {
      out.fault(line, fmt::format("{} is more than {:.2g} s", quoted(cell), kLongestRunSeconds));
    }
  } else if (cell.starts_with('-') && parse_decimal(cell.substr(1))) {
    out.fault(line, fmt::format("{} is negative; times are seconds from 0 on", quoted(cell)));
  } else {
    out.fault(line, fmt::format("{} is not a number of seconds", quoted(cell)));
  }
}

bool looks_numeric(std::string_view cell) {
  return !cell.empty() && (is_digit(cell.front()) || cell.front() == '-' || cell.front() == '.');
}

// The column that holds the time; nullopt after a fault.
std::optional<std::size_t> time_column(std::span<const std::string_view> header,
                                       std::size_t line,
                                       Collector& out) {
  std::optional<std::size_t> column;
  for (std::size_t i = 0; i < header.size(); ++i) {
    if (header[i] != "timestamp_s" && header[i] != "arrival_s") continue;
    if (column) {
      out.fault(line, "two columns hold the time; keep one of timestamp_s, arrival_s");
      return std::nullopt;
    }
    column = i;
  }
  if (!column) {
    out.fault(line,
              fmt::format("no column timestamp_s or arrival_s in the header {}; a file without a "
                          "header is one column of seconds",
                          quoted(header.front())));
  }
  return column;
}

std::vector<Duration> parse_timestamps(Lines lines, Collector& out) {
  Cells cells;
  if (!lines.next() || lines.line().empty()) {
    out.file_fault(lines.number() == 0 ? "the file is empty" : "the first line is empty");
    return {};
  }
  std::size_t columns = cut(lines.line(), cells);
  const bool header = !looks_numeric(cells[0]);
  std::size_t column = 0;
  if (columns > kMostColumns || (!header && columns > 1)) {
    out.fault(
        1, fmt::format("{} columns; without a header there must be one, with a header at most {}",
                       columns, kMostColumns));
    return {};
  }
  if (header) {
    const auto found = time_column(std::span(cells).first(columns), 1, out);
    if (!found) return {};
    column = *found;
  } else {
    out.is_row(lines);
    add_seconds(cells[0], 1, out);
  }
  while (lines.next()) {
    if (!out.is_row(lines)) continue;
    const std::size_t found = cut(lines.line(), cells);
    if (found != columns) {
      out.fault(lines.number(), fmt::format("{} columns, where line 1 has {}", found, columns));
    } else {
      add_seconds(cells[column], lines.number(), out);
    }
  }
  return out.finish(header);
}

// --- azure_llm ---------------------------------------------------------------------------------

// The number in exactly these digits; nullopt when one is not a digit.
std::optional<int> digits(std::string_view text) {
  int value = 0;
  for (const char c : text) {
    if (!is_digit(c)) return std::nullopt;
    value = value * 10 + (c - '0');
  }
  return value;
}

struct DateResult {
  std::int64_t ns = 0;          // since 1970
  const char* wrong = nullptr;  // what is wrong; null when nothing is
};

// "2023-11-16 18:15:46.6805900", with 1 to 9 decimals, or none and no point.
DateResult parse_date_time(std::string_view text) {
  constexpr std::string_view kShape = "dddd-dd-dd dd:dd:dd";
  const DateResult bad_shape{0, "is not of the form YYYY-MM-DD HH:MM:SS.fffffff"};
  if (text.size() < kShape.size()) return bad_shape;
  for (std::size_t i = 0; i < kShape.size(); ++i) {
    if (kShape[i] == 'd' ? !is_digit(text[i]) : text[i] != kShape[i]) return bad_shape;
  }
  const auto field = [text](std::size_t at, std::size_t size) {
    return digits(text.substr(at, size)).value_or(0);
  };
  std::int64_t fraction = 0;
  if (text.size() > kShape.size()) {
    const std::string_view decimals = text.substr(kShape.size() + 1);
    const std::optional<int> value = digits(decimals.substr(0, 9));
    if (text[kShape.size()] != '.' || decimals.empty() || decimals.size() > 9 || !value) {
      return bad_shape;
    }
    fraction = *value;
    for (std::size_t i = decimals.size(); i < 9; ++i) fraction *= 10;
  }
  const int year = field(0, 4);
  // Later years do not fit 64-bit nanoseconds since 1970.
  if (year < 1970 || year > 2261) return {0, "has a year outside 1970 to 2261"};
  const std::chrono::year_month_day date{std::chrono::year(year),
                                         std::chrono::month(static_cast<unsigned>(field(5, 2))),
                                         std::chrono::day(static_cast<unsigned>(field(8, 2)))};
  if (!date.ok()) return {0, "is not a day of the calendar"};
  const int hour = field(11, 2);
  const int minute = field(14, 2);
  const int second = field(17, 2);
  if (hour > 23 || minute > 59 || second > 59) return {0, "is not a time of day"};
  const std::int64_t days = std::chrono::sys_days(date).time_since_epoch().count();
  const std::int64_t seconds = ((days * 24 + hour) * 60 + minute) * 60 + second;
  return {seconds * kSecond + fraction, nullptr};
}

bool all_digits(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), is_digit);
}

std::vector<Duration> parse_azure_llm(Lines lines, Collector& out) {
  constexpr std::string_view kHeader = "TIMESTAMP,ContextTokens,GeneratedTokens";
  if (!lines.next()) {
    out.file_fault("the file is empty");
    return {};
  }
  if (lines.line() != kHeader) {
    out.fault(1, fmt::format("the header must be {}, not {}", kHeader, quoted(lines.line())));
    return {};
  }
  Cells cells;
  while (lines.next()) {
    if (!out.is_row(lines)) continue;
    const std::size_t columns = cut(lines.line(), cells);
    if (columns != 3) {
      out.fault(lines.number(), fmt::format("{} columns, not 3 ({})", columns, kHeader));
      continue;
    }
    for (std::size_t i = 1; i < 3; ++i) {
      if (!all_digits(cells[i])) {
        out.fault(lines.number(), fmt::format("{} is not a number of {} tokens", quoted(cells[i]),
                                              i == 1 ? "context" : "generated"));
      }
    }
    const DateResult date = parse_date_time(cells[0]);
    if (date.wrong != nullptr) {
      out.fault(lines.number(), fmt::format("{} {}", quoted(cells[0]), date.wrong));
    } else {
      out.add(lines.number(), date.ns);
    }
  }
  return out.finish(true);
}

}  // namespace

const std::vector<std::string>& trace_formats() {
  static const std::vector<std::string> kFormats{"timestamps", "azure_llm"};
  return kFormats;
}

std::vector<Duration> parse_trace(std::string_view text,
                                  const std::string& name,
                                  const std::string& format,
                                  Faults& faults) {
  Collector out(name, faults);
  if (format == "azure_llm") return parse_azure_llm(Lines(text), out);
  TANGRAM_CHECK(format == "timestamps", "unknown trace format ", format);
  return parse_timestamps(Lines(text), out);
}

std::vector<Duration> read_trace(const std::string& path,
                                 const std::string& format,
                                 Faults& faults) {
  std::string text;
  try {
    text = read_file(path);
  } catch (const ConfigError& error) {
    faults.append(error);
    return {};
  }
  return parse_trace(text, path, format, faults);
}

std::optional<double> TraceSlice::rate_rps() const {
  if (offsets.empty() || !length_ns) return std::nullopt;
  return static_cast<double>(offsets.size()) / *length_ns * 1e9;
}

TraceSlice slice_trace(const std::vector<Duration>& trace,
                       double start_s,
                       std::optional<double> end_s) {
  const Duration start = from_seconds(start_s);
  const auto first = std::lower_bound(trace.begin(), trace.end(), start);
  const auto last =
      end_s ? std::lower_bound(first, trace.end(), from_seconds(*end_s)) : trace.end();
  TraceSlice slice;
  slice.offsets.reserve(static_cast<std::size_t>(last - first));
  for (auto row = first; row != last; ++row) slice.offsets.push_back(*row - start);
  if (end_s) {
    slice.length_ns = static_cast<double>((from_seconds(*end_s) - start).count());
  } else if (!slice.offsets.empty() && slice.offsets.back() > slice.offsets.front()) {
    const auto final_row = static_cast<double>(slice.offsets.back().count());
    const auto span = static_cast<double>((slice.offsets.back() - slice.offsets.front()).count());
    slice.length_ns = final_row + span / static_cast<double>(slice.offsets.size() - 1);
  }
  return slice;
}

}  // namespace tangram
