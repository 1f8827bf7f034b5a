#include "engine/cuda/this_machine.h"

#include "sim/core/error.h"

#ifdef TANGRAM_WITH_CUDA

#include <cstdlib>

#include "engine/cuda/probe.h"

namespace tangram {

CudaMachine gpus_of_this_machine() {
  try {
    return find_cuda_machine();
  } catch (const RunnerError& error) {
    throw SystemError(error.what());
  }
}

std::function<std::optional<double>()> energy_meter() {
  const std::optional<NvmlLibrary> nvml = load_nvml();
  for (const CudaGpu& gpu : gpus_of_this_machine().gpus) {
    if (gpu.mig) continue;
    if (!nvml || !energy_j(*nvml, gpu.uuid)) break;
    return [library = *nvml, uuid = gpu.uuid] { return energy_j(library, uuid); };
  }
  return {};
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

Json probe_this_machine() {
  return {{"gpus", Json::array()},
          {"reason", "this program was built without CUDA: no toolkit was found"}};
}

}  // namespace tangram

#endif
