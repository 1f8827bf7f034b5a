#include "policies/slo_split.h"

#include "policies/placement.h"

namespace tangram {

const Profile& profile_for_split(const SloSplitProblem& problem, const std::string& model) {
  const Profile* found = nullptr;
  for (const GpuGroup& group : problem.cluster.gpus) {
    if (found == nullptr) found = problem.profiles.find(model, group.type);
  }
  TANGRAM_CHECK(found != nullptr, "no profile of ", model, " on any GPU type of the cluster");
  return *found;
}

SplitShare share_for_split(const Profile& profile) {
  if (const std::uint32_t batch = usable_batch(profile, Share{}, 1); batch > 0)
    return {{}, 1, batch};
  // Settings ascend by share and then processes: the last share, with its fewest processes.
  SplitShare best;
  bool found = false;
  for (const Profile::Setting& setting : profile.settings()) {
    const std::uint32_t batch = usable_batch(profile, setting.share, setting.processes);
    if (batch == 0 || (found && setting.share == best.share)) continue;
    best = {setting.share, setting.processes, batch};
    found = true;
  }
  TANGRAM_CHECK(found, "a profile without a latency of batch 1: ", profile.model);
  return best;
}

}  // namespace tangram
