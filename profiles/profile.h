// What one model costs on one GPU type: latency over (share, processes, batch), memory, resource
// use, and where the numbers come from. Plain data; the queries are what planners and runtimes ask.
#pragma once

#include <compare>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "profiles/igniter_model.h"
#include "profiles/variability.h"

namespace tangram {

// The part of a GPU that one process group runs on.
enum class ShareKind : std::uint8_t {
  kWhole,    // the whole GPU; amount is 1
  kMig,      // amount = compute slices of a MIG instance: 1, 2, 3, 4, 7
  kPercent,  // amount = percent of the SMs (MPS cap, gpu-let): (0, 100]
  kSms,      // amount = number of SMs (green context)
};
struct Share {
  ShareKind kind = ShareKind::kWhole;
  double amount = 1;
  friend bool operator==(const Share&, const Share&) = default;
  friend auto operator<=>(const Share&, const Share&) = default;
};
// "whole", "mig 3", "40 %", "32 SMs".
std::string to_string(const Share& share);

// One measured (or computed) point. Resource use is the mean over the batch, as a fraction of peak.
struct LatencyPoint {
  Share share;
  std::uint32_t processes = 1;  // processes of this model that run side by side on the share
  std::uint32_t batch = 1;
  double latency_ms = 0;           // mean time that one process takes for one batch, > 0
  std::vector<double> samples_ms;  // ascending; empty where only the mean is known
  // As the source reported them, where that differs from latency_ms (ParvaGPU: rounded to 1 ms).
  std::optional<double> reported_latency_ms;
  std::optional<double> reported_throughput_rps;  // of one process
  std::optional<double> l2_utilisation;           // [0, 1]
  std::optional<double> dram_utilisation;         // [0, 1]
  std::optional<double> sm_occupancy;             // [0, 1]
  std::optional<double> power_w;
  std::string suspicion;  // why the row looks wrong; "" when it does not
};

// The order of Profile::points: by share, processes, batch.
bool point_before(const LatencyPoint& a, const LatencyPoint& b);

// How latencies between measured batches are found.
enum class Interpolation : std::uint8_t {
  kNone,     // a batch that was not measured is an error
  kLinear,   // linear between the two measured neighbours; nothing outside them
  kRoundUp,  // padded to the next measured batch
  kIgniter,  // linear; where that knows nothing, iGniter's formula for one process alone: whole
             // GPU or percent, batches up to its max_batch
};
// "none", "linear", "round_up", "igniter", in the order of the enumerators.
const std::vector<std::string>& interpolation_names();

// One co-run of two models, for the pair_table interference model.
struct CoRun {
  std::string other;  // the neighbour's model
  std::uint32_t batch = 1, other_batch = 1;
  double share_pct = 50, other_share_pct = 50;
  double slowdown = 1;  // this model's latency beside the neighbour / alone on the same share
};

// One kernel of a batch that ran alone on the whole GPU, as its driver reported it.
struct Kernel {
  std::uint32_t batch = 1;
  std::string name;
  std::uint32_t grid = 1;           // blocks
  std::uint32_t threads = 1;        // of a block
  std::uint32_t registers = 0;      // of a thread
  std::uint32_t shared_memory = 0;  // of a block, static and dynamic, bytes
  double duration_us = 0;           // > 0
  friend bool operator==(const Kernel&, const Kernel&) = default;
};

struct Provenance {
  std::string kind;  // "measured", "imported", "analytic", "by hand"
  std::string device, driver, framework, date, command, source;
  std::uint32_t repetitions = 0;
};

struct Profile {
  std::string model;
  std::string gpu;                   // a GPU type's name
  std::vector<LatencyPoint> points;  // unique by (share, processes, batch), sorted by them
  // A closed form instead of points: fixed + per_item * batch on the whole GPU, up to max_batch.
  struct Linear {
    double fixed_ms = 0;
    double per_item_ms = 0;
    std::uint32_t max_batch = 1;
  };
  std::optional<Linear> linear;
  Interpolation interpolation = Interpolation::kNone;
  Variability variability;
  std::optional<double> memory_mib;  // weights and workspace of one process
  std::optional<double> memory_per_item_mib;
  std::optional<double> weights_mib;          // what a load moves to the device
  std::optional<double> load_ms;              // time of a load when measured
  std::optional<double> launches;             // kernels of one batch, >= 1
  std::optional<double> interference_factor;  // constant slowdown beside any neighbour, >= 1
  // What a server takes to put together a batch of 1, 2, .. items before it runs, ms, >= 0; empty:
  // not known. Planners may budget for it (gpulet); no device model adds it.
  std::vector<double> batching_ms;
  std::optional<IgniterModel> igniter;  // fitted; interference, shares, interpolation
  std::vector<CoRun> co_runs;
  std::vector<Kernel> kernels;  // ascending by batch; those of a batch in the order of their launch
  Provenance provenance;

  // The largest batch known on this share with this many processes; 0 when nothing is known there.
  std::uint32_t max_batch(const Share& share, std::uint32_t processes = 1) const;
  // The mean latency in ms of one batch, or nullopt outside what is known (`why_not` then says what
  // is known). `whole` falls back to 100 % or to the MIG size of all slices, and these to `whole`.
  std::optional<double> latency_ms(const Share& share,
                                   std::uint32_t processes,
                                   std::uint32_t batch,
                                   std::string* why_not = nullptr) const;
  // The point itself, or nullptr when it is not measured exactly.
  const LatencyPoint* point(const Share& share, std::uint32_t processes, std::uint32_t batch) const;
  // L2 and DRAM utilisation, linear between measured batches, held beyond them; nullopt if unknown.
  struct Utilisation {
    double l2 = 0, dram = 0;
  };
  std::optional<Utilisation> utilisation(const Share& share,
                                         std::uint32_t processes,
                                         std::uint32_t batch) const;
  // The shares and process counts for which something is known, ascending.
  struct Setting {
    Share share;
    std::uint32_t processes;
    friend bool operator==(const Setting&, const Setting&) = default;
    friend auto operator<=>(const Setting&, const Setting&) = default;
  };
  std::vector<Setting> settings() const;
};

// The profiles of a scenario: at most one per (model, GPU type).
class ProfileSet {
 public:
  // Throws ConfigError when the pair is there already. Requires: sorted points. Pointers from
  // find() hold until the next add().
  void add(Profile profile);
  const Profile* find(const std::string& model, const std::string& gpu) const;
  const std::vector<Profile>& all() const { return profiles_; }
  // The distinct model names, ascending.
  std::vector<std::string> models() const;

 private:
  std::vector<Profile> profiles_;
  std::map<std::pair<std::string, std::string>, std::size_t> index_;  // (model, GPU) -> profiles_
};

}  // namespace tangram
