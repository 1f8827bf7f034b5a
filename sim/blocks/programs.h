// Kernel lists of profiles made ready for a device: what the policy sees and what the device runs.
#pragma once

#include <string>

#include "profiles/profile.h"
#include "sim/blocks/stage_server.h"
#include "sim/core/error.h"
#include "sim/scenario/block_spec.h"

namespace tangram {

// Copies in, kernels of batch 1, copies out. `whole_sms`: of the GPU that the profile was made on,
// of which the target may be a part. Throws ConfigError when the profile has no kernels for batch
// 1, or one whose block does not fit an SM.
StageProgram make_program(const Profile& profile,
                          const std::string& workload,
                          Duration slo,
                          const StageTarget& target,
                          std::uint32_t whole_sms,
                          const BlockSpec& spec);

}  // namespace tangram
