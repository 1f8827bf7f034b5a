#include "engine/cuda/probe.h"

#include <fmt/format.h>

#include "engine/cuda/gpm.h"
#include "engine/cuda/machine.h"
#include "engine/cuda/partition.h"

namespace tangram {
namespace {

// Ranges of min_count with the same number of groups.
Json splits_of(const CudaDriver& driver, CUdevice device, unsigned flags) {
  Json ranges = Json::array();
  for (const SplitProbe& probe : probe_splits(driver, device, flags)) {
    if (!ranges.empty() && ranges.back()["groups"] == probe.groups &&
        ranges.back()["to"] == probe.min_count - 1) {
      ranges.back()["to"] = probe.min_count;
    } else {
      ranges.push_back(
          {{"from", probe.min_count}, {"to", probe.min_count}, {"groups", probe.groups}});
    }
  }
  return ranges;
}

Json green_contexts_of(const CudaDriver& driver, CUdevice device, int compute_major) {
  const SmGranularity granularity = sm_granularity(compute_major);
  return {{"sms", device_sms(driver, device)},
          {"smallest", granularity.minimum},
          {"step", granularity.multiple},
          {"splits", splits_of(driver, device, 0)},
          {"splits_ignoring_coscheduling",
           splits_of(driver, device, CU_DEV_SM_RESOURCE_SPLIT_IGNORE_SM_COSCHEDULING)}};
}

Json now_of(const GpuCondition& condition) {
  Json json = Json::object();
  if (condition.sm_mhz) json["sm_mhz"] = *condition.sm_mhz;
  if (condition.max_sm_mhz) json["max_sm_mhz"] = *condition.max_sm_mhz;
  if (condition.memory_mhz) json["memory_mhz"] = *condition.memory_mhz;
  if (condition.power_w) json["power_w"] = *condition.power_w;
  if (condition.busy_pct) json["busy_pct"] = *condition.busy_pct;
  if (condition.memory_busy_pct) json["memory_busy_pct"] = *condition.memory_busy_pct;
  return json;
}

Json gpu_json(const CudaGpu& gpu) {
  Json json{{"name", gpu.name}, {"uuid", gpu.uuid}, {"mig", gpu.mig}};
  if (gpu.mig) {
    json["instances"] = Json::array();
    for (const MigInstance& instance : gpu.instances) {
      json["instances"].push_back({{"uuid", instance.uuid},
                                   {"slices", instance.slices},
                                   {"sms", instance.sms},
                                   {"memory_mib", instance.memory_mib}});
    }
    return json;
  }
  json["compute_capability"] = fmt::format("{}.{}", gpu.compute_major, gpu.compute_minor);
  json["sms"] = gpu.sms;
  json["memory_mib"] = gpu.memory_mib;
  return json;
}

}  // namespace

Json probe_gpus(const CudaDriver& driver,
                const std::optional<NvmlLibrary>& nvml,
                const std::string& mps_pipe) {
  const CudaMachine machine = describe_machine(driver, nvml, mps_pipe);
  Json json{{"driver", machine.driver},
            {"cuda", fmt::format("{}.{}", machine.cuda / 1000, machine.cuda % 1000 / 10)},
            {"mps_pipe", machine.mps_pipe},
            {"gpus", Json::array()}};
  for (std::size_t i = 0; i < machine.gpus.size(); ++i) {
    const CudaGpu& gpu = machine.gpus[i];
    Json entry = gpu_json(gpu);
    if (nvml) entry["now"] = now_of(condition_of(*nvml, gpu.uuid));
    if (nvml && !gpu.mig) entry["counts_activity"] = GpmMeter::open(*nvml, gpu.uuid) != nullptr;
    if (!gpu.mig && machine.green_contexts) {
      CUdevice device = 0;
      check(driver, driver.DeviceGet(&device, static_cast<int>(i)), "cuDeviceGet");
      entry["green_contexts"] = green_contexts_of(driver, device, gpu.compute_major);
    }
    json["gpus"].push_back(std::move(entry));
  }
  return json;
}

}  // namespace tangram
