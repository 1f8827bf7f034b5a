// What fits where, and the search for legal MIG starts.
#include "policies/placement.h"

#include <algorithm>
#include <vector>

#include <fmt/format.h>

#include "policies/plan_io.h"

namespace tangram {
namespace {

constexpr double kMibPerGib = 1024;

// Tries every legal start of every partition, its own first, and keeps the placement that moves the
// fewest. At most 7 partitions with 7 starts each: exhaustive search with a bound is immediate.
class StartSearch {
 public:
  StartSearch(const GpuType& type, const std::vector<PlanPartition>& partitions) {
    int compute = 0;
    for (const PlanPartition& partition : partitions) {
      const MigSize* size = partition.size ? find_mig_size(type, *partition.size) : nullptr;
      if (size == nullptr) return;
      compute += size->slices;
      sizes_.push_back(size);
      const bool legal = partition.start && is_legal(*size, *partition.start);
      given_.push_back(legal ? *partition.start : kNoStart);
      givens_ += legal ? 1 : 0;
    }
    if (compute > type.mig_slices) return;
    current_.resize(sizes_.size());
    place(0, 0, 0, givens_);
  }
  bool found() const { return best_kept_ >= 0; }
  int start(std::size_t i) const { return best_[i]; }

 private:
  static constexpr int kNoStart = -1;
  static bool is_legal(const MigSize& size, int start) {
    return std::find(size.starts.begin(), size.starts.end(), start) != size.starts.end();
  }
  void place(std::size_t i, std::uint32_t occupied, int kept, int givens_left) {
    if (kept + givens_left <= best_kept_) return;  // cannot keep more starts than the best so far
    if (i == sizes_.size()) {
      best_kept_ = kept;
      best_ = current_;
      return;
    }
    const int given = given_[i];
    const int left = givens_left - (given == kNoStart ? 0 : 1);
    if (given != kNoStart) try_start(i, given, occupied, kept + 1, left);
    for (const int start : sizes_[i]->starts) {
      if (start != given) try_start(i, start, occupied, kept, left);
    }
  }
  void try_start(std::size_t i, int start, std::uint32_t occupied, int kept, int givens_left) {
    const std::uint32_t slots = ((1U << sizes_[i]->memory_slices) - 1) << start;
    if ((occupied & slots) != 0) return;
    current_[i] = start;
    place(i + 1, occupied | slots, kept, givens_left);
  }

  std::vector<const MigSize*> sizes_;
  std::vector<int> given_;
  int givens_ = 0;
  std::vector<int> current_;
  std::vector<int> best_;
  int best_kept_ = -1;
};

}  // namespace

std::uint32_t profiled_processes(GpuMode mode, std::uint32_t processes) {
  switch (mode) {
    case GpuMode::kMig:
    case GpuMode::kSm:
    case GpuMode::kCpu:
      return processes;
    case GpuMode::kWhole:
    case GpuMode::kMps:
    case GpuMode::kStreams:
    case GpuMode::kTimeSliced:
      return 1;
  }
  return 1;
}

std::uint32_t usable_batch(const Profile& profile, const Share& share, std::uint32_t processes) {
  const std::uint32_t largest = profile.max_batch(share, processes);
  std::uint32_t batch = 0;
  while (batch < largest && profile.latency_ms(share, processes, batch + 1)) ++batch;
  return batch;
}

std::optional<double> memory_mib(const Profile& profile,
                                 std::uint32_t processes,
                                 std::uint32_t batch) {
  if (!profile.memory_mib) return std::nullopt;
  return processes * (*profile.memory_mib + profile.memory_per_item_mib.value_or(0) * batch);
}

std::optional<double> memory_of_mib(const GpuType& type, const Share& share) {
  if (share.kind == ShareKind::kMig) {
    const MigSize* size = find_mig_size(type, static_cast<int>(share.amount));
    if (size != nullptr) return size->memory_gib * kMibPerGib;
  }
  if (!type.memory_gib) return std::nullopt;
  return *type.memory_gib * kMibPerGib;
}

std::string mig_size_names(const GpuType& type) {
  std::string names;
  for (const MigSize& size : type.mig_sizes) {
    names += fmt::format("{}{}", names.empty() ? "" : ", ", size.slices);
  }
  return names;
}

std::optional<std::string> why_not_run(const ProfileSet& profiles,
                                       const std::string& model,
                                       const GpuType& type,
                                       const Share& share) {
  const Profile* profile = profiles.find(model, type.name);
  if (profile == nullptr) return fmt::format("no profile of {} on {}", model, type.name);
  std::string why;
  if (!profile->latency_ms(share, 1, 1, &why)) return why;
  const std::optional<double> needed = memory_mib(*profile, 1, 1);
  const std::optional<double> there = memory_of_mib(type, share);
  if (needed && there && *needed > *there) {
    return fmt::format("{} needs {:.0f} MiB, {} has {:.0f} MiB", model, *needed, type.name, *there);
  }
  return std::nullopt;
}

bool place_mig_partitions(const GpuType& type, std::vector<PlanPartition>& partitions) {
  const StartSearch search(type, partitions);
  if (!search.found()) return false;
  for (std::size_t i = 0; i < partitions.size(); ++i) partitions[i].start = search.start(i);
  return true;
}

}  // namespace tangram
