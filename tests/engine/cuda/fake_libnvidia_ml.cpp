// The fake NVML as a library that programs find in place of the real one: libnvidia-ml.so.1 beside
// the fake driver, with the names that NVIDIA's library exports.
#include "tests/engine/cuda/fake_driver.h"

using tangram::NvmlDevice;
using tangram::NvmlGpmSample;

namespace {

const tangram::NvmlLibrary& table() {
  static const tangram::fake::Nvml fake({});
  static const tangram::NvmlLibrary library = fake.table();
  return library;
}

}  // namespace

// clang-format off
#define TANGRAM_FAKE_ENTRY(name, member, parameters, arguments) \
  extern "C" int name parameters { return table().member arguments; }

TANGRAM_FAKE_ENTRY(nvmlInit_v2, init, (), ())
TANGRAM_FAKE_ENTRY(nvmlSystemGetDriverVersion, driver_version, (char* text, unsigned n), (text, n))
TANGRAM_FAKE_ENTRY(nvmlDeviceGetCount_v2, device_count, (unsigned* n), (n))
TANGRAM_FAKE_ENTRY(nvmlDeviceGetHandleByIndex_v2, device_at, (unsigned i, NvmlDevice* d), (i, d))
TANGRAM_FAKE_ENTRY(nvmlDeviceGetHandleByUUID, device_by_uuid, (const char* u, NvmlDevice* d), (u, d))
TANGRAM_FAKE_ENTRY(nvmlDeviceGetName, name, (NvmlDevice d, char* text, unsigned n), (d, text, n))
TANGRAM_FAKE_ENTRY(nvmlDeviceGetUUID, uuid, (NvmlDevice d, char* text, unsigned n), (d, text, n))
TANGRAM_FAKE_ENTRY(nvmlDeviceGetClockInfo, clock_mhz, (NvmlDevice d, unsigned type, unsigned* mhz), (d, type, mhz))
TANGRAM_FAKE_ENTRY(nvmlDeviceGetMaxClockInfo, max_clock_mhz, (NvmlDevice d, unsigned type, unsigned* mhz), (d, type, mhz))
TANGRAM_FAKE_ENTRY(nvmlDeviceGetPowerUsage, power_mw, (NvmlDevice d, unsigned* mw), (d, mw))
TANGRAM_FAKE_ENTRY(nvmlDeviceGetMigMode, mig_mode, (NvmlDevice d, unsigned* now, unsigned* next), (d, now, next))
TANGRAM_FAKE_ENTRY(nvmlDeviceGetMaxMigDeviceCount, max_mig_devices, (NvmlDevice d, unsigned* n), (d, n))
TANGRAM_FAKE_ENTRY(nvmlDeviceGetMigDeviceHandleByIndex, mig_device_at, (NvmlDevice d, unsigned i, NvmlDevice* m), (d, i, m))
TANGRAM_FAKE_ENTRY(nvmlDeviceGetAttributes_v2, attributes, (NvmlDevice d, tangram::NvmlAttributes* a), (d, a))
TANGRAM_FAKE_ENTRY(nvmlDeviceGetUtilizationRates, utilization, (NvmlDevice d, tangram::NvmlUtilization* u), (d, u))
TANGRAM_FAKE_ENTRY(nvmlDeviceGetTotalEnergyConsumption, energy_mj, (NvmlDevice d, unsigned long long* mj), (d, mj))
TANGRAM_FAKE_ENTRY(nvmlGpmQueryDeviceSupport, gpm_support, (NvmlDevice d, tangram::NvmlGpmSupport* s), (d, s))
TANGRAM_FAKE_ENTRY(nvmlGpmSampleAlloc, gpm_allocate, (NvmlGpmSample* s), (s))
TANGRAM_FAKE_ENTRY(nvmlGpmSampleFree, gpm_free, (NvmlGpmSample s), (s))
TANGRAM_FAKE_ENTRY(nvmlGpmSampleGet, gpm_sample, (NvmlDevice d, NvmlGpmSample s), (d, s))
TANGRAM_FAKE_ENTRY(nvmlGpmMetricsGet, gpm_metrics, (tangram::NvmlGpmMetrics* m), (m))
// clang-format on
