// What every plan must satisfy before anything runs it. A replica "*" is checked once per kind of
// partition, so that a plan of ten thousand equal GPUs costs no more than its partitions.
#include <algorithm>
#include <map>
#include <set>
#include <tuple>
#include <unordered_map>
#include <utility>

#include <fmt/format.h>

#include "policies/placement.h"
#include "policies/plan_io.h"

namespace tangram {
namespace {

// Shares of 100/3 % and the like add up to a little more than 100.
constexpr double kShareSlack = 1e-6;

// What a replica needs where it runs: faults in words, and memory.
struct Need {
  std::string why_not;  // "" when the profile covers it
  std::optional<double> memory_mib;
};

class Checker {
 public:
  Checker(const std::vector<Workload>& workloads,
          const ProfileSet& profiles,
          const Cluster& cluster,
          const std::string& where,
          Faults& faults)
      : workloads_(workloads),
        profiles_(profiles),
        cluster_(cluster),
        where_(where),
        faults_(faults) {
    for (std::size_t w = 0; w < workloads.size(); ++w) index_.emplace(workloads[w].name, w);
    served_.assign(workloads.size(), false);
  }

  std::vector<std::string> check(const Plan& plan) {
    std::map<std::string, std::uint32_t> counts;
    for (std::size_t g = 0; g < plan.gpus.size(); ++g) {
      const PlanGpu& gpu = plan.gpus[g];
      const std::string place = fmt::format("/gpus/{}", g);
      if (g > 0 && gpu.index <= plan.gpus[g - 1].index) {
        fault(place + "/index", fmt::format("GPU {} comes after GPU {}; indices must ascend",
                                            gpu.index, plan.gpus[g - 1].index));
      }
      check_type(gpu, ++counts[gpu.type], place);
      if (const GpuType* type = find_gpu_type(gpu.type, cluster_.own_types)) {
        check_cut(gpu, *type, place);
        check_load(gpu, *type, place);
      }
    }
    check_served(plan);
    return notes();
  }

 private:
  void fault(const std::string& pointer, std::string what) {
    faults_.add(where_ + pointer, std::move(what));
  }
  void check_type(const PlanGpu& gpu, std::uint32_t count, const std::string& place);
  void check_cut(const PlanGpu& gpu, const GpuType& type, const std::string& place);
  void check_kind(const PlanGpu& gpu, const PlanPartition& partition, const std::string& place);
  void check_mig(const PlanGpu& gpu, const GpuType& type, const std::string& place);
  void check_load(const PlanGpu& gpu, const GpuType& type, const std::string& place);
  double check_partition(const PlanPartition& partition,
                         GpuMode mode,
                         const GpuType& type,
                         const std::string& place);
  bool check_name(const PlanReplica& replica, const std::string& place);
  const std::vector<Need>& needs_of(const PlanReplica& replica,
                                    GpuMode mode,
                                    const GpuType& type,
                                    const Share& share);
  Need need_of(const std::string& model,
               const PlanReplica& replica,
               std::uint32_t profiled,
               const GpuType& type,
               const Share& share);
  void check_served(const Plan& plan);
  std::vector<std::string> notes() const;

  // Model, GPU type, share, processes, those that the profile is looked up at, planned batch.
  using Kind =
      std::tuple<std::string, std::string, Share, std::uint32_t, std::uint32_t, std::uint32_t>;

