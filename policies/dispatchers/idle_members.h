// The idle executors of each executor class, for policies that hand batches out class by class.
#pragma once

#include <cstdint>
#include <vector>

#include "policies/dispatcher.h"

namespace tangram {

// Knows which executors of each class are idle.
class IdleMembers {
 public:
  // Takes all executors as they are now. Requires: called once.
  void start(const View& view) {
    members_.resize(view.deployment().classes.size());
    for (std::uint32_t e = 0; e < view.executors(); ++e) {
      std::vector<ExecutorId>& members = members_[view.info(ExecutorId(e)).cls.index()];
      member_.push_back(members.size());
      members.emplace_back(e);
    }
    for (const std::vector<ExecutorId>& members : members_) idle_.emplace_back(members.size());
    for (std::uint32_t e = 0; e < view.executors(); ++e) note(view, ExecutorId(e));
  }
  // To be called for an executor whose state has changed.
  void note(const View& view, ExecutorId e) {
    BitSet& idle = idle_[view.info(e).cls.index()];
    if (view.is_idle(e)) {
      idle.set(member_[e.index()]);
    } else {
      idle.clear(member_[e.index()]);
    }
  }

  std::uint32_t classes() const { return static_cast<std::uint32_t>(members_.size()); }
  // The first of the class, and the first after `e`; none: there is no other.
  MaybeId<ExecutorId> first(std::uint32_t cls) const { return at(cls, idle_[cls].first()); }
  MaybeId<ExecutorId> next(std::uint32_t cls, ExecutorId e) const {
    return at(cls, idle_[cls].from(member_[e.index()] + 1));
  }

 private:
  MaybeId<ExecutorId> at(std::uint32_t cls, std::size_t member) const {
    if (member == BitSet::kNone) return {};
    return members_[cls][member];
  }

  std::vector<std::vector<ExecutorId>> members_;  // by class
  std::vector<std::size_t> member_;               // by executor: index in members_
  std::vector<BitSet> idle_;                      // by class, of members_
};

}  // namespace tangram
