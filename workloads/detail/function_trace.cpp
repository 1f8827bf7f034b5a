// The file is walked over twice: once for the functions and their sizes, which the choice by rank
// needs, and once more for the rows of the chosen ones, so that memory does not grow with the file.
#include "workloads/detail/function_trace.h"

#include <algorithm>
#include <map>
#include <numeric>

#include <fmt/format.h>

#include "sim/core/random.h"
#include "workloads/detail/trace_text.h"

namespace tangram {
namespace {

using namespace trace_text;

constexpr std::uint64_t kMostPerMinute = 1'000'000'000;
constexpr std::size_t kMinutesPerDay = 1440;

struct Function {
  std::string owner, app, name;  // owner: 2019 only
  std::uint64_t count = 0;

  std::string path() const { return (owner.empty() ? "" : owner + '/') + app + '/' + name; }
  bool is_called(std::string_view wanted) const {
    return wanted == name || wanted == app + '/' + name || wanted == path();
  }
};

// The functions of one file, in the order in which they first appear.
class Functions {
 public:
  // The index of a function that may be new.
  std::size_t index(std::string_view owner, std::string_view app, std::string_view name) {
    key_.assign(owner).append(1, '\n').append(app).append(1, '\n').append(name);
    const auto [place, is_new] = places_.try_emplace(key_, all_.size());
    if (is_new) all_.push_back({std::string(owner), std::string(app), std::string(name), 0});
    return place->second;
  }
  void count(std::size_t function, std::uint64_t calls) { all_[function].count += calls; }

  // Which functions are chosen; a fault for each name that is not there, or when none is chosen.
  std::vector<bool> chosen(const TraceFile& file, Faults& faults) const {
    std::vector<bool> in(all_.size(), false);
    const FunctionChoice& choice = file.functions;
    switch (choice.kind) {
      case FunctionChoice::Kind::kAll:
        in.assign(all_.size(), true);
        break;
      case FunctionChoice::Kind::kRank:
        by_rank(choice, in);
        break;
      case FunctionChoice::Kind::kHash:
        for (std::size_t i = 0; i < all_.size(); ++i) {
          in[i] = StreamKey(0).with(all_[i].path()).value() % choice.last == choice.first;
        }
        break;
      case FunctionChoice::Kind::kNames:
        for (const std::string& name : choice.names) by_name(name, file, faults, in);
        return in;
    }
    if (std::find(in.begin(), in.end(), true) == in.end()) {
      faults.add(
          file.path,
          fmt::format("\"functions\" chooses none of the {} functions of the file", all_.size()));
    }
    return in;
  }

