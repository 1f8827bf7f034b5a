// Lists the legal cuts by trying every multiset of sizes.
#include "policies/planners/detail/mig_cuts.h"

#include <algorithm>
#include <map>
#include <utility>

#include "policies/plan_io.h"
#include "sim/core/check.h"

namespace tangram::detail {
namespace {

bool is_legal(const GpuType& type, const std::vector<int>& sizes, const std::vector<int>& counts) {
  std::vector<PlanPartition> partitions;
  for (std::size_t s = 0; s < sizes.size(); ++s) {
    for (int i = 0; i < counts[s]; ++i) partitions.emplace_back().size = sizes[s];
  }
  return place_mig_partitions(type, partitions);
}

// Every multiset that is legal and comes from `counts` by adding sizes from `size` on.
void list_cuts(const GpuType& type,
               const std::vector<int>& sizes,
               std::size_t size,
               std::vector<int>& counts,
               int used,
               std::vector<MigCuts::Cut>& cuts) {
  if (size == sizes.size()) {
    cuts.push_back({counts, used, 0});
    return;
  }
  const int before = counts[size];
  while (used <= type.mig_slices && is_legal(type, sizes, counts)) {
    list_cuts(type, sizes, size + 1, counts, used, cuts);
    ++counts[size];
    used += sizes[size];
  }
  counts[size] = before;
}

}  // namespace

MigCuts::MigCuts(const GpuType& type) : slices_(type.mig_slices) {
  TANGRAM_CHECK(type.mig_slices > 0, type.name, " has no MIG");
  for (const MigSize& size : type.mig_sizes) sizes_.push_back(size.slices);
  std::sort(sizes_.begin(), sizes_.end());
  std::vector<int> counts(sizes_.size(), 0);
  list_cuts(type, sizes_, 0, counts, 0, cuts_);
  std::stable_sort(cuts_.begin(), cuts_.end(),
                   [](const Cut& a, const Cut& b) { return a.used > b.used; });
  std::map<std::vector<int>, std::size_t> index;
  for (std::size_t c = 0; c < cuts_.size(); ++c) index.emplace(cuts_[c].counts, c);
  with_.assign(cuts_.size(), std::vector<std::optional<std::size_t>>(sizes_.size()));
  without_ = with_;
  // Larger cuts come first, so the room of what a cut can become is known when it is needed.
  for (std::size_t c = 0; c < cuts_.size(); ++c) {
    for (std::size_t s = 0; s < sizes_.size(); ++s) {
      std::vector<int> more = cuts_[c].counts;
      ++more[s];
      const auto found = index.find(more);
      if (found == index.end()) continue;
      with_[c][s] = found->second;
      without_[found->second][s] = c;
      cuts_[c].room = std::max(cuts_[c].room, sizes_[s] + cuts_[found->second].room);
    }
  }
}

std::size_t MigCuts::of(const MigGpu& gpu) const {
  std::size_t cut = empty();
  for (const MigSegment& segment : gpu) {
    const auto size = std::lower_bound(sizes_.begin(), sizes_.end(), segment.size);
    const auto next = with_[cut][static_cast<std::size_t>(size - sizes_.begin())];
    TANGRAM_CHECK(next.has_value(), "these instances do not fit on one GPU");
    cut = *next;
  }
  return cut;
}

std::vector<std::vector<int>> MigCuts::maximal() const {
  std::vector<std::vector<int>> result;
  for (const Cut& cut : cuts_) {
    if (cut.room == 0) result.push_back(cut.counts);
  }
  return result;
}

}  // namespace tangram::detail
