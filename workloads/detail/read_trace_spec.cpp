// A trace is read when the scenario is: its faults are told with all others.
#include "workloads/detail/read_trace_spec.h"

#include <cmath>
#include <filesystem>

#include <fmt/format.h>

namespace tangram {
namespace {

void read_slice(const JsonNode& node, ArrivalSpec& spec) {
  if (!node.value().is_array() || node.value().size() != 2) {
    node.fault("must be [start, end] in seconds of the trace's time; end may be null");
    return;
  }
  const std::vector<JsonNode> items = node.items();
  const auto start = items[0].number(0, kLongestRunSeconds);
  spec.slice_start_s = start.value_or(0);
  if (items[1].value().is_null()) return;
  spec.slice_end_s = items[1].number(0, kLongestRunSeconds);
  if (start && spec.slice_end_s && !(*start < *spec.slice_end_s)) {
    node.fault(
        fmt::format("the end {} must be later than the start {}", *spec.slice_end_s, *start));
  }
}

// {"rank": 3} or {"rank": [1, 10]}.
void read_rank(const JsonNode& node, FunctionChoice& choice) {
  constexpr std::int64_t kMost = 1'000'000'000;
  choice.kind = FunctionChoice::Kind::kRank;
  if (!node.value().is_array()) {
    choice.first = choice.last = static_cast<std::uint64_t>(node.integer(1, kMost).value_or(1));
    return;
  }
  const std::vector<JsonNode> items = node.items();
  if (items.size() != 2) {
    node.fault("must be a rank from 1 on, or [first, last]");
    return;
  }
  choice.first = static_cast<std::uint64_t>(items[0].integer(1, kMost).value_or(1));
  choice.last = static_cast<std::uint64_t>(items[1].integer(1, kMost).value_or(kMost));
  if (choice.last < choice.first) node.fault("the last rank must not be before the first");
}

// {"hash": [part, parts]}.
void read_hash(const JsonNode& node, FunctionChoice& choice) {
  constexpr std::int64_t kMost = 1'000'000;
  choice.kind = FunctionChoice::Kind::kHash;
  if (!node.value().is_array() || node.value().size() != 2) {
    node.fault("must be [part, parts]: which of how many parts, counted from 0");
    return;
  }
  const std::vector<JsonNode> items = node.items();
  choice.last = static_cast<std::uint64_t>(items[1].integer(1, kMost).value_or(kMost));
  choice.first = static_cast<std::uint64_t>(
      items[0].integer(0, static_cast<std::int64_t>(choice.last) - 1).value_or(0));
}

void read_names(const JsonNode& node, FunctionChoice& choice) {
  choice.kind = FunctionChoice::Kind::kNames;
  const std::vector<JsonNode> items = node.items();
  if (items.empty() && node.value().is_array()) node.fault("is empty; at least one name");
  for (const JsonNode& item : items) choice.names.push_back(item.string().value_or(""));
}

void read_functions(const JsonNode& node, FunctionChoice& choice) {
  JsonObject object(node);
  const auto rank = object.get("rank");
  const auto hash = object.get("hash");
  const auto names = object.get("names");
  if (object.is_object() &&
      int{rank.has_value()} + int{hash.has_value()} + int{names.has_value()} != 1) {
    node.fault("give one of \"rank\", \"hash\" and \"names\"");
  }
  if (rank) read_rank(*rank, choice);
  if (hash) read_hash(*hash, choice);
  if (names) read_names(*names, choice);
  object.finish();
}

// The keys that only some formats have.
void read_format_keys(JsonObject& object, ArrivalSpec& spec) {
  static const std::vector<std::string> kCounts{"exact", "poisson"};
  const std::string& format = spec.trace.format;
  const auto dataset = object.get("dataset");
  const auto functions = object.get("functions");
  const auto counts = object.get("counts");
  if (dataset) spec.trace.dataset = dataset->string().value_or("");
  if (functions) read_functions(*functions, spec.trace.functions);
  if (counts) {
    const bool is_poisson = counts->name_of("way of counts", kCounts).value_or("") == kCounts[1];
    spec.counts = is_poisson ? ArrivalSpec::Counts::kPoisson : ArrivalSpec::Counts::kExact;
  }
  if (format.empty()) return;
  if (dataset && format != "timestamps") {
    dataset->fault(fmt::format("belongs to the format \"timestamps\", not to \"{}\"", format));
  }
  if (functions && !has_functions(format)) {
    functions->fault(fmt::format("the format \"{}\" does not tell functions apart", format));
  }
  if (counts && format != "azure_functions_2019") {
    counts->fault(
        fmt::format("belongs to the format \"azure_functions_2019\", not to \"{}\"", format));
  }
}

// Whether the slice takes whole minutes, as counts a minute need.
bool is_whole_minutes(const ArrivalSpec& spec) {
  const double start = spec.slice_start_s / 60;
  const double end = spec.slice_end_s.value_or(0) / 60;
  return start == std::floor(start) && end == std::floor(end);
}

// Whether the slice of a readable trace can be replayed as the spec asks.
void check_trace(const JsonNode& node, const Recording& recording, const ArrivalSpec& spec) {
  if (recording.has_counts() && !is_whole_minutes(spec)) {
    node.fault("\"slice_s\" of counts a minute must start and end at multiples of 60 s");
    return;
  }
  const TraceSlice slice = slice_trace(recording, spec.slice_start_s, spec.slice_end_s);
  const std::optional<double> own_rate = slice.rate_rps();
  if (slice.count() == 0) {
    const double end_s = recording.has_counts()
                             ? static_cast<double>(recording.per_minute.size()) * 60
                             : to_seconds(recording.times.back());
    node.fault(fmt::format("no row of {} lies in the slice; its rows reach from 0 to {} s",
                           spec.trace.path, end_s));
  } else if (!own_rate && (spec.rate_rps > 0 || spec.repeat)) {
    node.fault(fmt::format("{} needs a slice with rows at two different times, or with an end",
                           spec.repeat ? "\"repeat\"" : "\"rate_rps\" with a trace"));
  } else if (own_rate && *own_rate * spec.speed_up > kHighestRate) {
    node.fault(
        fmt::format("\"speed_up\" {} makes {:.3g} requests/s of the trace's {:.3g}; at most "
                    "{:g}",
                    spec.speed_up, *own_rate * spec.speed_up, *own_rate, kHighestRate));
  }
}

void read_speed(JsonObject& object, ArrivalSpec& spec) {
  const auto rate = object.get("rate_rps");
  const auto speed_up = object.get("speed_up");
  if (rate) spec.rate_rps = rate->positive(kHighestRate).value_or(1);
  if (speed_up) spec.speed_up = speed_up->positive(kHighestRate).value_or(1);
  if (rate && speed_up) {
    object.node().fault("give one of \"rate_rps\" and \"speed_up\": the rate sets the speed-up");
  }
}

}  // namespace

void read_trace_spec(JsonObject& object, const std::string& base, ArrivalSpec& spec) {
  Faults& faults = object.node().faults();
  const std::size_t before = faults.size();
  const auto path = object.require("path");
  if (const auto format = object.require("format")) {
    spec.trace.format = format->name_of("trace format", trace_formats()).value_or("");
  }
  read_format_keys(object, spec);
  const bool is_readable = faults.size() == before;
  read_speed(object, spec);
  if (const auto slice = object.get("slice_s")) read_slice(*slice, spec);
  if (const auto repeat = object.get("repeat")) spec.repeat = repeat->boolean().value_or(false);

  if (!path) return;
  const auto given = path->string();
  if (!given) return;
  // A relative path starts at `base`; an absolute one replaces it.
  const auto resolved = (std::filesystem::path(base) / *given).lexically_normal();
  spec.trace.path = resolved.string();
  std::error_code error;
  if (!std::filesystem::is_regular_file(resolved, error)) {
    path->fault(fmt::format("no such file: {}", spec.trace.path));
  } else if (is_readable) {
    const Recording recording = read_trace(spec.trace, faults);
    if (faults.size() == before) check_trace(object.node(), recording, spec);
  }
}

}  // namespace tangram
