// Readers of recorded times, and slices of recordings.
#include "workloads/trace.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <numeric>
#include <span>
#include <utility>

#include <fmt/format.h>

#include "sim/core/atomic_file.h"
#include "sim/core/check.h"
#include "sim/core/hdf5_file.h"
#include "workloads/detail/function_trace.h"
#include "workloads/detail/trace_text.h"

namespace tangram {
namespace {

using namespace trace_text;

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
  SecondsResult seconds = parse_seconds(cell);
  if (seconds.wrong.empty()) {
    out.add(line, seconds.ns);
  } else {
    out.fault(line, std::move(seconds.wrong));
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
                          in_quotes(header.front())));
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

std::vector<Duration> parse_azure_llm(Lines lines, Collector& out) {
  constexpr std::string_view kHeader = "TIMESTAMP,ContextTokens,GeneratedTokens";
  if (!lines.next()) {
    out.file_fault("the file is empty");
    return {};
  }
  if (lines.line() != kHeader) {
    out.fault(1, fmt::format("the header must be {}, not {}", kHeader, in_quotes(lines.line())));
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
        out.fault(lines.number(),
                  fmt::format("{} is not a number of {} tokens", in_quotes(cells[i]),
                              i == 1 ? "context" : "generated"));
      }
    }
    const DateResult date = parse_date_time(cells[0]);
    if (date.wrong != nullptr) {
      out.fault(lines.number(), fmt::format("{} {}", in_quotes(cells[0]), date.wrong));
    } else {
      out.add(lines.number(), date.ns);
    }
  }
  return out.finish(true);
}

// --- HDF5 --------------------------------------------------------------------------------------

// Times relative to the first value; a fault for the first value that is no time.
template <typename Value>
std::vector<Duration> times_of(const std::vector<Value>& values,
                               Value latest,
                               const char* unit,
                               Duration (*to_duration)(Value),
                               const TraceFile& file,
                               Faults& faults) {
  std::vector<Duration> times;
  times.reserve(values.size());
  for (std::size_t i = 0; i < values.size(); ++i) {
    const bool is_time = values[i] >= 0 && values[i] <= latest;
    if (is_time && (i == 0 || values[i] >= values[i - 1])) {
      times.push_back(to_duration(values[i] - values.front()));
      continue;
    }
    faults.add(fmt::format("{}#{}[{}]", file.path, file.dataset, i),
               is_time ? fmt::format("{0} {2} is earlier than the {1} {2} before it", values[i],
                                     values[i - 1], unit)
                       : fmt::format("{} is not a time: {} from 0 to {:.2g}", values[i], unit,
                                     static_cast<double>(latest)));
    return {};
  }
  return times;
}

std::vector<Duration> read_dataset(const TraceFile& file, Faults& faults) {
  const Hdf5Reader reader(file.path);
  const std::size_t before = faults.size();
  std::vector<Duration> times;
  if (file.dataset.ends_with("_ns")) {
    times = times_of<std::int64_t>(
        reader.read<std::int64_t>(file.dataset), kLatest, "ns",
        [](std::int64_t ns) { return Duration(ns); }, file, faults);
  } else {
    times = times_of<double>(
        reader.read<double>(file.dataset), kLongestRunSeconds, "seconds",
        [](double seconds) { return from_seconds(seconds); }, file, faults);
  }
  if (times.empty() && faults.size() == before) {
    faults.add(fmt::format("{}#{}", file.path, file.dataset), "holds no times");
  }
  return times;
}

// --- slices ------------------------------------------------------------------------------------

TraceSlice slice_of_times(const std::vector<Duration>& times,
                          double start_s,
                          std::optional<double> end_s) {
  const Duration start = from_seconds(start_s);
  const auto first = std::lower_bound(times.begin(), times.end(), start);
  const auto last =
      end_s ? std::lower_bound(first, times.end(), from_seconds(*end_s)) : times.end();
  TraceSlice slice;
  std::vector<Duration>& offsets = slice.rows.times;
  offsets.reserve(static_cast<std::size_t>(last - first));
  for (auto row = first; row != last; ++row) offsets.push_back(*row - start);
  if (end_s) {
    slice.length_ns = static_cast<double>((from_seconds(*end_s) - start).count());
  } else if (!offsets.empty() && offsets.back() > offsets.front()) {
    const auto final_row = static_cast<double>(offsets.back().count());
    const auto span = static_cast<double>((offsets.back() - offsets.front()).count());
    slice.length_ns = final_row + span / static_cast<double>(offsets.size() - 1);
  }
  return slice;
}

TraceSlice slice_of_counts(const std::vector<std::uint64_t>& per_minute,
                           double start_s,
                           std::optional<double> end_s) {
  const auto minutes = static_cast<double>(per_minute.size());
  const double first = std::min(start_s / 60, minutes);
  const double end = end_s ? *end_s / 60 : minutes;
  TANGRAM_CHECK(first == std::floor(first) && end == std::floor(end),
                "slices of counts take whole "
                "minutes; ",
                start_s);
  const auto begin = per_minute.begin() + static_cast<std::ptrdiff_t>(first);
  TraceSlice slice;
  slice.rows.per_minute.assign(
      begin, per_minute.begin() + static_cast<std::ptrdiff_t>(std::min(end, minutes)));
  if (end > first) slice.length_ns = (end - first) * 60e9;
  return slice;
}

}  // namespace

const std::vector<std::string>& trace_formats() {
  static const std::vector<std::string> kFormats{"timestamps", "azure_llm", "azure_functions_2019",
                                                 "azure_functions_2021"};
  return kFormats;
}

bool has_functions(const std::string& format) {
  return format.starts_with("azure_functions_");
}

std::string guess_trace_format(const std::string& path) {
  const std::string text = read_file(path);
  if (text.starts_with("TIMESTAMP,")) return "azure_llm";
  if (text.starts_with("HashOwner,")) return "azure_functions_2019";
  if (text.starts_with("app,func,")) return "azure_functions_2021";
  return "timestamps";
}

Recording parse_trace(std::string_view text, const TraceFile& file, Faults& faults) {
  if (file.format == "azure_functions_2019") return parse_functions_2019(text, file, faults);
  if (file.format == "azure_functions_2021") return parse_functions_2021(text, file, faults);
  Collector out(file.path, faults);
  if (file.format == "azure_llm") return {parse_azure_llm(Lines(text), out), {}};
  TANGRAM_CHECK(file.format == "timestamps", "unknown trace format ", file.format);
  return {parse_timestamps(Lines(text), out), {}};
}

Recording read_trace(const TraceFile& file, Faults& faults) {
  try {
    if (!file.dataset.empty()) return {read_dataset(file, faults), {}};
    return parse_trace(read_file(file.path), file, faults);
  } catch (const ConfigError& error) {
    faults.append(error);
    return {};
  }
}

std::uint64_t TraceSlice::count() const {
  return rows.has_counts()
             ? std::accumulate(rows.per_minute.begin(), rows.per_minute.end(), std::uint64_t{0})
             : rows.times.size();
}

std::optional<double> TraceSlice::rate_rps() const {
  const std::uint64_t arrivals = count();
  if (arrivals == 0 || !length_ns) return std::nullopt;
  return static_cast<double>(arrivals) / *length_ns * 1e9;
}

TraceSlice slice_trace(const Recording& recording, double start_s, std::optional<double> end_s) {
  return recording.has_counts() ? slice_of_counts(recording.per_minute, start_s, end_s)
                                : slice_of_times(recording.times, start_s, end_s);
}

}  // namespace tangram
