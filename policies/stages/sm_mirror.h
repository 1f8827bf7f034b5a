// What a server believes is free on every SM: it places what it launches as the hardware would, and
// takes back what it is told has ended.
#pragma once

#include <algorithm>
#include <cstdint>
#include <utility>
#include <vector>

#include "policies/stage_dispatcher.h"

namespace tangram {

class SmMirror {
 public:
  // Blocks of one launch, by SM.
  using Blocks = std::vector<std::uint32_t>;

  SmMirror() = default;
  explicit SmMirror(const StageTarget& target)
      : free_(target.sms,
              Free{target.sm.threads / kThreadsPerWarp, target.sm.registers / kRegisterUnit,
                   target.sm.shared_bytes / kSharedUnit, target.sm.blocks}) {}

  // How many more such blocks the whole device holds.
  std::uint32_t room(const BlockNeed& need) const {
    std::uint32_t sum = 0;
    for (const Free& sm : free_) sum += room_on(sm, need);
    return sum;
  }
  // Places up to n blocks, each where most further ones would fit, ties to the lower SM.
  Blocks place(const BlockNeed& need, std::uint32_t n) {
    Blocks blocks(free_.size());
    std::vector<std::uint32_t> room(free_.size());
    for (std::size_t s = 0; s < free_.size(); ++s) room[s] = room_on(free_[s], need);
    for (; n > 0; --n) {
      const auto top = std::max_element(room.begin(), room.end());
      if (*top == 0) break;
      --*top;
      ++blocks[static_cast<std::size_t>(top - room.begin())];
    }
    for (std::size_t s = 0; s < free_.size(); ++s) add(free_[s], need, blocks[s], -1);
    return blocks;
  }
  // Gives back up to n of a launch's blocks, from the lowest SM on.
  void release(const BlockNeed& need, std::uint32_t n, Blocks& blocks) {
    for (std::size_t s = 0; s < blocks.size() && n > 0; ++s) {
      const std::uint32_t count = std::min(n, blocks[s]);
      add(free_[s], need, count, 1);
      blocks[s] -= count;
      n -= count;
    }
  }

 private:
  struct Free {
    std::uint32_t warps = 0, registers = 0, shared = 0, slots = 0;
  };
  static std::uint32_t room_on(const Free& sm, const BlockNeed& need) {
    std::uint32_t most = std::min(sm.slots, sm.warps / need.warps);
    if (need.registers > 0) most = std::min(most, sm.registers / need.registers);
    if (need.shared > 0) most = std::min(most, sm.shared / need.shared);
    return most;
  }
  static void add(Free& sm, const BlockNeed& need, std::uint32_t count, int sign) {
    const auto change = [&](std::uint32_t& value, std::uint32_t each) {
      value = sign > 0 ? value + count * each : value - count * each;
    };
    change(sm.warps, need.warps);
    change(sm.registers, need.registers);
    change(sm.shared, need.shared);
    change(sm.slots, 1);
  }
  std::vector<Free> free_;
};

}  // namespace tangram
