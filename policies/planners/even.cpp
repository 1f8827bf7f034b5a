// Every GPU is split evenly among the workloads: the share-alike baseline.
#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "policies/placement.h"
#include "policies/planner.h"

namespace tangram {
namespace {

// Profiles know some shares only, so a workload runs on the largest known one within its part.
std::optional<Share> largest_known_share(const Profile& profile, ShareKind kind, double part) {
  std::optional<Share> best;
  for (const Profile::Setting& setting : profile.settings()) {
    const Share& share = setting.share;
    if (share.kind == kind && setting.processes == 1 && share.amount <= part &&
        usable_batch(profile, share, 1) > 0 && (!best || share.amount > best->amount)) {
      best = share;
    }
  }
  return best;
}

class Even final : public Planner {
 public:
  Plan plan(const PlanningProblem& problem) const override {
    Plan result;
    result.planner = "even";
    const std::string& mode = problem.params.choice("mode");
    const auto workloads = static_cast<std::uint32_t>(problem.workloads.size());
    const std::uint32_t per_gpu =
        std::min(workloads, static_cast<std::uint32_t>(problem.params.integer("max_per_gpu")));
    std::vector<std::string> why(workloads, "no GPU is left");
    std::vector<bool> served(workloads, false);
    std::uint32_t index = 0;
    std::uint64_t next = 0;  // workload, counted round and round
    for (const GpuGroup& group : problem.cluster.gpus) {
      const GpuType* type = find_gpu_type(group.type, problem.cluster.own_types);
      TANGRAM_CHECK(type != nullptr, "unknown GPU type ", group.type);
      for (std::uint32_t i = 0; i < group.count; ++i, ++index) {
        Tenants tenants(problem, *type, mode, per_gpu);
        for (std::uint32_t tenant = 0; tenant < per_gpu; ++tenant, ++next) {
          const auto w = static_cast<std::size_t>(next % workloads);
          if (auto reason = tenants.add(problem.workloads[w])) {
            why[w] = std::move(*reason);
          } else {
            served[w] = true;
          }
        }
        if (!tenants.partitions().empty()) {
          result.gpus.push_back({index, group.type, tenants.mode(), tenants.partitions()});
        }
      }
    }
    for (std::size_t w = 0; w < workloads; ++w) {
      if (served[w]) continue;
      const Workload& workload = problem.workloads[w];
      result.unserved.push_back({workload.name, mean_rate(workload.arrivals).value_or(0), why[w]});
    }
    return result;
  }

 private:
  // The partitions of one GPU, each 1/per_gpu of it.
  class Tenants {
   public:
    Tenants(const PlanningProblem& problem,
            const GpuType& type,
            const std::string& mode,
            std::uint32_t per_gpu)
        : profiles_(problem.profiles), type_(type), per_gpu_(per_gpu) {
      const std::vector<std::string>& names = gpu_mode_names();
      const auto found = std::find(names.begin(), names.end(), mode);
      mode_ = static_cast<GpuMode>(found - names.begin());
    }
    GpuMode mode() const { return mode_; }
    const std::vector<PlanPartition>& partitions() const { return partitions_; }

    // Gives the workload its part, or says why it cannot have one.
    std::optional<std::string> add(const Workload& workload) {
      const Profile* profile = profiles_.find(workload.model, type_.name);
      if (profile == nullptr)
        return fmt::format("no profile of {} on {}", workload.model, type_.name);
      const std::optional<Share> share = share_for(*profile);
      if (!share) {
        return fmt::format("the profile of {} on {} knows no share of at most 1/{} of the GPU",
                           workload.model, type_.name, per_gpu_);
      }
      if (auto why = why_not_run(profiles_, workload.model, type_, *share)) return why;
      const double memory = memory_mib(*profile, 1, 1).value_or(0);
      const std::optional<double> there = memory_of_mib(type_, *share);
      if (there && memory_ + memory > *there) {
        return fmt::format("{} needs {:.0f} MiB, {} has {:.0f} MiB left", workload.model, memory,
                           type_.name, *there - memory_);
      }
      memory_ += memory;
      PlanPartition partition;
      if (share->kind == ShareKind::kPercent) partition.share_pct = share->amount;
      if (share->kind == ShareKind::kSms) partition.sms = static_cast<int>(share->amount);
      PlanReplica replica;
      replica.workload = workload.name;
      replica.model = workload.model;
      partition.replicas.push_back(std::move(replica));
      partitions_.push_back(std::move(partition));
      return std::nullopt;
    }

   private:
    std::optional<Share> share_for(const Profile& profile) const {
      if (mode_ == GpuMode::kTimeSliced) return Share{};
      if (mode_ == GpuMode::kSm) {
        return largest_known_share(profile, ShareKind::kSms,
                                   type_.sms / static_cast<int>(per_gpu_));
      }
      const Share part{ShareKind::kPercent, 100.0 / per_gpu_};
      if (usable_batch(profile, part, 1) > 0) return part;
      return largest_known_share(profile, ShareKind::kPercent, part.amount);
    }

    const ProfileSet& profiles_;
    const GpuType& type_;
    std::uint32_t per_gpu_;
    GpuMode mode_ = GpuMode::kMps;
    double memory_ = 0;
    std::vector<PlanPartition> partitions_;
  };
};

}  // namespace

PlannerEntry even_planner() {
  return {
      {"even",
       "every GPU is split evenly among the workloads, at most max_per_gpu of them, round robin",
       "a baseline without sizing; a part is rounded down to the largest share that the profile "
       "knows",
       {choice_param("mode", "mps", {"mps", "sm", "time_sliced"}, "how a GPU is shared"),
        integer_param("max_per_gpu", 8, 1, 48, "workloads on one GPU; MPS allows 48 clients")}},
      []() -> std::unique_ptr<Planner> { return std::make_unique<Even>(); }};
}

}  // namespace tangram
