// The entry points of the management library (NVML) that the engine reads from: clocks, power, MIG
// instances. Nothing here changes a setting. The prototypes are our own, because toolkits come
// without NVML's header; they follow NVIDIA's published API, which is stable by name.
#pragma once

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
