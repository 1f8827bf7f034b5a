// The ways in which MIG may cut one GPU, by what the instances are, not where they lie.
#pragma once

#include <cstddef>
#include <optional>
#include <vector>

#include "policies/planners/detail/mig_services.h"
#include "profiles/gpu_type.h"

namespace tangram::detail {

class MigCuts {
 public:
  struct Cut {
    std::vector<int> counts;  // instances by size, in the order of sizes()
    int used = 0;             // slices
    int room = 0;             // the most slices that can still be added; 3+3 of 7 leaves none
    int stranded(int slices) const { return slices - used - room; }
  };

  // Requires: the type has MIG.
  explicit MigCuts(const GpuType& type);

  int slices() const { return slices_; }
  const std::vector<int>& sizes() const { return sizes_; }  // ascending
  // All legal cuts, by slices in use, most first; the last is the empty one.
  const std::vector<Cut>& cuts() const { return cuts_; }
  std::size_t empty() const { return cuts_.size() - 1; }
  // Requires: the instances are a legal cut.
  std::size_t of(const MigGpu& gpu) const;
  // The cut with one more, or one less, instance of sizes()[size]; nullopt where that is not legal.
  std::optional<std::size_t> with(std::size_t cut, std::size_t size) const {
    return with_[cut][size];
  }
  std::optional<std::size_t> without(std::size_t cut, std::size_t size) const {
    return without_[cut][size];
  }
  // Cuts to which nothing can be added: 12 on an A100.
  std::vector<std::vector<int>> maximal() const;

 private:
  int slices_ = 0;
  std::vector<int> sizes_;
  std::vector<Cut> cuts_;
  std::vector<std::vector<std::optional<std::size_t>>> with_, without_;  // [cut][size]
};

}  // namespace tangram::detail
