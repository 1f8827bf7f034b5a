// Comma-separated files as rows of cells with line numbers, and strict reading of a row's cells.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sim/core/error.h"

namespace tangram {

struct CsvRow {
  std::size_t line = 0;            // of the file, from 1
  std::vector<std::string> cells;  // without surrounding blanks
};

// Splits a text into rows: LF or CRLF, a byte order mark and empty lines skipped, cells in double
// quotes may hold commas and doubled quotes.
std::vector<CsvRow> parse_csv(std::string_view text);

// Reads the cells of one row; every mistake is a fault at FILE:LINE that names the column.
class CsvCells {
 public:
  CsvCells(const std::string& file, const CsvRow& row, Faults& faults)
      : where_(file + ":" + std::to_string(row.line)), row_(&row), faults_(&faults) {}

  const std::string& where() const { return where_; }
  void fault(std::string what) const { faults_->add(where_, std::move(what)); }
  // False, with a fault, unless the row has that many cells (one empty cell at the end may follow).
  bool has_cells(std::size_t count) const;
  // "" for a cell beyond the row's end.
  const std::string& text(std::size_t column) const;
  // A finite number in [low, high].
  std::optional<double> number(std::size_t column,
                               std::string_view name,
                               double low,
                               double high) const;
  // A number > 0, at most high.
  std::optional<double> positive(std::size_t column, std::string_view name, double high) const;
  // A whole number in [low, high].
  std::optional<std::int64_t> integer(std::size_t column,
                                      std::string_view name,
                                      std::int64_t low,
                                      std::int64_t high) const;
  // A cell that is not empty.
  std::optional<std::string> name(std::size_t column, std::string_view name) const;

 private:
  std::string where_;
  const CsvRow* row_;
  Faults* faults_;
};

}  // namespace tangram
