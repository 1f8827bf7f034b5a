// What a machine's GPUs offer the backends, for a user who plans partitions.
#pragma once

#include <optional>
#include <string>

#include "engine/cuda/driver.h"
#include "engine/cuda/nvml.h"
#include "sim/core/json_reader.h"

namespace tangram {

// Driver, MPS daemon, and of each GPU: name, uuid, compute capability, SMs, memory, clocks and
// power now, whether it counts DRAM use and SM occupancy (gpm.h), MIG instances, and the green
// contexts: smallest partition and step by the documentation, and for each range of minimum SM
// counts the number of equal groups that the driver would make of the device
// ("ignoring_coscheduling": with finer groups that cannot hold large clusters). Creates nothing.
// Throws RunnerError.
Json probe_gpus(const CudaDriver& driver,
                const std::optional<NvmlLibrary>& nvml,
                const std::string& mps_pipe);

}  // namespace tangram
