// Strict reading of "arrivals": each process has its own keys, and a key of another process is told
// apart from a misspelt one.
#include <algorithm>
#include <iterator>

#include <fmt/format.h>

#include "workloads/detail/read_trace_spec.h"
#include "workloads/mmpp.h"
#include "workloads/workload.h"

namespace tangram {
namespace {

using Process = ArrivalSpec::Process;

// An endless sequence of visits or segments that hardly ever brings an arrival would be searched
// for the next one for hours: at least this many on average in each.
constexpr double kLeastArrivals = 1e-4;

const std::string& arrival_name(Process process) {
  return arrival_names()[static_cast<std::size_t>(process)];
}

// Where the pieces of a spec come from.
struct Source {
  const std::string& base;
  std::optional<double> share_rps;  // in place of a missing rate
  bool is_segment;
};

struct OwnedKey {
  const char* key;
  std::vector<Process> owners;
};

const std::vector<OwnedKey>& owned_keys() {
  static const std::vector<OwnedKey> kKeys{
      {"rate_rps",
       {Process::kConstant, Process::kPoisson, Process::kGamma, Process::kLognormal, Process::kMmpp,
        Process::kTrace}},
      {"end_rps", {Process::kConstant, Process::kPoisson, Process::kGamma, Process::kLognormal}},
      {"shape", {Process::kGamma}},
      {"cv", {Process::kGamma}},
      {"sigma", {Process::kLognormal}},
      {"states", {Process::kMmpp}},
      {"burst_ratio", {Process::kMmpp}},
      {"burst_s", {Process::kMmpp}},
      {"calm_s", {Process::kMmpp}},
      {"segments", {Process::kPiecewise}},
      {"path", {Process::kTrace}},
      {"format", {Process::kTrace}},
      {"dataset", {Process::kTrace}},
      {"functions", {Process::kTrace}},
      {"counts", {Process::kTrace}},
      {"speed_up", {Process::kTrace}},
      {"slice_s", {Process::kTrace}},
      {"repeat", {Process::kPiecewise, Process::kTrace}},
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
      names += fmt::format("{}\"{}\"", names.empty() ? "" : ", ", arrival_name(owner));
    }
    object.node()
        .child(key, object.node().value()[key])
        .fault(fmt::format("belongs to the arrival process {}, not to \"{}\"", names,
                           arrival_name(*process)));
  }
}

void read_rate(JsonObject& object, const Source& source, ArrivalSpec& spec) {
  const auto node = source.share_rps ? object.get("rate_rps") : object.require("rate_rps");
  spec.rate_rps = source.share_rps.value_or(1);
  if (node) spec.rate_rps = node->positive(kHighestRate).value_or(1);
  if (!source.is_segment) return;
  if (const auto end = object.get("end_rps")) spec.end_rps = end->positive(kHighestRate);
}

void read_gamma(JsonObject& object, const Source& source, ArrivalSpec& spec) {
  read_rate(object, source, spec);
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

// The probabilities of the states that follow state `self`, divided by their sum.
std::vector<double> read_next(const JsonNode& node, std::size_t self, std::size_t states) {
  std::vector<double> next;
  double sum = 0;
  const std::size_t before = node.faults().size();
  for (const JsonNode& item : node.items()) {
    next.push_back(item.number(0, 1).value_or(0));
    sum += next.back();
  }
  if (node.faults().size() != before) return {};
  if (next.size() != states) {
    node.fault(fmt::format("{} probabilities for {} states", next.size(), states));
  } else if (next[self] != 0) {
    node.fault(fmt::format("a state does not follow itself: item {} must be 0", self));
  } else if (!(sum > 1 - 1e-6 && sum < 1 + 1e-6)) {
    node.fault(fmt::format("the probabilities add up to {:g}, not 1", sum));
  } else {
    for (double& probability : next) probability /= sum;
    return next;
  }
  return {};
}

void read_states(const JsonNode& node, ArrivalSpec& spec) {
  const std::size_t before = node.faults().size();
  const std::vector<JsonNode> items = node.items();
  if (node.faults().size() != before) return;
  if (items.size() < 2 || items.size() > 64) {
    node.fault(fmt::format("{} states; 2 to 64", items.size()));
    return;
  }
  double highest = 0;
  for (std::size_t i = 0; i < items.size(); ++i) {
    JsonObject object(items[i]);
    MmppState state;
    if (const auto rate = object.require("rate_rps")) {
      state.rate_rps = rate->number(0, kHighestRate).value_or(1);
    }
    if (const auto dwell = object.require("dwell_s")) {
      state.dwell_s = dwell->positive(kLongestRunSeconds).value_or(1);
    }
    if (const auto next = object.get("next")) state.next = read_next(*next, i, items.size());
    object.finish();
    highest = std::max(highest, state.rate_rps);
    spec.states.push_back(std::move(state));
  }
  if (node.faults().size() != before) return;
  if (highest == 0) {
    node.fault("no state has arrivals: one rate_rps must be above 0");
  } else if (!mmpp_is_connected(spec.states)) {
    node.fault("every state must be reachable from every other by \"next\"");
  }
}

// {rate_rps, burst_ratio, burst_s, calm_s}: two states whose rates have that ratio and keep the
// mean.
void read_burst(JsonObject& object, const Source& source, ArrivalSpec& spec) {
  read_rate(object, source, spec);
  double ratio = 2;
  MmppState calm;
  MmppState burst;
  if (const auto node = object.require("burst_ratio")) {
    ratio = node->number(1, 1e6).value_or(ratio);
  }
  if (const auto node = object.require("burst_s")) {
    burst.dwell_s = node->positive(kLongestRunSeconds).value_or(1);
  }
  if (const auto node = object.require("calm_s")) {
    calm.dwell_s = node->positive(kLongestRunSeconds).value_or(1);
  }
  const double burst_share = burst.dwell_s / (burst.dwell_s + calm.dwell_s);
  calm.rate_rps = spec.rate_rps / (1 + (ratio - 1) * burst_share);
  burst.rate_rps = ratio * calm.rate_rps;
  spec.rate_rps = 0;
  spec.states = {calm, burst};
}

void read_mmpp(JsonObject& object, const Source& source, ArrivalSpec& spec) {
  const JsonNode& node = object.node();
  const std::size_t before = node.faults().size();
  if (const auto states = object.get("states")) {
    for (const char* key : {"rate_rps", "burst_ratio", "burst_s", "calm_s"}) {
      if (object.get(key)) node.fault(fmt::format("\"states\" and \"{}\": give one of them", key));
    }
    read_states(*states, spec);
  } else {
    read_burst(object, source, spec);
  }
  if (node.faults().size() != before) return;
  const std::vector<double> shares = mmpp_time_shares(spec.states);
  double visits_per_s = 0;
  for (std::size_t i = 0; i < shares.size(); ++i)
    visits_per_s += shares[i] / spec.states[i].dwell_s;
  const double per_visit = mean_rate(spec).value_or(0) / visits_per_s;
  if (per_visit < kLeastArrivals) {
    node.fault(fmt::format("{:.2g} arrivals in a mean visit of a state; at least {:g}", per_visit,
                           kLeastArrivals));
  }
}

ArrivalSpec read_spec(const JsonNode& node, const Source& source);

void read_piecewise(JsonObject& object, const std::string& base, ArrivalSpec& spec) {
  const JsonNode& node = object.node();
  const std::size_t before = node.faults().size();
  if (const auto repeat = object.get("repeat")) spec.repeat = repeat->boolean().value_or(false);
  if (const auto segments = object.require("segments")) {
    const std::vector<JsonNode> items = segments->items();
    if (segments->value().is_array() && (items.empty() || items.size() > 10'000)) {
      segments->fault(fmt::format("{} segments; 1 to 10000", items.size()));
    }
    for (const JsonNode& item : items) {
      spec.segments.push_back(read_spec(item, {base, std::nullopt, true}));
    }
  }
  if (node.faults().size() != before) return;
  double length_s = 0;
  for (const ArrivalSpec& segment : spec.segments) length_s += segment.duration_s;
  const double each =
      mean_rate(spec).value_or(0) * length_s / static_cast<double>(spec.segments.size());
  if (spec.repeat && each < kLeastArrivals) {
    node.fault(fmt::format("{:.2g} arrivals in a mean segment; at least {:g} to repeat", each,
                           kLeastArrivals));
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

void read_process(JsonObject& object, const Source& source, ArrivalSpec& spec) {
  switch (spec.process) {
    case Process::kConstant:
    case Process::kPoisson:
      read_rate(object, source, spec);
      break;
    case Process::kGamma:
      read_gamma(object, source, spec);
      break;
    case Process::kLognormal:
      read_rate(object, source, spec);
      if (const auto sigma = object.require("sigma")) spec.sigma = sigma->positive(10).value_or(1);
      break;
    case Process::kMmpp:
      read_mmpp(object, source, spec);
      break;
    case Process::kPiecewise:
      read_piecewise(object, source.base, spec);
      break;
    case Process::kTrace:
      read_trace_spec(object, source.base, spec);
      break;
    case Process::kClosedLoop:
      read_closed_loop(object, spec);
      break;
    case Process::kStage:
      break;  // has no name
  }
}

std::optional<Process> process_named(const std::string& name) {
  const auto found = std::find(arrival_names().begin(), arrival_names().end(), name);
  if (found == arrival_names().end()) return std::nullopt;
  return static_cast<Process>(std::distance(arrival_names().begin(), found));
}

// What a segment may be: not made of segments itself, and not waiting for answers.
std::vector<std::string> segment_names() {
  std::vector<std::string> names = arrival_names();
  std::erase(names, arrival_name(Process::kPiecewise));
  std::erase(names, arrival_name(Process::kClosedLoop));
  return names;
}

ArrivalSpec read_spec(const JsonNode& node, const Source& source) {
  JsonObject object(node);
  ArrivalSpec spec;
  std::optional<Process> process;
  if (const auto name_node = object.require("process")) {
    const auto name = source.is_segment
                          ? name_node->name_of("process of a segment", segment_names())
                          : name_node->name_of("arrival process", arrival_names());
    if (name) process = process_named(*name);
  }
  if (source.is_segment) {
    // So that sums of two times fit 64 bits with room to spare.
    constexpr double kLongestSegment = 1e9;
    if (const auto duration = object.require("duration_s")) {
      spec.duration_s = duration->number(1e-6, kLongestSegment).value_or(1);
    }
  }
  if (process) {
    spec.process = *process;
    read_process(object, source, spec);
  }
  check_owners(object, process);
  object.finish();
  return spec;
}

}  // namespace

std::optional<ArrivalSpec> read_arrivals(const JsonNode& node,
                                         const std::string& base,
                                         std::optional<double> share_rps) {
  const std::size_t before = node.faults().size();
  ArrivalSpec spec = read_spec(node, {base, share_rps, false});
  if (node.faults().size() != before) return std::nullopt;
  return spec;
}

bool takes_share(const Json& arrivals) {
  if (!arrivals.is_object()) return false;
  const Json name = arrivals.value("process", Json());
  const auto process = name.is_string() ? process_named(name.get<std::string>()) : std::nullopt;
  const auto has = [&](const char* key) {
    return arrivals.contains(key) && !arrivals[key].is_null();
  };
  if (!process || has("rate_rps")) return false;
  return *process == Process::kConstant || *process == Process::kPoisson ||
         *process == Process::kGamma || *process == Process::kLognormal ||
         (*process == Process::kMmpp && !has("states"));
}

}  // namespace tangram
