// Hand-written parsing: a million rows in a fraction of a second, every decimal digit kept.
#include "workloads/detail/trace_text.h"

#include <algorithm>

#include <fmt/format.h>

namespace tangram::trace_text {
namespace {

std::string_view trimmed(std::string_view text) {
  const auto blank = [](char c) { return c == ' ' || c == '\t'; };
  while (!text.empty() && blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && blank(text.back())) text.remove_suffix(1);
  return text;
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

}  // namespace

bool all_digits(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), is_digit);
}

std::string in_quotes(std::string_view text) {
  std::string out = "\"";
  for (const char c : text.substr(0, 40)) out += c >= ' ' && c <= '~' ? c : '?';
  return out + (text.size() > 40 ? "...\"" : "\"");
}

Lines::Lines(std::string_view text) : rest_(text) {
  constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";
  if (rest_.starts_with(kByteOrderMark)) rest_.remove_prefix(kByteOrderMark.size());
}

bool Lines::next() {
  if (rest_.empty()) return false;
  const std::size_t end = std::min(rest_.find('\n'), rest_.size());
  line_ = rest_.substr(0, end);
  if (line_.ends_with('\r')) line_.remove_suffix(1);
  rest_.remove_prefix(std::min(end + 1, rest_.size()));
  ++number_;
  return true;
}

bool CellReader::next() {
  if (at_end_) return false;
  const std::size_t comma = rest_.find(',');
  cell_ = trimmed(rest_.substr(0, comma));
  at_end_ = comma == std::string_view::npos;
  if (!at_end_) rest_.remove_prefix(comma + 1);
  return true;
}

std::size_t cut(std::string_view line, Cells& cells) {
  std::size_t n = 0;
  for (CellReader reader(line); reader.next(); ++n) {
    if (n < kMostColumns) cells[n] = reader.cell();
  }
  return n;
}

SecondsResult parse_seconds(std::string_view cell) {
  if (const std::optional<Decimal> number = parse_decimal(cell)) {
    if (const Nanoseconds ns = to_nanoseconds(*number)) return {*ns, ""};
    return {0, fmt::format("{} is more than {:.2g} s", in_quotes(cell), kLongestRunSeconds)};
  }
  if (cell.starts_with('-') && parse_decimal(cell.substr(1))) {
    return {0, fmt::format("{} is negative; times are seconds from 0 on", in_quotes(cell))};
  }
  return {0, fmt::format("{} is not a number of seconds", in_quotes(cell))};
}

}  // namespace tangram::trace_text
