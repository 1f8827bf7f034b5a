// A tournament tree over slots: each slot holds at most one key, and the smallest key is at the
// root. Setting, moving and clearing a key cost the same: one walk from leaf to root without an
// unpredictable branch. This is what makes re-timing (interference, cancelled timers) cheap.
// Policies use it to rank queues and executors: argmin over ids, O(log n), re-keyed in place.
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "sim/core/int128.h"
#include "sim/core/time.h"

namespace tangram {

// A key is (primary: 64 bits, secondary: 40 bits); equal keys go to the smaller slot. Slots are
// 0 .. capacity()-1 (but see split), at most 2^24 of them. A slot without a key ranks after every
// key.
class SlotTree {
 public:
  static constexpr std::size_t kMostSlots = std::size_t{1} << 24;
  static constexpr UInt128 kEmpty = ~UInt128{0};

  SlotTree() : SlotTree(0) {}
  explicit SlotTree(std::size_t capacity)
      : leaves_(std::bit_ceil(capacity < 2 ? std::size_t{2} : capacity)),
        nodes_(2 * leaves_, kEmpty) {}
  // Of two halves, each as deep as its own slots need: a few that move often pay little beside
  // many. Its slots are front_slot(front) + 0 .. front - 1 and back_slot(back) + 0 .. back - 1.
  // Requires: both >= 1, split_limit(front, back) <= kMostSlots.
  static SlotTree split(std::size_t front, std::size_t back) {
    SlotTree tree;
    tree.leaves_ = 0;  // such slots are the nodes themselves
    tree.nodes_.assign(split_limit(front, back), kEmpty);
    return tree;
  }
  static constexpr std::size_t front_slot(std::size_t front) { return 2 * std::bit_ceil(front); }
  static constexpr std::size_t back_slot(std::size_t back) { return 3 * std::bit_ceil(back); }
  // One more than the largest slot.
  static constexpr std::size_t split_limit(std::size_t front, std::size_t back) {
    return std::max(3 * std::bit_ceil(front), 4 * std::bit_ceil(back));
  }

  // Not for one of two halves.
  std::size_t capacity() const { return leaves_; }
  bool empty() const { return nodes_[1] == kEmpty; }
  // The slot with the smallest key. Requires: !empty().
  std::uint32_t top() const { return static_cast<std::uint32_t>(nodes_[1]) & (kMostSlots - 1); }
  // The smallest key's primary; all ones when empty.
  std::uint64_t top_primary() const { return static_cast<std::uint64_t>(nodes_[1] >> 64); }
  std::uint64_t top_secondary() const { return static_cast<std::uint64_t>(nodes_[1]) >> 24; }
  // The smallest primary in the other slots; all ones when they are empty. As far to walk as set().
  std::uint64_t top_primary_besides(std::size_t slot) const {
    std::uint64_t least = ~std::uint64_t{0};
    for (std::size_t at = leaves_ + slot; at > 1; at /= 2) {
      least = std::min(least, static_cast<std::uint64_t>(nodes_[at ^ 1] >> 64));
    }
    return least;
  }
  bool holds(std::size_t slot) const { return nodes_[leaves_ + slot] != kEmpty; }
  std::uint64_t primary(std::size_t slot) const {
    return static_cast<std::uint64_t>(nodes_[leaves_ + slot] >> 64);
  }

  // Gives the slot this key, in place of any it had. Requires: a slot of the tree, secondary <
  // 2^40.
  void set(std::size_t slot, std::uint64_t primary, std::uint64_t secondary = 0) {
    replay(slot, UInt128{primary} << 64 | (secondary << 24 | slot));
  }
  void set(std::size_t slot, TimePoint t, std::uint64_t secondary = 0) {
    set(slot, static_cast<std::uint64_t>(t.time_since_epoch().count()), secondary);
  }
  void clear(std::size_t slot) { replay(slot, kEmpty); }

 private:
  // Walks in bytes: a key is 16 of them, and no address mode multiplies by that.
  void replay(std::size_t slot, UInt128 key) {
    constexpr std::size_t kKey = sizeof(UInt128);
    auto* nodes = reinterpret_cast<char*>(nodes_.data());
    const auto node = [nodes](std::size_t at) -> UInt128& {
      return *reinterpret_cast<UInt128*>(nodes + at);
    };
    std::size_t at = (leaves_ + slot) * kKey;
    node(at) = key;
    while (at > kKey) {
      const UInt128 sibling = node(at ^ kKey);
      key = sibling < key ? sibling : key;
      at = at / 2 & ~(kKey - 1);
      node(at) = key;
    }
  }
  std::size_t leaves_;
  std::vector<UInt128> nodes_;  // [1] is the root, [leaves_, 2 leaves_) the slots
};

}  // namespace tangram
