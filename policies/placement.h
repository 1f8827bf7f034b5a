// Whether a model can run on a part of a GPU: what its profile knows there, and memory. Planners,
// the check of plans and the deployment ask the same functions, so that they agree.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "policies/plan.h"
#include "profiles/gpu_type.h"
#include "profiles/profile.h"

namespace tangram {

// The number of processes at which a profile is looked up for a replica of `processes` processes on
// a GPU of this mode. On a part of the hardware (MIG instance, SMs, cores) the profile measured
// them side by side: all of them. Where processes are clients of the whole GPU's scheduler (whole,
// MPS, streams, time slicing): one, because the device model, or the device, shares the GPU among
// them.
std::uint32_t profiled_processes(GpuMode mode, std::uint32_t processes);

// The largest b such that the latency of every batch 1 .. b is known; 0 when that of batch 1 is
// not. A dispatcher may then run any batch up to it, whatever the profile's interpolation.
std::uint32_t usable_batch(const Profile& profile, const Share& share, std::uint32_t processes);

// Device memory of `processes` processes that run a batch each, in MiB; nullopt when the profile
// does not say.
std::optional<double> memory_mib(const Profile& profile,
                                 std::uint32_t processes,
                                 std::uint32_t batch);

// The memory that a share of a GPU may use, in MiB: a MIG instance has its own, every other share
// the whole GPU's. nullopt: unlimited or unknown.
std::optional<double> memory_of_mib(const GpuType& type, const Share& share);

// The sizes that MIG has on this type, for messages: "1, 2, 3, 4, 7".
std::string mig_size_names(const GpuType& type);

// Says why one process of a model cannot run there with batch 1, or nullopt when it can.
std::optional<std::string> why_not_run(const ProfileSet& profiles,
                                       const std::string& model,
                                       const GpuType& type,
                                       const Share& share);

}  // namespace tangram
