// What a whole GPU did between two moments, by the counters that NVML reads from Hopper on (GPM).
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>

#include "engine/cuda/nvml.h"

namespace tangram {

// Means over a time, fractions of the device's peak, whoever used it.
struct GpuActivity {
  double dram = 0;          // bandwidth
  double sm_occupancy = 0;  // warps on its SMs
};

// The driver renews what a sample reads about this often: two samples have to be further apart
// (nvmlGpmMetricsGet in NVIDIA's API reference), and each may be this old.
inline constexpr std::chrono::milliseconds kGpmRefresh{100};

// Holds two samples of one device, of which it reads one and computes with both.
class GpmMeter {
 public:
  using Clock = std::chrono::steady_clock;

  // nullptr where nothing counts: a library without GPM, a device that does not support it.
  static std::unique_ptr<GpmMeter> open(const NvmlLibrary& nvml, const std::string& uuid);
  ~GpmMeter();
  GpmMeter(const GpmMeter&) = delete;
  GpmMeter& operator=(const GpmMeter&) = delete;

  // Reads a sample at `now`, and returns what the device did since the call before; nullopt for the
  // first call, for one at most kGpmRefresh later, and where a sample or a metric was not to be
  // had.
  std::optional<GpuActivity> since_last_call(Clock::time_point now);

 private:
  GpmMeter(const NvmlLibrary& nvml, NvmlDevice device) : nvml_(nvml), device_(device) {}
  std::optional<GpuActivity> between_samples() const;

  NvmlLibrary nvml_;
  NvmlDevice device_;
  NvmlGpmSample before_ = nullptr, now_ = nullptr;
  std::optional<Clock::time_point> read_at_;  // when before_ was; empty: it holds nothing
};

}  // namespace tangram
