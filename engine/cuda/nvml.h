// The entry points of the management library (NVML) that the engine reads from: clocks, power, MIG
// instances. Nothing here changes a setting. The prototypes are our own, because toolkits come
// without NVML's header; they follow NVIDIA's published API, which is stable by name.
#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <string>

namespace tangram {

struct NvmlDeviceOpaque;
using NvmlDevice = NvmlDeviceOpaque*;

// nvmlDeviceAttributes_t
struct NvmlAttributes {
  unsigned multiprocessors = 0;
  unsigned copy_engines = 0, decoders = 0, encoders = 0, jpeg = 0, ofa = 0;
  unsigned gpu_instance_slices = 0, compute_instance_slices = 0;
  unsigned long long memory_mib = 0;
};

// nvmlUtilization_t: percent of the device's last sampling period (1/6 s to 1 s, as the device has
// it) in which a kernel ran, and in which its memory was read or written.
struct NvmlUtilization {
  unsigned gpu = 0, memory = 0;
};

// GPM: counters that a device keeps all along, from Hopper on. A sample is a buffer of the
// library's; a metric is computed from two. Layout, versions and numbers as in nvml.h
// (NVIDIA/go-nvml, gen/nvml/nvml.h) and in the Rust and Julia bindings that are generated from it
// (nvml-wrapper-sys, CUDA.jl); they have no version but the first.
struct NvmlGpmSampleOpaque;
using NvmlGpmSample = NvmlGpmSampleOpaque*;
inline constexpr unsigned kNvmlGpmVersion = 1;
// nvmlGpmSupport_t
struct NvmlGpmSupport {
  unsigned version = kNvmlGpmVersion;
  unsigned is_supported = 0;
};
// nvmlGpmMetricId_t, as far as it is used; all in percent.
inline constexpr unsigned kNvmlGpmSmOccupancy = 3;  // warps on SMs, of the most that fit
inline constexpr unsigned kNvmlGpmDramUse = 10;     // bandwidth, of the theoretical peak
// nvmlGpmMetric_t
struct NvmlGpmMetric {
  unsigned id = 0;
  int result = 0;  // nvmlReturn_t of this metric alone
  double value = 0;
  const char *short_name = nullptr, *long_name = nullptr, *unit = nullptr;
};
// nvmlGpmMetricsGet_t. Its array has as many places as the header of that driver has metrics (98,
// 210, 333), of which a call uses the first `count`.
struct NvmlGpmMetrics {
  unsigned version = kNvmlGpmVersion;
  unsigned count = 0;
  NvmlGpmSample first = nullptr, second = nullptr;
  std::array<NvmlGpmMetric, 333> metrics;
};
static_assert(sizeof(NvmlGpmMetric) == 40 && offsetof(NvmlGpmMetrics, metrics) == 24);

// nvmlReturn_t and nvmlClockType_t, as far as they are used.
inline constexpr int kNvmlSuccess = 0;
inline constexpr unsigned kNvmlClockSm = 1, kNvmlClockMemory = 2;

struct NvmlLibrary {
  int (*init)() = nullptr;
  int (*driver_version)(char* version, unsigned length) = nullptr;
  int (*device_count)(unsigned* count) = nullptr;
  int (*device_at)(unsigned index, NvmlDevice* device) = nullptr;
  int (*device_by_uuid)(const char* uuid, NvmlDevice* device) = nullptr;
  int (*name)(NvmlDevice device, char* name, unsigned length) = nullptr;
  int (*uuid)(NvmlDevice device, char* uuid, unsigned length) = nullptr;
  int (*clock_mhz)(NvmlDevice device, unsigned type, unsigned* mhz) = nullptr;
  int (*max_clock_mhz)(NvmlDevice device, unsigned type, unsigned* mhz) = nullptr;
  int (*power_mw)(NvmlDevice device, unsigned* milliwatts) = nullptr;
  int (*mig_mode)(NvmlDevice device, unsigned* current, unsigned* pending) = nullptr;
  int (*max_mig_devices)(NvmlDevice device, unsigned* count) = nullptr;
  int (*mig_device_at)(NvmlDevice device, unsigned index, NvmlDevice* instance) = nullptr;
  int (*attributes)(NvmlDevice device, NvmlAttributes* attributes) = nullptr;
  // Not on every device; nullptr in libraries without them.
  int (*utilization)(NvmlDevice device, NvmlUtilization* rates) = nullptr;
  int (*energy_mj)(NvmlDevice device, unsigned long long* millijoules) = nullptr;
  int (*gpm_support)(NvmlDevice device, NvmlGpmSupport* support) = nullptr;
  int (*gpm_allocate)(NvmlGpmSample* sample) = nullptr;
  int (*gpm_free)(NvmlGpmSample sample) = nullptr;
  int (*gpm_sample)(NvmlDevice device, NvmlGpmSample sample) = nullptr;
  int (*gpm_metrics)(NvmlGpmMetrics* metrics) = nullptr;
  bool has_gpm() const;  // all of the five are there
};

// Opens libnvidia-ml.so.1 and initialises it; nullopt where that is not possible.
std::optional<NvmlLibrary> load_nvml();

// What a device does now; for provenance and for finding throttling.
struct GpuCondition {
  std::optional<unsigned> sm_mhz, max_sm_mhz, memory_mhz;
  std::optional<double> power_w;
  std::optional<unsigned> busy_pct, memory_busy_pct;  // NvmlUtilization, of the whole device
};
// Reads them; what the device does not tell stays empty.
GpuCondition condition_of(const NvmlLibrary& nvml, const std::string& uuid);
// Energy of the whole board since its driver was loaded, J; nullopt where the device does not count
// it (before Volta).
std::optional<double> energy_j(const NvmlLibrary& nvml, const std::string& uuid);

}  // namespace tangram