 private:
  void by_rank(const FunctionChoice& choice, std::vector<bool>& in) const {
    std::vector<std::size_t> order(all_.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::stable_sort(order.begin(), order.end(),
                     [&](std::size_t a, std::size_t b) { return all_[a].count > all_[b].count; });
    for (std::uint64_t rank = choice.first; rank <= choice.last && rank <= all_.size(); ++rank) {
      in[order[rank - 1]] = true;
    }
  }
  void by_name(const std::string& name,
               const TraceFile& file,
               Faults& faults,
               std::vector<bool>& in) const {
    bool found = false;
    for (std::size_t i = 0; i < all_.size(); ++i) {
      if (!all_[i].is_called(name)) continue;
      in[i] = found = true;
    }
    if (!found) faults.add(file.path, fmt::format("no function {} in the file", in_quotes(name)));
  }

  std::string key_;
  std::map<std::string, std::size_t> places_;
  std::vector<Function> all_;
};

// One walk over the rows below the header. Calls row(line) for each; adds faults for empty lines
// between rows when `faults` is given. Returns how many rows there were.
template <typename Row>
std::size_t for_each_row(Lines lines, const TraceFile& file, Faults* faults, Row row) {
  std::size_t empty_line = 0;
  std::size_t rows = 0;
  while (lines.next()) {
    if (lines.line().empty()) {
      empty_line = empty_line == 0 ? lines.number() : empty_line;
      continue;
    }
    if (empty_line != 0 && faults != nullptr) {
      faults->add(fmt::format("{}:{}", file.path, empty_line), "an empty line between rows");
    }
    empty_line = 0;
    ++rows;
    row(lines);
  }
  return rows;
}

// --- azure_functions_2019 ----------------------------------------------------------------------

// The number of minutes of a header "HashOwner,HashApp,HashFunction,Trigger,1,2,...", or 0 after a
// fault.
std::size_t minutes_of_header(Lines& lines, const TraceFile& file, Faults& faults) {
  constexpr std::string_view kNames[] = {"HashOwner", "HashApp", "HashFunction", "Trigger"};
  if (!lines.next()) {
    faults.add(file.path, "the file is empty");
    return 0;
  }
  CellReader cells(lines.line());
  bool is_legal = true;
  for (const std::string_view name : kNames)
    is_legal = cells.next() && cells.cell() == name && is_legal;
  std::size_t minutes = 0;
  while (is_legal && cells.next()) {
    ++minutes;
    is_legal = minutes <= kMinutesPerDay && cells.cell() == std::to_string(minutes);
  }
  if (is_legal && minutes > 0) return minutes;
  faults.add(
      file.path + ":1",
      "the header must be HashOwner,HashApp,HashFunction,Trigger,1,2,... with one column for "
      "each minute, at most 1440");
  return 0;
}

// The count in a cell; nullopt when it is not a whole number up to kMostPerMinute.
std::optional<std::uint64_t> count_of(std::string_view cell) {
  if (!all_digits(cell)) return std::nullopt;
  std::uint64_t value = 0;
  for (const char c : cell) {
    value = value * 10 + static_cast<std::uint64_t>(c - '0');
    if (value > kMostPerMinute) return std::nullopt;
  }
  return value;
}

struct Row2019 {
  std::size_t function = 0;
  std::uint64_t count = 0;
};

// Reads one row; each mistake is a fault.
std::optional<Row2019> read_row_2019(const Lines& lines,
                                     std::size_t minutes,
                                     const TraceFile& file,
                                     Functions& functions,
                                     Faults& faults) {
  const auto fault = [&](std::string what) {
    faults.add(fmt::format("{}:{}", file.path, lines.number()), std::move(what));
  };
  std::string_view names[4];
  CellReader cells(lines.line());
  std::size_t columns = 0;
  Row2019 row;
  for (; cells.next(); ++columns) {
    if (columns < 4) {
      names[columns] = cells.cell();
      continue;
    }
    const std::optional<std::uint64_t> count = count_of(cells.cell());
    if (count) {
      row.count += *count;
    } else {
      fault(fmt::format("{} is not a count of minute {}: a whole number up to {}",
                        in_quotes(cells.cell()), columns - 3, kMostPerMinute));
      return std::nullopt;
    }
  }
  if (columns != minutes + 4) {
    fault(fmt::format("{} columns, where line 1 has {}", columns, minutes + 4));
    return std::nullopt;
  }
  if (names[1].empty() || names[2].empty()) {
    fault("HashApp and HashFunction must not be empty");
    return std::nullopt;
  }
  row.function = functions.index(names[0], names[1], names[2]);
  return row;
}

void add_minutes(std::string_view line, std::vector<std::uint64_t>& per_minute) {
  CellReader cells(line);
  for (int i = 0; i < 4; ++i) cells.next();
  for (std::uint64_t& minute : per_minute) {
    cells.next();
    minute += count_of(cells.cell()).value_or(0);
  }
}

// --- azure_functions_2021 ----------------------------------------------------------------------

struct Row2021 {
  std::size_t function = 0;
  std::int64_t arrival = 0;  // may lie before 0: the call began before the recording
};

std::optional<Row2021> read_row_2021(const Lines& lines,
                                     const TraceFile& file,
                                     Functions& functions,
                                     Faults& faults) {
  const auto fault = [&](std::string what) {
    faults.add(fmt::format("{}:{}", file.path, lines.number()), std::move(what));
  };
  Cells cells;
  const std::size_t columns = cut(lines.line(), cells);
  if (columns != 4) {
    fault(fmt::format("{} columns, not 4 (app,func,end_timestamp,duration)", columns));
    return std::nullopt;
  }
  const SecondsResult end = parse_seconds(cells[2]);
  const SecondsResult duration = parse_seconds(cells[3]);
  if (!end.wrong.empty()) fault("end_timestamp: " + end.wrong);
  if (!duration.wrong.empty()) fault("duration: " + duration.wrong);
  if (cells[0].empty() || cells[1].empty()) fault("app and func must not be empty");
  if (!end.wrong.empty() || !duration.wrong.empty() || cells[0].empty() || cells[1].empty()) {
    return std::nullopt;
  }
  return Row2021{functions.index("", cells[0], cells[1]), end.ns - duration.ns};
}

}  // namespace

Recording parse_functions_2019(std::string_view text, const TraceFile& file, Faults& faults) {
  Lines lines(text);
  const std::size_t minutes = minutes_of_header(lines, file, faults);
  if (minutes == 0) return {};
  const std::size_t before = faults.size();
  Functions functions;
  std::vector<std::size_t> function_of_row;
  for_each_row(lines, file, &faults, [&](const Lines& at) {
    const auto row = read_row_2019(at, minutes, file, functions, faults);
    if (!row) return;
    functions.count(row->function, row->count);
    function_of_row.push_back(row->function);
  });
  if (function_of_row.empty() && faults.size() == before) {
    faults.add(file.path, "no rows after the header");
  }
  if (faults.size() != before) return {};
  const std::vector<bool> chosen = functions.chosen(file, faults);
  Recording recording;
  recording.per_minute.assign(minutes, 0);
  std::size_t row = 0;
  for_each_row(lines, file, nullptr, [&](const Lines& at) {
    if (chosen[function_of_row[row++]]) add_minutes(at.line(), recording.per_minute);
  });
  return recording;
}

Recording parse_functions_2021(std::string_view text, const TraceFile& file, Faults& faults) {
  Lines lines(text);
  if (!lines.next() || lines.line() != "app,func,end_timestamp,duration") {
    faults.add(file.path + ":1", "the header must be app,func,end_timestamp,duration, not " +
                                     in_quotes(lines.line()));
    return {};
  }
  const std::size_t before = faults.size();
  Functions functions;
  std::vector<Row2021> rows;
  for_each_row(lines, file, &faults, [&](const Lines& at) {
    const auto row = read_row_2021(at, file, functions, faults);
    if (!row) return;
    functions.count(row->function, 1);
    rows.push_back(*row);
  });
  if (rows.empty() && faults.size() == before) faults.add(file.path, "no rows after the header");
  if (faults.size() != before) return {};
  const std::vector<bool> chosen = functions.chosen(file, faults);
  const auto [earliest, latest] =
      std::minmax_element(rows.begin(), rows.end(),
                          [](const Row2021& a, const Row2021& b) { return a.arrival < b.arrival; });
  if (latest->arrival - earliest->arrival > kLatest) {
    faults.add(file.path,
               fmt::format("the arrivals lie more than {:.2g} s apart", kLongestRunSeconds));
    return {};
  }
  Recording recording;
  for (const Row2021& row : rows) {
    if (chosen[row.function]) recording.times.emplace_back(row.arrival - earliest->arrival);
  }
  std::sort(recording.times.begin(), recording.times.end());
  return recording;
}

}  // namespace tangram
