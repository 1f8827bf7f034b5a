// Who asks for what, how often, and how soon it must be answered.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "sim/core/json_reader.h"
#include "sim/core/time.h"
#include "workloads/trace.h"

namespace tangram {

// One state of a Markov-modulated Poisson process.
struct MmppState {
  double rate_rps = 0;       // of the arrivals while the chain is in it; may be 0
  double dwell_s = 1;        // mean length of a visit (exponential)
  std::vector<double> next;  // probability of each state to follow; empty: all others alike

  friend bool operator==(const MmppState&, const MmppState&) = default;
};

// How requests of one workload arrive. Rates are in requests per second. Exactly the fields of the
// kind are meaningful.
struct ArrivalSpec {
  enum class Process : std::uint8_t {
    kConstant,
    kPoisson,
    kGamma,
    kLognormal,
    kMmpp,
    kPiecewise,
    kTrace,
    kClosedLoop,
    kStage  // of an application: when the stages before are answered. No scenario can ask for it.
  };
  // How a trace of counts a minute becomes arrivals: as many as were counted, at uniform places in
  // their minute, or Poisson with that rate.
  enum class Counts : std::uint8_t { kExact, kPoisson };

  Process process = Process::kPoisson;
  double rate_rps = 0;  // mean rate; for a trace 0 when speed_up governs
  double shape = 1;     // gamma: variance of the gap = mean^2 / shape; "cv" sets shape = 1 / cv^2
  double sigma = 1;     // lognormal: of the logarithm of the gap; the mean gap is kept:
                        // mu = ln(1 / rate) - sigma^2 / 2
  std::vector<MmppState> states;      // mmpp
  std::vector<ArrivalSpec> segments;  // piecewise
  // as a segment
  double duration_s = 0;
  std::optional<double> end_rps;  // the rate goes from rate_rps to this in a straight line
  // trace
  TraceFile trace;      // its path resolved
  double speed_up = 1;  // gaps are divided by it; found from the slice's own rate when rate_rps > 0
  double slice_start_s = 0;  // of the trace's own time; rows with start <= time < end
  std::optional<double> slice_end_s;
  Counts counts = Counts::kExact;
  bool repeat = false;  // start over at the end of the trace or after the last segment
  // closed loop
  std::uint32_t clients = 0;
  Duration think{};  // mean time between an answer and the client's next request
  bool think_exponential = true;

  friend bool operator==(const ArrivalSpec&, const ArrivalSpec&) = default;
};

struct Workload {
  // Applications stand beside the scenario's workloads (workloads/application.h): they are asked
  // and judged like workloads, but what runs are their stages.
  enum class Kind : std::uint8_t { kPlain, kStage, kApplication };

  std::string name;  // unique
  std::string model;
  Duration
      slo{};  // a request is good when it finishes at most this long after its intended arrival
  ArrivalSpec arrivals;
  Kind kind = Kind::kPlain;
};

// Reads the "arrivals" object of a scenario; `base` is the folder that relative trace paths start
// at. `share_rps` stands in for a "rate_rps" that is not there (takes_share). A trace is read and
// checked here, so that its faults come up front. nullopt when there were faults.
std::optional<ArrivalSpec> read_arrivals(const JsonNode& node,
                                         const std::string& base,
                                         std::optional<double> share_rps = std::nullopt);
// Whether "arrivals" names a process that needs a mean rate and gives none: its rate may come from
// the popularity of its workload.
bool takes_share(const Json& arrivals);
// Writes what read_arrivals reads back as an equal spec: paths resolved, gamma by its shape, mmpp
// by its states.
Json to_json(const ArrivalSpec& spec);

// Multiplies every rate: of traces the speed-up, of piecewise and mmpp those of all parts. A closed
// loop has none and stays as it is. Requires: factor > 0.
void scale_rates(ArrivalSpec& spec, double factor);

// "constant", "poisson", "gamma", "lognormal", "mmpp", "piecewise", "trace", "closed_loop".
const std::vector<std::string>& arrival_names();

// The mean rate that a planner may count on, requests/s: the rate; of mmpp the mean over the states
// by their shares of time; of piecewise the mean over the segments; a trace's own mean over its
// slice after speed-up (reads the file: call it once per run), or nullopt when its rows are all at
// one time and the slice has no end; of a stage what its application asks of it; for a closed loop
// the upper bound clients / think, or nullopt without think time. Throws ConfigError for a trace
// that cannot be read.
std::optional<double> mean_rate(const ArrivalSpec& spec);

}  // namespace tangram
