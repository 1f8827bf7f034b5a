// Which worker processes run a deployment on this machine's NVIDIA GPUs: the layouts of the
// backends cuda-green, cuda-streams, cuda-time-sliced, cuda-mps and cuda-mig.
#pragma once

#include <string>
#include <vector>

#include "engine/backend.h"
#include "engine/cuda/machine.h"
#include "engine/layout.h"

namespace tangram {

// GPU i of the plan is the machine's GPU i (for cuda-mig, the i-th in MIG mode). A process sees its
// GPU alone, as cuda:0. `backend` is the name:
//   cuda-green, cuda-streams  one process per GPU, a lane per executor
//   cuda-time-sliced          a process per executor; they take turns
//   cuda-mps                  a process per executor under its partition's active-thread percentage
//   cuda-mig                  a process per executor, on an instance of its partition's size; of
//                             equal ones the first that is free. Instances are never changed.
// Throws ConfigError with every fault: too few GPUs, shares that the backend cannot give, sizes
// that no free instance has, no MPS daemon, no green contexts. A pure function.
Layout lay_out_cuda(const std::string& backend,
                    const CudaMachine& gpus,
                    const Deployment& deployment,
                    const EngineSettings& settings,
                    const std::vector<ModelSpec>& models);

// The backends for the table; their layouts read this machine's GPUs, and throw SystemError where
// there is no driver or this program was built without CUDA.
std::vector<BackendInfo> cuda_backends();

}  // namespace tangram
