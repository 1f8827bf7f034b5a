// This machine's GPUs, in a program that may have been built without CUDA and may run without a
// driver.
#pragma once

#include "engine/cuda/machine.h"
#include "sim/core/json_reader.h"

namespace tangram {

// Throws SystemError where there is no driver or no device, or CUDA was not built in.
CudaMachine gpus_of_this_machine();

// probe_gpus() of this machine; without GPUs {"gpus": [], "reason": "..."}.
Json probe_this_machine();

}  // namespace tangram
