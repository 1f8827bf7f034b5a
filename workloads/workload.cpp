// The names of the processes, their mean rates, and how they are written.
#include "workloads/workload.h"

#include <algorithm>
#include <cmath>

#include "workloads/mmpp.h"

namespace tangram {
namespace {

using Process = ArrivalSpec::Process;

Json functions_to_json(const FunctionChoice& choice) {
  switch (choice.kind) {
    case FunctionChoice::Kind::kAll:
      break;
    case FunctionChoice::Kind::kRank:
      return {{"rank", {choice.first, choice.last}}};
    case FunctionChoice::Kind::kHash:
      return {{"hash", {choice.first, choice.last}}};
    case FunctionChoice::Kind::kNames:
      return {{"names", choice.names}};
  }
  return {};
}

void trace_to_json(const ArrivalSpec& spec, Json& out) {
  out["path"] = spec.trace.path;
  out["format"] = spec.trace.format;
  if (!spec.trace.dataset.empty()) out["dataset"] = spec.trace.dataset;
  const Json functions = functions_to_json(spec.trace.functions);
  if (!functions.is_null()) out["functions"] = functions;
  if (spec.counts == ArrivalSpec::Counts::kPoisson) out["counts"] = "poisson";
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

void segments_to_json(const ArrivalSpec& spec, Json& out) {
  out["segments"] = Json::array();
  for (const ArrivalSpec& segment : spec.segments) {
    Json item = to_json(segment);
    item["duration_s"] = segment.duration_s;
    if (segment.end_rps) item["end_rps"] = *segment.end_rps;
    out["segments"].push_back(std::move(item));
  }
  out["repeat"] = spec.repeat;
}

TraceSlice slice_of(const ArrivalSpec& spec) {
  Faults faults;
  const Recording recording = read_trace(spec.trace, faults);
  faults.throw_if_any();
  return slice_trace(recording, spec.slice_start_s, spec.slice_end_s);
}

std::optional<double> trace_rate(const ArrivalSpec& spec) {
  std::optional<double> rate = slice_of(spec).rate_rps();
  if (rate) *rate *= spec.speed_up;
  return rate;
}

// The expected arrivals before a time of the trace.
double arrivals_before(const Recording& rows, double ns) {
  if (!rows.has_counts()) {
    const auto found = std::lower_bound(
        rows.times.begin(), rows.times.end(), ns,
        [](Duration time, double bound) { return static_cast<double>(time.count()) < bound; });
    return static_cast<double>(found - rows.times.begin());
  }
  double sum = 0;
  double minutes = ns / 60e9;
  for (const std::uint64_t count : rows.per_minute) {
    if (minutes <= 0) break;
    sum += std::min(minutes, 1.0) * static_cast<double>(count);
    minutes -= 1;
  }
  return sum;
}

double trace_arrivals(const ArrivalSpec& segment) {
  const TraceSlice slice = slice_of(segment);
  const double speed =
      segment.rate_rps > 0 ? segment.rate_rps / slice.rate_rps().value_or(1) : segment.speed_up;
  const double length_ns = segment.duration_s * 1e9 * speed;
  if (!segment.repeat) return arrivals_before(slice.rows, length_ns);
  const double rounds = std::floor(length_ns / *slice.length_ns);
  return rounds * static_cast<double>(slice.count()) +
         arrivals_before(slice.rows, length_ns - rounds * *slice.length_ns);
}

double piecewise_rate(const ArrivalSpec& spec) {
  double arrivals = 0;
  double length_s = 0;
  for (const ArrivalSpec& segment : spec.segments) {
    length_s += segment.duration_s;
    if (segment.process == Process::kTrace) {
      arrivals += trace_arrivals(segment);
    } else {
      const double begin = mean_rate(segment).value_or(0);
      arrivals += segment.duration_s * (begin + segment.end_rps.value_or(begin)) / 2;
    }
  }
  return arrivals / length_s;
}

double mmpp_rate(const ArrivalSpec& spec) {
  const std::vector<double> shares = mmpp_time_shares(spec.states);
  double rate = 0;
  for (std::size_t i = 0; i < shares.size(); ++i) rate += shares[i] * spec.states[i].rate_rps;
  return rate;
}

}  // namespace

void scale_rates(ArrivalSpec& spec, double factor) {
  spec.rate_rps *= factor;
  if (spec.end_rps) *spec.end_rps *= factor;
  for (MmppState& state : spec.states) state.rate_rps *= factor;
  for (ArrivalSpec& segment : spec.segments) scale_rates(segment, factor);
  // Beside a rate the speed-up is found from it.
  if (spec.process == Process::kTrace && spec.rate_rps == 0) spec.speed_up *= factor;
}

const std::vector<std::string>& arrival_names() {
  // In the order of ArrivalSpec::Process.
  static const std::vector<std::string> kNames{"constant", "poisson",   "gamma", "lognormal",
                                               "mmpp",     "piecewise", "trace", "closed_loop"};
  return kNames;
}

Json to_json(const ArrivalSpec& spec) {
  Json out;
  if (spec.process != Process::kStage) {
    out["process"] = arrival_names()[static_cast<std::size_t>(spec.process)];
  }
  switch (spec.process) {
    case Process::kConstant:
    case Process::kPoisson:
      out["rate_rps"] = spec.rate_rps;
      break;
    case Process::kGamma:
      out["rate_rps"] = spec.rate_rps;
      out["shape"] = spec.shape;
      break;
    case Process::kLognormal:
      out["rate_rps"] = spec.rate_rps;
      out["sigma"] = spec.sigma;
      break;
    case Process::kMmpp:
      out["states"] = Json::array();
      for (const MmppState& state : spec.states) {
        Json item{{"rate_rps", state.rate_rps}, {"dwell_s", state.dwell_s}};
        if (!state.next.empty()) item["next"] = state.next;
        out["states"].push_back(std::move(item));
      }
      break;
    case Process::kPiecewise:
      segments_to_json(spec, out);
      break;
    case Process::kTrace:
      trace_to_json(spec, out);
      break;
    case Process::kStage:
      out["process"] = "stage";
      out["rate_rps"] = spec.rate_rps;
      break;
    case Process::kClosedLoop:
      out["clients"] = spec.clients;
      out["think_ms"] = to_ms(spec.think);
      out["think"] = spec.think_exponential ? "exponential" : "constant";
      break;
  }
  return out;
}

std::optional<double> mean_rate(const ArrivalSpec& spec) {
  if (spec.process == Process::kClosedLoop) {
    if (spec.think == Duration::zero()) return std::nullopt;
    return spec.clients / to_seconds(spec.think);
  }
  if (spec.process == Process::kStage && spec.rate_rps == 0) return std::nullopt;
  if (spec.process == Process::kMmpp) return mmpp_rate(spec);
  if (spec.process == Process::kPiecewise) return piecewise_rate(spec);
  if (spec.process == Process::kTrace && spec.rate_rps == 0) return trace_rate(spec);
  return spec.rate_rps;
}

}  // namespace tangram
