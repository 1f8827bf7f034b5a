// One scenario in two worlds, simulated and real, with the same arrivals: how far apart are they?
// Exact figures from the request logs, and pairs of requests by id.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "sim/results/stored_result.h"

namespace tangram {

// What one world did with the requests that count: those that arrive in [warmup, duration). Counts
// are exact up to 2^53. Latencies are of completed requests, percentiles are nearest rank.
struct Figures {
  double offered = 0, completed = 0, late = 0, dropped = 0, unfinished = 0;
  double throughput_rps = 0, good_rate_rps = 0;
  double slo_attainment = 1;  // of offered; 1 where nobody asked
  double mean_ms = 0, p50_ms = 0, p95_ms = 0, p99_ms = 0;
  double batch_mean = 0;                 // over the batches that held a counted request
  double wait_ms = 0, execution_ms = 0;  // means
};
struct Metric {
  const char* name;
  double Figures::*value;
};
// Every figure, in the order above.
std::span<const Metric> metrics();
// When counting begins, from the scenario that the result holds. Throws ConfigError.
TimePoint warmup_of(const StoredResult& result);
// (simulated - real) / real; 0 where both are 0, NaN where only the real one is.
double relative_error(double simulated, double real);

enum class Answer : std::uint8_t { kGood, kLate, kDropped, kUnfinished };
inline constexpr std::size_t kAnswers = 4;
// "good", "late", "dropped", "unfinished".
const std::vector<std::string>& answer_names();

// A request that both worlds completed.
struct PairedRequest {
  std::uint32_t point = 0;  // the run
  RequestId id;
  Duration simulated{}, real{};  // latencies
};

// The same requests in both worlds.
struct Pairing {
  std::uint64_t requests = 0;   // that count
  std::uint64_t completed = 0;  // in both worlds; what follows is of these
  double within_5 = 0, within_10 = 0,
         within_20 = 0;  // shares with |simulated - real| <= x % of real
  // Of simulated - real, ms.
  double mean_ms = 0, mean_absolute_ms = 0;
  double p5_ms = 0, p25_ms = 0, p50_ms = 0, p75_ms = 0, p95_ms = 0;
  // Of all that count: [simulated][real].
  std::array<std::array<std::uint64_t, kAnswers>, kAnswers> answers{};
};

struct ComparedWorkload {
  std::string name, model;
  Figures simulated, real;
  Pairing pairing;
};

// Batches of one workload and size for which the policy believed one duration.
struct BatchDurations {
  std::uint32_t workload = 0, size = 0;
  double predicted_ms = 0;
  std::uint64_t simulated = 0, real = 0;  // batches that began after the warm-up
  double simulated_ms = 0, real_ms = 0;   // mean durations; 0 where there were none
};

struct Comparison {
  std::vector<ComparedWorkload> workloads;
  ComparedWorkload total;               // named "total"
  std::vector<BatchDurations> batches;  // by workload, size, prediction; empty without timelines
  std::vector<PairedRequest> pairs;     // by run and id
};

// Compares run by run and pools the runs. Throws ConfigError where the two are not the same
// workloads with the same requests at the same intended times, or a log is missing.
Comparison compare(std::span<const StoredResult> simulated, std::span<const StoredResult> real);

}  // namespace tangram
