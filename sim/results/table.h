// The summary of a run as a table for people, at most 100 columns wide.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "sim/core/json_reader.h"

namespace tangram {

inline constexpr std::size_t kTableWidth = 100;

// Prints a summary (sim/results/summary.h): who decided, one row per workload and the total, then
// what was not served and the notes.
std::string table_of(const Json& summary);

// Rows of cells under a header, two spaces between columns. The first column is text and gives way
// when the rest is too wide; the others are numbers, set right. Ends with a line feed.
class TextTable {
 public:
  explicit TextTable(std::vector<std::string> header) : header_(std::move(header)) {}
  // Requires: as many cells as the header has.
  void add(std::vector<std::string> cells) { rows_.push_back(std::move(cells)); }
  // A line of dashes before the next row.
  void rule() { rule_before_ = rows_.size(); }
  std::string text() const;

 private:
  std::vector<std::string> header_;
  std::vector<std::vector<std::string>> rows_;
  std::size_t rule_before_ = std::string::npos;
};

// Cuts a long name in the middle, where two names differ least: "abc...xyz". Counts characters of
// UTF-8, not bytes.
std::string shortened(std::string_view name, std::size_t width);

// Breaks a sentence at blanks; the first line begins with `first`, the others are indented as far.
std::string wrapped(std::string_view first, std::string_view sentence);

}  // namespace tangram