  const std::vector<Workload>& workloads_;
  const ProfileSet& profiles_;
  const Cluster& cluster_;
  const std::string& where_;
  Faults& faults_;
  std::unordered_map<std::string, std::size_t> index_;
  std::vector<bool> served_;
  bool all_served_ = false;
  std::map<Kind, std::vector<Need>> needs_;  // several for the model "*"
  std::set<std::string> without_memory_;
  std::set<std::string> cut_batches_;  // in words
};

void Checker::check_type(const PlanGpu& gpu, std::uint32_t count, const std::string& place) {
  std::uint32_t there = 0;
  std::vector<std::string> types;
  for (const GpuGroup& group : cluster_.gpus) {
    if (group.type == gpu.type) there += group.count;
    if (std::find(types.begin(), types.end(), group.type) == types.end())
      types.push_back(group.type);
  }
  if (there == 0) {
    fault(place + "/type", unknown_name("GPU type of the cluster", gpu.type, types));
  } else if (count == there + 1) {
    fault(place + "/type",
          fmt::format("the plan has more GPUs of type {} than the cluster's {}", gpu.type, there));
  }
}

// The partitions' kinds fit the mode and are no more than the GPU has.
void Checker::check_cut(const PlanGpu& gpu, const GpuType& type, const std::string& place) {
  double percent = 0;
  int sms = 0;
  for (std::size_t p = 0; p < gpu.partitions.size(); ++p) {
    const PlanPartition& partition = gpu.partitions[p];
    check_kind(gpu, partition, fmt::format("{}/partitions/{}", place, p));
    percent += partition.share_pct.value_or(0);
    sms += partition.sms.value_or(0);
  }
  if (gpu.mode == GpuMode::kWhole && gpu.partitions.size() > 1) {
    fault(place + "/partitions",
          fmt::format("a whole GPU has one partition, not {}", gpu.partitions.size()));
  }
  if (gpu.mode == GpuMode::kMps && percent > 100 + kShareSlack) {
    fault(place + "/partitions",
          fmt::format("the shares add up to {:.6g} %; at most 100 %", percent));
  }
  if (type.sms > 0 && sms > type.sms) {
    fault(place + "/partitions",
          fmt::format("the partitions have {} SMs; {} has {}", sms, type.name, type.sms));
  }
  if (gpu.mode == GpuMode::kMig) check_mig(gpu, type, place);
}

void Checker::check_kind(const PlanGpu& gpu,
                         const PlanPartition& partition,
                         const std::string& place) {
  const std::string& mode = gpu_mode_names()[static_cast<std::size_t>(gpu.mode)];
  const bool percent_allowed = gpu.mode == GpuMode::kMps || gpu.mode == GpuMode::kCpu;
  const bool sms_allowed = gpu.mode == GpuMode::kSm || gpu.mode == GpuMode::kCpu;
  const auto foreign = [&](bool has, bool allowed, const char* key) {
    if (has && !allowed) {
      fault(place + '/' + key,
            fmt::format("a GPU in mode {} has no partitions with {}", mode, key));
    }
  };
  foreign(partition.size.has_value(), gpu.mode == GpuMode::kMig, "size");
  foreign(partition.start.has_value(), gpu.mode == GpuMode::kMig, "start");
  foreign(partition.share_pct.has_value(), percent_allowed, "share_pct");
  foreign(partition.sms.has_value(), sms_allowed, "sms");
  if (partition.released_share_pct && partition.share_pct != 100) {
    fault(place + "/released_share_pct", "needs a share_pct of 100, which it would be above");
  }
  if (partition.share_pct && partition.sms && percent_allowed && sms_allowed) {
    fault(place, "has both share_pct and sms; give one");
  }
  if (gpu.mode == GpuMode::kSm && !partition.sms) fault(place, "the key \"sms\" is missing");
  if (gpu.mode == GpuMode::kMig) {
    if (!partition.size) fault(place, "the key \"size\" is missing");
    if (!partition.start) fault(place, "the key \"start\" is missing");
  }
}

void Checker::check_mig(const PlanGpu& gpu, const GpuType& type, const std::string& place) {
  if (type.mig_slices == 0) {
    fault(place + "/mode", type.name + " has no MIG");
    return;
  }
  int slices = 0;
  std::vector<int> owner(32, -1);  // the partition that holds a slot
  for (std::size_t p = 0; p < gpu.partitions.size(); ++p) {
    const PlanPartition& partition = gpu.partitions[p];
    const std::string here = fmt::format("{}/partitions/{}", place, p);
    if (!partition.size || !partition.start) continue;
    const MigSize* size = find_mig_size(type, *partition.size);
    if (size == nullptr) {
      fault(here + "/size", fmt::format("{} has no MIG instance of {} slices; known: {}", type.name,
                                        *partition.size, mig_size_names(type)));
      continue;
    }
    slices += size->slices;
    if (std::find(size->starts.begin(), size->starts.end(), *partition.start) ==
        size->starts.end()) {
      std::string known;
      for (const int start : size->starts) {
        known += fmt::format("{}{}", known.empty() ? "" : ", ", start);
      }
      fault(here + "/start",
            fmt::format("an instance of {} slices cannot start at slot {}; legal: {}",
                        *partition.size, *partition.start, known));
      continue;
    }
    int overlaps = -1;
    for (int slot = 0; slot < size->memory_slices; ++slot) {
      int& held = owner[static_cast<std::size_t>(*partition.start + slot)];
      if (held >= 0 && overlaps < 0) overlaps = held;
      held = static_cast<int>(p);
    }
    if (overlaps >= 0) {
      fault(here + "/start", fmt::format("overlaps partition {} of this GPU", overlaps));
    }
  }
  if (slices > type.mig_slices) {
    fault(place + "/partitions", fmt::format("the instances have {} slices; {} has {}", slices,
                                             type.name, type.mig_slices));
  }
}

// Names, profiles, and memory: a MIG instance has its own, other partitions share the GPU's.
void Checker::check_load(const PlanGpu& gpu, const GpuType& type, const std::string& place) {
  double shared_mib = 0;
  for (std::size_t p = 0; p < gpu.partitions.size(); ++p) {
    const PlanPartition& partition = gpu.partitions[p];
    const std::string here = fmt::format("{}/partitions/{}", place, p);
    const double needed = check_partition(partition, gpu.mode, type, here);
    if (gpu.mode != GpuMode::kMig) {
      shared_mib += needed;
      continue;
    }
    const std::optional<double> there = memory_of_mib(type, partition.share());
    if (there && needed > *there) {
      fault(here, fmt::format("needs {:.0f} MiB; an instance of {} slices has {:.0f} MiB", needed,
                              partition.size.value_or(0), *there));
    }
  }
  const std::optional<double> there = memory_of_mib(type, Share{});
  if (there && shared_mib > *there) {
    fault(place, fmt::format("needs {:.0f} MiB; {} has {:.0f} MiB", shared_mib, type.name, *there));
  }
}

// Returns the memory of the partition's processes. Members of a group run one at a time, so a group
// needs what its largest member needs (bringing the others' weights back is not charged here).
double Checker::check_partition(const PlanPartition& partition,
                                GpuMode mode,
                                const GpuType& type,
                                const std::string& place) {
  struct Group {
    std::uint32_t processes;
    double memory_mib = 0;
    std::set<std::string> members;
  };
  std::map<std::uint32_t, Group> groups;
  for (std::size_t r = 0; r < partition.replicas.size(); ++r) {
    const PlanReplica& replica = partition.replicas[r];
    const std::string here = fmt::format("{}/replicas/{}", place, r);
    Group& group = groups.try_emplace(replica.group, Group{replica.processes, 0, {}}).first->second;
    if (replica.processes != group.processes) {
      fault(here + "/processes", fmt::format("must be {}, as for the others of group {}",
                                             group.processes, replica.group));
    }
    const bool again = !group.members.insert(replica.workload).second;
    if (again || (group.members.size() > 1 && group.members.contains("*"))) {
      fault(here + "/workload",
            fmt::format("group {} serves \"{}\" already", replica.group, replica.workload));
    }
    if (!check_name(replica, here)) continue;
    for (const Need& need : needs_of(replica, mode, type, partition.share())) {
      if (!need.why_not.empty()) fault(here, need.why_not);
      group.memory_mib = std::max(group.memory_mib, need.memory_mib.value_or(0));
    }
  }
  double total = 0;
  for (const auto& [id, group] : groups) total += group.memory_mib;
  return total;
}

bool Checker::check_name(const PlanReplica& replica, const std::string& place) {
  if (replica.workload == "*") {
    all_served_ = true;
    if (replica.model == "*") return true;
    fault(place + "/model", "must be \"*\", as the workload");
    return false;
  }
  const auto found = index_.find(replica.workload);
  if (found == index_.end()) {
    std::vector<std::string> known;
    for (const Workload& workload : workloads_) known.push_back(workload.name);
    fault(place + "/workload", unknown_name("workload", replica.workload, known));
    return false;
  }
  served_[found->second] = true;
  const std::string& model = workloads_[found->second].model;
  if (replica.model == model) return true;
  fault(place + "/model", fmt::format("the workload \"{}\" runs the model {}, not {}",
                                      replica.workload, model, replica.model));
  return false;
}

const std::vector<Need>& Checker::needs_of(const PlanReplica& replica,
                                           GpuMode mode,
                                           const GpuType& type,
                                           const Share& share) {
  const std::uint32_t profiled = profiled_processes(mode, replica.processes);
  const Kind kind(replica.model, type.name, share, replica.processes, profiled,
                  replica.batch.value_or(0));
  const auto known = needs_.find(kind);
  if (known != needs_.end()) return known->second;
  std::set<std::string> models{replica.model};
  if (replica.model == "*") {
    models.clear();
    for (const Workload& workload : workloads_) models.insert(workload.model);
  }
  std::vector<Need> needs;
  for (const std::string& model : models)
    needs.push_back(need_of(model, replica, profiled, type, share));
  return needs_.emplace(kind, std::move(needs)).first->second;
}

Need Checker::need_of(const std::string& model,
                      const PlanReplica& replica,
                      std::uint32_t profiled,
                      const GpuType& type,
                      const Share& share) {
  const Profile* profile = profiles_.find(model, type.name);
  if (profile == nullptr) return {fmt::format("no profile of {} on {}", model, type.name), {}};
  Need need;
  const std::uint32_t usable = usable_batch(*profile, share, profiled);
  if (usable == 0) {
    profile->latency_ms(share, profiled, 1, &need.why_not);
    if (profile->max_batch(share, profiled) > 0) need.why_not += "; declare an interpolation";
  } else if (replica.batch && *replica.batch > usable &&
             profile->interpolation == Interpolation::kIgniter) {
    // The formula has no end of its own, and iGniter plans beyond what was profiled.
    cut_batches_.insert(
        fmt::format("{}: the planned batch is {}; at most {} is run, the largest "
                    "that its profile knows",
                    model, *replica.batch, usable));
  } else if (replica.batch && *replica.batch > usable) {
    profile->latency_ms(share, profiled, usable + 1, &need.why_not);
    need.why_not = fmt::format("the planned batch is {}, and batches up to {} can be run: {}",
                               *replica.batch, usable, need.why_not);
  }
  need.memory_mib = memory_mib(*profile, replica.processes, replica.batch.value_or(1));
  if (!need.memory_mib && type.memory_gib) without_memory_.insert(model);
  return need;
}

void Checker::check_served(const Plan& plan) {
  std::set<std::string> unserved;
  for (std::size_t u = 0; u < plan.unserved.size(); ++u) {
    const std::string& name = plan.unserved[u].workload;
    const std::string place = fmt::format("/unserved/{}/workload", u);
    if (!index_.contains(name)) {
      std::vector<std::string> known;
      for (const Workload& workload : workloads_) known.push_back(workload.name);
      fault(place, unknown_name("workload", name, known));
    } else if (!unserved.insert(name).second) {
      fault(place, fmt::format("\"{}\" is listed twice", name));
    }
  }
  if (all_served_) return;
  for (std::size_t w = 0; w < workloads_.size(); ++w) {
    if (served_[w] || unserved.contains(workloads_[w].name)) continue;
    fault("/unserved", fmt::format("the workload \"{}\" is neither served nor listed as unserved",
                                   workloads_[w].name));
  }
}

std::vector<std::string> Checker::notes() const {
  std::vector<std::string> notes(cut_batches_.begin(), cut_batches_.end());
  if (without_memory_.empty()) return notes;
  std::string models;
  for (const std::string& model : without_memory_) models += (models.empty() ? "" : ", ") + model;
  notes.push_back("memory is not checked for models whose profiles do not state it: " + models);
  return notes;
}

}  // namespace

std::vector<std::string> check_plan(const Plan& plan,
                                    const std::vector<Workload>& workloads,
                                    const ProfileSet& profiles,
                                    const Cluster& cluster,
                                    const std::string& where,
                                    Faults& faults) {
  return Checker(workloads, profiles, cluster, where, faults).check(plan);
}

}  // namespace tangram
