#include "engine/cuda/machine.h"

#include <array>
#include <cstdlib>
#include <filesystem>
#include <system_error>

#include <fmt/format.h>

#include "engine/cuda/nvml.h"
#include "engine/cuda/objects.h"
#include "engine/worker/bytes.h"

namespace tangram {
namespace {

constexpr unsigned kTextLength = 96;  // NVML_DEVICE_UUID_V2_BUFFER_SIZE, the longest of its texts

// Calls a function of NVML that fills a text; "" when it fails.
template <typename Call>
std::string text_of(Call call) {
  std::array<char, kTextLength> text{};
  return call(text.data(), kTextLength) == kNvmlSuccess ? std::string(text.data()) : "";
}

std::string uuid_text(const CUuuid& uuid) {
  std::string text = "GPU-";
  for (std::size_t i = 0; i < sizeof(uuid.bytes); ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10) text += '-';
    text += fmt::format("{:02x}", static_cast<unsigned char>(uuid.bytes[i]));
  }
  return text;
}

std::vector<MigInstance> mig_instances(const NvmlLibrary& nvml, NvmlDevice device) {
  std::vector<MigInstance> instances;
  unsigned most = 0;
  if (nvml.max_mig_devices(device, &most) != kNvmlSuccess) return instances;
  for (unsigned i = 0; i < most; ++i) {
    NvmlDevice handle = nullptr;
    NvmlAttributes attributes;
    if (nvml.mig_device_at(device, i, &handle) != kNvmlSuccess) continue;  // a free place
    if (nvml.attributes(handle, &attributes) != kNvmlSuccess) continue;
    MigInstance instance;
    instance.uuid = text_of([&](char* t, unsigned n) { return nvml.uuid(handle, t, n); });
    instance.slices = attributes.compute_instance_slices;
    instance.sms = attributes.multiprocessors;
    instance.memory_mib = static_cast<double>(attributes.memory_mib);
    instances.push_back(instance);
  }
  return instances;
}

CudaGpu describe_gpu(const CudaDriver& driver, int ordinal) {
  CUdevice device = 0;
  check(driver, driver.DeviceGet(&device, ordinal), "cuDeviceGet");
  std::array<char, 256> name{};
  check(driver, driver.DeviceGetName(name.data(), 256, device), "cuDeviceGetName");
  CUuuid uuid{};
  check(driver, driver.DeviceGetUuid(&uuid, device), "cuDeviceGetUuid");
  std::size_t bytes = 0;
  check(driver, driver.DeviceTotalMem(&bytes, device), "cuDeviceTotalMem");
  CudaGpu gpu;
  gpu.name = name.data();
  gpu.uuid = uuid_text(uuid);
  gpu.memory_mib = static_cast<double>(bytes) / kMib;
  gpu.compute_major = attribute(driver, CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR, device);
  gpu.compute_minor = attribute(driver, CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR, device);
  gpu.sms =
      static_cast<unsigned>(attribute(driver, CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT, device));
  return gpu;
}

// GPUs in MIG mode, which the driver shows as one of their instances or not at all.
std::vector<CudaGpu> mig_gpus(const NvmlLibrary& nvml) {
  std::vector<CudaGpu> gpus;
  unsigned count = 0;
  if (nvml.device_count(&count) != kNvmlSuccess) return gpus;
  for (unsigned i = 0; i < count; ++i) {
    NvmlDevice device = nullptr;
    unsigned current = 0, pending = 0;
    if (nvml.device_at(i, &device) != kNvmlSuccess) continue;
    if (nvml.mig_mode(device, &current, &pending) != kNvmlSuccess || current == 0) continue;
    CudaGpu gpu;
    gpu.mig = true;
    gpu.name = text_of([&](char* t, unsigned n) { return nvml.name(device, t, n); });
    gpu.uuid = text_of([&](char* t, unsigned n) { return nvml.uuid(device, t, n); });
    gpu.instances = mig_instances(nvml, device);
    gpus.push_back(gpu);
  }
  return gpus;
}

}  // namespace

CudaMachine describe_machine(const CudaDriver& driver,
                             const std::optional<NvmlLibrary>& nvml,
                             const std::string& mps_pipe) {
  CudaMachine machine;
  machine.green_contexts = driver.has_green_contexts();
  machine.mps_pipe = mps_pipe;
  check(driver, driver.DriverGetVersion(&machine.cuda), "cuDriverGetVersion");
  int count = 0;
  check(driver, driver.DeviceGetCount(&count), "cuDeviceGetCount");
  if (nvml) {
    machine.driver = text_of([&](char* t, unsigned n) { return nvml->driver_version(t, n); });
    machine.gpus = mig_gpus(*nvml);
  }
  if (!machine.gpus.empty()) return machine;  // the driver's ordinals are those of instances
  for (int i = 0; i < count; ++i) machine.gpus.push_back(describe_gpu(driver, i));
  return machine;
}

CudaMachine find_cuda_machine() {
  return describe_machine(load_cuda_driver(), load_nvml(),
                          find_mps_pipe(std::getenv("CUDA_MPS_PIPE_DIRECTORY")));
}

std::string find_mps_pipe(const char* variable) {
  const std::filesystem::path folder = variable != nullptr ? variable : "/tmp/nvidia-mps";
  std::error_code ignored;
  return std::filesystem::exists(folder / "control", ignored) ? folder.string() : "";
}

}  // namespace tangram
