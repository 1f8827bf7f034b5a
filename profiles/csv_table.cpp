// Splitting of comma-separated text, and numbers from cells.
#include "profiles/csv_table.h"

#include <charconv>
#include <cmath>

#include <fmt/format.h>

namespace tangram {
namespace {

std::string trimmed(std::string_view cell) {
  const std::size_t first = cell.find_first_not_of(" \t\r");
  if (first == std::string_view::npos) return "";
  return std::string(cell.substr(first, cell.find_last_not_of(" \t\r") - first + 1));
}

std::vector<std::string> split_cells(std::string_view line) {
  std::vector<std::string> cells;
  std::string cell;
  bool quoted = false;
  for (std::size_t i = 0; i < line.size(); ++i) {
    const bool is_quote = line[i] == '"';
    if (is_quote && quoted && i + 1 < line.size() && line[i + 1] == '"') {
      cell += '"';
      ++i;
    } else if (is_quote) {
      quoted = !quoted;
    } else if (line[i] == ',' && !quoted) {
      cells.push_back(trimmed(cell));
      cell.clear();
    } else {
      cell += line[i];
    }
  }
  cells.push_back(trimmed(cell));
  return cells;
}

std::optional<double> parse_number(const std::string& cell) {
  double value = 0;
  const char* end = cell.data() + cell.size();
  const auto result = std::from_chars(cell.data(), end, value);
  if (result.ec != std::errc() || result.ptr != end || !std::isfinite(value)) return std::nullopt;
  return value;
}

}  // namespace

std::vector<CsvRow> parse_csv(std::string_view text) {
  constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";
  if (text.starts_with(kByteOrderMark)) text.remove_prefix(kByteOrderMark.size());
  std::vector<CsvRow> rows;
  for (std::size_t line = 1; !text.empty(); ++line) {
    const std::size_t end = text.find('\n');
    const std::string_view content = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    if (trimmed(content).empty()) continue;
    rows.push_back({line, split_cells(content)});
  }
  return rows;
}

bool CsvCells::has_cells(std::size_t count) const {
  const std::size_t n = row_->cells.size();
  if (n == count || (n == count + 1 && row_->cells.back().empty())) return true;
  fault(fmt::format("must have {} cells, not {}", count, n));
  return false;
}

const std::string& CsvCells::text(std::size_t column) const {
  static const std::string none;
  return column < row_->cells.size() ? row_->cells[column] : none;
}

std::optional<double> CsvCells::number(std::size_t column,
                                       std::string_view name,
                                       double low,
                                       double high) const {
  const auto value = parse_number(text(column));
  if (value && *value >= low && *value <= high) return value;
  fault(
      fmt::format("{} must be a number from {} to {}, not \"{}\"", name, low, high, text(column)));
  return std::nullopt;
}

std::optional<double> CsvCells::positive(std::size_t column,
                                         std::string_view name,
                                         double high) const {
  const auto value = parse_number(text(column));
  if (value && *value > 0 && *value <= high) return value;
  fault(
      fmt::format("{} must be a number above 0, at most {}, not \"{}\"", name, high, text(column)));
  return std::nullopt;
}

std::optional<std::int64_t> CsvCells::integer(std::size_t column,
                                              std::string_view name,
                                              std::int64_t low,
                                              std::int64_t high) const {
  const auto value = parse_number(text(column));
  const bool fits = value && *value == std::floor(*value) && *value >= static_cast<double>(low) &&
                    *value <= static_cast<double>(high);
  if (fits) return static_cast<std::int64_t>(*value);
  fault(fmt::format("{} must be a whole number from {} to {}, not \"{}\"", name, low, high,
                    text(column)));
  return std::nullopt;
}

std::optional<std::string> CsvCells::name(std::size_t column, std::string_view name) const {
  if (!text(column).empty()) return text(column);
  fault(fmt::format("{} must not be empty", name));
  return std::nullopt;
}

}  // namespace tangram
