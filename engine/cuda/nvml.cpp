#include "engine/cuda/nvml.h"

#include <dlfcn.h>

namespace tangram {
namespace {

// A reading, or nullopt when the device does not give it.
template <typename Reading, typename... Arguments>
std::optional<unsigned> read(Reading reading, Arguments... arguments) {
  unsigned value = 0;
  if (reading(arguments..., &value) != kNvmlSuccess) return std::nullopt;
  return value;
}

}  // namespace

std::optional<NvmlLibrary> load_nvml() {
  void* library = ::dlopen("libnvidia-ml.so.1", RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) return std::nullopt;
  NvmlLibrary nvml;
  bool complete = true;
  const auto find_optional = [&]<typename Function>(Function& target, const char* name) {
    target = reinterpret_cast<Function>(::dlsym(library, name));
    return target != nullptr;
  };
  const auto find = [&](auto& target, const char* name) {
    complete = find_optional(target, name) && complete;
  };
  find(nvml.init, "nvmlInit_v2");
  find(nvml.driver_version, "nvmlSystemGetDriverVersion");
  find(nvml.device_count, "nvmlDeviceGetCount_v2");
  find(nvml.device_at, "nvmlDeviceGetHandleByIndex_v2");
  find(nvml.device_by_uuid, "nvmlDeviceGetHandleByUUID");
  find(nvml.name, "nvmlDeviceGetName");
  find(nvml.uuid, "nvmlDeviceGetUUID");
  find(nvml.clock_mhz, "nvmlDeviceGetClockInfo");
  find(nvml.max_clock_mhz, "nvmlDeviceGetMaxClockInfo");
  find(nvml.power_mw, "nvmlDeviceGetPowerUsage");
  find(nvml.mig_mode, "nvmlDeviceGetMigMode");
  find(nvml.max_mig_devices, "nvmlDeviceGetMaxMigDeviceCount");
  find(nvml.mig_device_at, "nvmlDeviceGetMigDeviceHandleByIndex");
  find(nvml.attributes, "nvmlDeviceGetAttributes_v2");
  find_optional(nvml.utilization, "nvmlDeviceGetUtilizationRates");
  find_optional(nvml.energy_mj, "nvmlDeviceGetTotalEnergyConsumption");
  find_optional(nvml.gpm_support, "nvmlGpmQueryDeviceSupport");
  find_optional(nvml.gpm_allocate, "nvmlGpmSampleAlloc");
  find_optional(nvml.gpm_free, "nvmlGpmSampleFree");
  find_optional(nvml.gpm_sample, "nvmlGpmSampleGet");
  find_optional(nvml.gpm_metrics, "nvmlGpmMetricsGet");
  if (!complete || nvml.init() != kNvmlSuccess) return std::nullopt;
  return nvml;
}

bool NvmlLibrary::has_gpm() const {
  return gpm_support != nullptr && gpm_allocate != nullptr && gpm_free != nullptr &&
         gpm_sample != nullptr && gpm_metrics != nullptr;
}

GpuCondition condition_of(const NvmlLibrary& nvml, const std::string& uuid) {
  GpuCondition condition;
  NvmlDevice device = nullptr;
  if (nvml.device_by_uuid(uuid.c_str(), &device) != kNvmlSuccess) return condition;
  condition.sm_mhz = read(nvml.clock_mhz, device, kNvmlClockSm);
  condition.memory_mhz = read(nvml.clock_mhz, device, kNvmlClockMemory);
  condition.max_sm_mhz = read(nvml.max_clock_mhz, device, kNvmlClockSm);
  const std::optional<unsigned> milliwatts = read(nvml.power_mw, device);
  if (milliwatts) condition.power_w = *milliwatts / 1000.0;
  NvmlUtilization rates;
  if (nvml.utilization != nullptr && nvml.utilization(device, &rates) == kNvmlSuccess) {
    condition.busy_pct = rates.gpu;
    condition.memory_busy_pct = rates.memory;
  }
  return condition;
}

std::optional<double> energy_j(const NvmlLibrary& nvml, const std::string& uuid) {
  NvmlDevice device = nullptr;
  unsigned long long millijoules = 0;
  if (nvml.energy_mj == nullptr || nvml.device_by_uuid(uuid.c_str(), &device) != kNvmlSuccess ||
      nvml.energy_mj(device, &millijoules) != kNvmlSuccess) {
    return std::nullopt;
  }
  return static_cast<double>(millijoules) / 1e3;
}

}  // namespace tangram
