// Strict reading of "arrivals": each process has its own keys, and a key of another process is told
// apart from a misspelt one.
#include "workloads/workload.h"

#include <algorithm>
#include <filesystem>
#include <iterator>

#include <fmt/format.h>

#include "workloads/trace.h"

namespace tangram {
namespace {

using Process = ArrivalSpec::Process;

constexpr double kHighestRate = 1e9;  // one request per nanosecond, the resolution of time

std::string name_of(Process process) {
  return arrival_names()[static_cast<std::size_t>(process)];
}

struct OwnedKey {
  const char* key;
  std::vector<Process> owners;
};

const std::vector<OwnedKey>& owned_keys() {
  static const std::vector<OwnedKey> kKeys{
      {"rate_rps",
       {Process::kConstant, Process::kPoisson, Process::kGamma, Process::kLognormal,
        Process::kTrace}},
      {"shape", {Process::kGamma}},
      {"cv", {Process::kGamma}},
      {"sigma", {Process::kLognormal}},
      {"path", {Process::kTrace}},
      {"format", {Process::kTrace}},
      {"speed_up", {Process::kTrace}},
      {"slice_s", {Process::kTrace}},
      {"repeat", {Process::kTrace}},
      {"clients", {Process::kClosedLoop}},
      {"think_ms", {Process::kClosedLoop}},
      {"think", {Process::kClosedLoop}},
  };
  return kKeys;
}

// Adds a fault for each key that belongs to another process. Without a process (its name was wrong)
// every key of any process passes, so that one mistake makes one fault.
void check_owners(JsonObject& object, std::optional<Process> process) {
  if (!object.is_object()) return;
  for (const auto& [key, owners] : owned_keys()) {
    const bool own = process && std::find(owners.begin(), owners.end(), *process) != owners.end();
    if (!process) object.ignore(key);
    if (!process || own || !object.node().value().contains(key)) continue;
    object.ignore(key);
    std::string names;
    for (const Process owner : owners) {
      names += fmt::format("{}\"{}\"", names.empty() ? "" : ", ", name_of(owner));
    }
    object.node()
        .child(key, object.node().value()[key])
        .fault(fmt::format("belongs to the arrival process {}, not to \"{}\"", names,
                           name_of(*process)));
  }
}

void read_rate(JsonObject& object, ArrivalSpec& spec) {
  if (const auto node = object.require("rate_rps")) {
    spec.rate_rps = node->positive(kHighestRate).value_or(1);
  }
}

void read_gamma(JsonObject& object, ArrivalSpec& spec) {
  read_rate(object, spec);
  const auto shape = object.get("shape");
  const auto cv = object.get("cv");
  if (shape.has_value() == cv.has_value()) {
    object.node().fault(
        "\"gamma\" needs one of \"shape\" and \"cv\" (coefficient of variation of the gap; shape = "
        "1 / cv^2)" +
        std::string(shape ? ", not both" : ""));
  }
  if (shape) spec.shape = shape->number(1e-4, 1e6).value_or(1);
  if (cv) {
    const double value = cv->number(1e-3, 100).value_or(1);
    spec.shape = 1 / (value * value);
  }
}

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

// Whether the slice of a readable trace can be replayed as the spec asks.
void check_trace(JsonObject& object, const std::vector<Duration>& trace, const ArrivalSpec& spec) {
  const JsonNode& node = object.node();
  const TraceSlice slice = slice_trace(trace, spec.slice_start_s, spec.slice_end_s);
  const std::optional<double> own_rate = slice.rate_rps();
  if (slice.offsets.empty()) {
    node.fault(fmt::format("no row of {} lies in the slice; its rows reach from 0 to {} s",
                           spec.path, to_seconds(trace.back())));
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

void read_trace_spec(JsonObject& object, const std::string& base, ArrivalSpec& spec) {
  Faults& faults = object.node().faults();
  const std::size_t before = faults.size();
  const auto path = object.require("path");
  if (const auto format = object.require("format")) {
    spec.format = format->name_of("trace format", trace_formats()).value_or("");
  }
  const auto rate = object.get("rate_rps");
  const auto speed_up = object.get("speed_up");
  if (rate) spec.rate_rps = rate->positive(kHighestRate).value_or(1);
  if (speed_up) spec.speed_up = speed_up->positive(kHighestRate).value_or(1);
  if (rate && speed_up) {
    object.node().fault("give one of \"rate_rps\" and \"speed_up\": the rate sets the speed-up");
  }
  if (const auto slice = object.get("slice_s")) read_slice(*slice, spec);
  if (const auto repeat = object.get("repeat")) spec.repeat = repeat->boolean().value_or(false);

  if (!path) return;
  const auto given = path->string();
  if (!given) return;
  // A relative path starts at `base`; an absolute one replaces it.
  const auto resolved = (std::filesystem::path(base) / *given).lexically_normal();
  spec.path = resolved.string();
  std::error_code error;
  if (!std::filesystem::is_regular_file(resolved, error)) {
    path->fault(fmt::format("no such file: {}", spec.path));
  } else if (!spec.format.empty()) {
    const std::vector<Duration> trace = read_trace(spec.path, spec.format, faults);
    if (faults.size() == before) check_trace(object, trace, spec);
  }
}

void read_closed_loop(JsonObject& object, ArrivalSpec& spec) {
  static const std::vector<std::string> kKinds{"exponential", "constant"};
  if (const auto clients = object.require("clients")) {
    spec.clients = static_cast<std::uint32_t>(clients->integer(1, 1'000'000).value_or(1));
  }
  if (const auto think = object.get("think_ms")) {
    spec.think = from_ms(think->number(0, kLongestRunSeconds * 1e3).value_or(0));
  }
  if (const auto kind = object.get("think")) {
    spec.think_exponential = kind->name_of("think time", kKinds).value_or(kKinds[0]) == kKinds[0];
  }
}

void read_process(JsonObject& object, const std::string& base, ArrivalSpec& spec) {
  switch (spec.process) {
    case Process::kConstant:
    case Process::kPoisson:
      read_rate(object, spec);
      break;
    case Process::kGamma:
      read_gamma(object, spec);
      break;
    case Process::kLognormal:
      read_rate(object, spec);
      if (const auto sigma = object.require("sigma")) spec.sigma = sigma->positive(10).value_or(1);
      break;
    case Process::kTrace:
      read_trace_spec(object, base, spec);
      break;
    case Process::kClosedLoop:
      read_closed_loop(object, spec);
      break;
  }
}

void trace_to_json(const ArrivalSpec& spec, Json& out) {
  out["path"] = spec.path;
  out["format"] = spec.format;
  if (spec.rate_rps > 0) {
    out["rate_rps"] = spec.rate_rps;
  } else {
    out["speed_up"] = spec.speed_up;
  }
  if (spec.slice_end_s || spec.slice_start_s != 0) {
    out["slice_s"] = {spec.slice_start_s, spec.slice_end_s ? Json(*spec.slice_end_s) : Json()};
  }
  out["repeat"] = spec.repeat;
}

std::optional<double> trace_rate(const ArrivalSpec& spec) {
  Faults faults;
  const std::vector<Duration> trace = read_trace(spec.path, spec.format, faults);
  faults.throw_if_any();
  std::optional<double> rate = slice_trace(trace, spec.slice_start_s, spec.slice_end_s).rate_rps();
  if (rate) *rate *= spec.speed_up;
  return rate;
}

}  // namespace

const std::vector<std::string>& arrival_names() {
  // In the order of ArrivalSpec::Process.
  static const std::vector<std::string> kNames{"constant",  "poisson", "gamma",
                                               "lognormal", "trace",   "closed_loop"};
  return kNames;
}

std::optional<ArrivalSpec> read_arrivals(const JsonNode& node, const std::string& base) {
  const std::size_t before = node.faults().size();
  JsonObject object(node);
  ArrivalSpec spec;
  std::optional<Process> process;
  if (const auto name_node = object.require("process")) {
    if (const auto name = name_node->name_of("arrival process", arrival_names())) {
      const auto found = std::find(arrival_names().begin(), arrival_names().end(), *name);
      process = static_cast<Process>(std::distance(arrival_names().begin(), found));
    }
  }
  if (process) {
    spec.process = *process;
    read_process(object, base, spec);
  }
  check_owners(object, process);
  object.finish();
  if (node.faults().size() != before) return std::nullopt;
  return spec;
}

Json to_json(const ArrivalSpec& spec) {
  Json out;
  out["process"] = name_of(spec.process);
  if (spec.process == Process::kTrace) {
    trace_to_json(spec, out);
  } else if (spec.process == Process::kClosedLoop) {
    out["clients"] = spec.clients;
    out["think_ms"] = to_ms(spec.think);
    out["think"] = spec.think_exponential ? "exponential" : "constant";
  } else {
    out["rate_rps"] = spec.rate_rps;
    if (spec.process == Process::kGamma) out["shape"] = spec.shape;
    if (spec.process == Process::kLognormal) out["sigma"] = spec.sigma;
  }
  return out;
}

std::optional<double> mean_rate(const ArrivalSpec& spec) {
  if (spec.process == Process::kClosedLoop) {
    if (spec.think == Duration::zero()) return std::nullopt;
    return spec.clients / to_seconds(spec.think);
  }
  if (spec.process == Process::kTrace && spec.rate_rps == 0) return trace_rate(spec);
  return spec.rate_rps;
}

}  // namespace tangram
