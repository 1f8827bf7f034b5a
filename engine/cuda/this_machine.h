// This machine's GPUs, in a program that may have been built without CUDA and may run without a
// driver.
#pragma once

#include <functional>
#include <optional>

#include "engine/cuda/gpm.h"
#include "engine/cuda/machine.h"
#include "sim/core/json_reader.h"

namespace tangram {

// Throws SystemError where there is no driver or no device, or CUDA was not built in.
CudaMachine gpus_of_this_machine();

// Reads the energy that the first GPU that is not in MIG mode has used so far, J (energy_j of
// nvml.h); an empty function where nothing counts it: no NVML, an older GPU, MIG instances alone.
// Throws SystemError as gpus_of_this_machine().
std::function<std::optional<double>()> energy_meter();

// Tells what the same GPU did since the call before (GpmMeter of gpm.h); an empty function where
// nothing counts it: no NVML, a GPU before Hopper, MIG instances alone. Throws SystemError as
// gpus_of_this_machine().
std::function<std::optional<GpuActivity>()> activity_meter();

// probe_gpus() of this machine; without GPUs {"gpus": [], "reason": "..."}.
Json probe_this_machine();

}  // namespace tangram
