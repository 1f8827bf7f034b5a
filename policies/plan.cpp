// The vocabulary of plans: names of modes, the share of a partition, what a plan uses.
#include "policies/plan.h"

#include <algorithm>

namespace tangram {

const std::vector<std::string>& gpu_mode_names() {
  static const std::vector<std::string> names{"whole",       "mig",     "mps", "sm",
                                              "time_sliced", "streams", "cpu"};
  return names;
}

Share PlanPartition::share() const {
  if (size) return {ShareKind::kMig, static_cast<double>(*size)};
  if (share_pct) return {ShareKind::kPercent, *share_pct};
  if (sms) return {ShareKind::kSms, static_cast<double>(*sms)};
  return {};
}

std::uint32_t Plan::gpus_used() const {
  return static_cast<std::uint32_t>(std::count_if(gpus.begin(), gpus.end(), [](const PlanGpu& gpu) {
    return std::any_of(gpu.partitions.begin(), gpu.partitions.end(),
                       [](const PlanPartition& partition) { return !partition.replicas.empty(); });
  }));
}

std::uint32_t Plan::slices_used() const {
  int slices = 0;
  for (const PlanGpu& gpu : gpus) {
    for (const PlanPartition& partition : gpu.partitions) {
      if (!partition.replicas.empty()) slices += partition.size.value_or(0);
    }
  }
  return static_cast<std::uint32_t>(slices);
}

}  // namespace tangram
