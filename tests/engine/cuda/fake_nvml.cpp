#include <cstdint>
#include <cstring>
#include <utility>

#include "tests/engine/cuda/fake_driver.h"

namespace tangram::fake {
namespace {

// NOLINTNEXTLINE(cppcoreguidelines-avoid-non-const-global-variables): NVML is plain functions
std::vector<NvmlInstance> mig;
// NOLINTNEXTLINE(cppcoreguidelines-avoid-non-const-global-variables): as above
NvmlCounters counters_now;
// Handles of instances are their position + 2; the GPU's is 1.
constexpr std::uintptr_t kGpu = 1;
constexpr std::uintptr_t kFirstInstance = 2;

const NvmlInstance& instance_of(NvmlDevice device) {
  return mig[reinterpret_cast<std::uintptr_t>(device) - kFirstInstance];
}

int write_text(char* to, unsigned length, const std::string& text) {
  std::strncpy(to, text.c_str(), length);
  return kNvmlSuccess;
}

// What a sample points to: how many were read before it.
struct Sample {
  std::uint64_t read = 0;
};
Sample* sample_of(NvmlGpmSample handle) {
  return reinterpret_cast<Sample*>(handle);
}

int compute(NvmlGpmMetrics* request) {
  constexpr int kInvalid = 2;
  const bool is_ordered = sample_of(request->first)->read < sample_of(request->second)->read;
  if (request->version != 1 || !is_ordered || sample_of(request->first)->read == 0) return kInvalid;
  for (unsigned i = 0; i < request->count; ++i) {
    NvmlGpmMetric& metric = request->metrics[i];
    const bool is_dram = metric.id == 10;
    if (!is_dram && metric.id != 3) return kInvalid;
    metric.value = is_dram ? counters_now.dram_pct : counters_now.sm_occupancy_pct;
    metric.result = is_dram ? kNvmlSuccess : counters_now.occupancy_result;
  }
  return counters_now.metrics_result;
}

void add_counters(NvmlLibrary& t) {
  t.gpm_support = [](NvmlDevice, NvmlGpmSupport* support) {
    support->is_supported = support->version == 1 && counters_now.supported ? 1 : 0;
    return counters_now.support_result;
  };
  t.gpm_allocate = [](NvmlGpmSample* sample) {
    constexpr int kNoMemory = 20;
    if (counters_now.samples == counters_now.memory) return kNoMemory;
    *sample = reinterpret_cast<NvmlGpmSample>(new Sample);
    ++counters_now.samples;
    return kNvmlSuccess;
  };
  t.gpm_free = [](NvmlGpmSample sample) {
    delete sample_of(sample);
    --counters_now.samples;
    return kNvmlSuccess;
  };
  t.gpm_sample = [](NvmlDevice, NvmlGpmSample sample) {
    static std::uint64_t reads = 0;
    if (counters_now.sample_result == kNvmlSuccess) sample_of(sample)->read = ++reads;
    return counters_now.sample_result;
  };
  t.gpm_metrics = compute;
}

}  // namespace

Nvml::Nvml(std::vector<NvmlInstance> instances) {
  mig = std::move(instances);
  counters_now = {};
}
NvmlCounters& Nvml::counters() const {
  return counters_now;
}
Nvml::~Nvml() {
  mig.clear();
}

NvmlLibrary Nvml::table() const {
  constexpr int kNotFound = 6;
  NvmlLibrary t;
  t.init = [] { return kNvmlSuccess; };
  t.driver_version = [](char* v, unsigned n) { return write_text(v, n, "580.1"); };
  t.device_count = [](unsigned* count) {
    *count = 1;
    return kNvmlSuccess;
  };
  t.device_at = [](unsigned, NvmlDevice* device) {
    *device = reinterpret_cast<NvmlDevice>(kGpu);
    return kNvmlSuccess;
  };
  t.device_by_uuid = [](const char*, NvmlDevice* device) {
    *device = reinterpret_cast<NvmlDevice>(kGpu);
    return kNvmlSuccess;
  };
  t.name = [](NvmlDevice, char* name, unsigned n) { return write_text(name, n, "Fake GPU"); };
  t.uuid = [](NvmlDevice device, char* uuid, unsigned n) {
    const bool is_gpu = reinterpret_cast<std::uintptr_t>(device) == kGpu;
    return write_text(uuid, n, is_gpu ? "GPU-fake" : instance_of(device).uuid);
  };
  t.clock_mhz = [](NvmlDevice, unsigned type, unsigned* mhz) {
    *mhz = type == kNvmlClockSm ? 1980 : 3201;
    return kNvmlSuccess;
  };
  t.max_clock_mhz = t.clock_mhz;
  t.utilization = [](NvmlDevice, NvmlUtilization* rates) {
    *rates = {73, 41};
    return kNvmlSuccess;
  };
  t.energy_mj = [](NvmlDevice, unsigned long long* millijoules) {
    *millijoules = 12'345'678;
    return kNvmlSuccess;
  };
  t.power_mw = [](NvmlDevice, unsigned*) { return kNotFound; };
  t.mig_mode = [](NvmlDevice, unsigned* now, unsigned* pending) {
    *now = *pending = mig.empty() ? 0 : 1;
    return kNvmlSuccess;
  };
  t.max_mig_devices = [](NvmlDevice, unsigned* count) {
    *count = 7;
    return kNvmlSuccess;
  };
  t.mig_device_at = [](NvmlDevice, unsigned index, NvmlDevice* instance) {
    if (index >= mig.size()) return kNotFound;
    *instance = reinterpret_cast<NvmlDevice>(kFirstInstance + index);
    return kNvmlSuccess;
  };
  t.attributes = [](NvmlDevice device, NvmlAttributes* attributes) {
    const NvmlInstance& instance = instance_of(device);
    attributes->multiprocessors = instance.sms;
    attributes->compute_instance_slices = instance.slices;
    attributes->memory_mib = instance.memory_mib;
    return kNvmlSuccess;
  };
  add_counters(t);
  return t;
}

}  // namespace tangram::fake
