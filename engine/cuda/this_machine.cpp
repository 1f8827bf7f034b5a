#include "engine/cuda/this_machine.h"

#include "sim/core/error.h"

#ifdef TANGRAM_WITH_CUDA

#include <cstdlib>

#include "engine/cuda/probe.h"

namespace tangram {
namespace {

// The GPU that partitions are on: the first that is not in MIG mode; nullopt where all are.
std::optional<std::string> uuid_of_shared_gpu() {
  for (const CudaGpu& gpu : gpus_of_this_machine().gpus) {
    if (!gpu.mig) return gpu.uuid;
  }
  return std::nullopt;
}

}  // namespace

CudaMachine gpus_of_this_machine() {
  try {
    return find_cuda_machine();
  } catch (const RunnerError& error) {
    throw SystemError(error.what());
  }
}

std::function<std::optional<double>()> energy_meter() {
  const std::optional<NvmlLibrary> nvml = load_nvml();
  const std::optional<std::string> uuid = uuid_of_shared_gpu();
  if (!nvml || !uuid || !energy_j(*nvml, *uuid)) return {};
  return [library = *nvml, gpu = *uuid] { return energy_j(library, gpu); };
}

std::function<std::optional<GpuActivity>()> activity_meter() {
  const std::optional<NvmlLibrary> nvml = load_nvml();
  const std::optional<std::string> uuid = uuid_of_shared_gpu();
  if (!nvml || !uuid) return {};
  std::shared_ptr<GpmMeter> meter = GpmMeter::open(*nvml, *uuid);
  if (meter == nullptr) return {};
  return [meter] { return meter->since_last_call(GpmMeter::Clock::now()); };
}

Json probe_this_machine() {
  try {
    return probe_gpus(load_cuda_driver(), load_nvml(),
                      find_mps_pipe(std::getenv("CUDA_MPS_PIPE_DIRECTORY")));
  } catch (const RunnerError& error) {
    return {{"gpus", Json::array()}, {"reason", error.what()}};
  }
}

}  // namespace tangram

#else

namespace tangram {

CudaMachine gpus_of_this_machine() {
  throw SystemError("this program was built without CUDA: no toolkit was found");
}

std::function<std::optional<double>()> energy_meter() {
  return {};
}

std::function<std::optional<GpuActivity>()> activity_meter() {
  return {};
}

Json probe_this_machine() {
  return {{"gpus", Json::array()},
          {"reason", "this program was built without CUDA: no toolkit was found"}};
}

}  // namespace tangram

#endif
