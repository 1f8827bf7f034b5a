// A radix heap of slots with keys (after Ahuja, Mehlhorn, Orlin, Tarjan 1990): sequential memory
// access keeps it fast where a tree of 1e6 slots misses the cache at every level. Same interface as
// SlotTree; a re-keyed slot leaves a stale entry behind that is skipped when it comes up.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "sim/core/slot_tree.h"

namespace tangram {

// Entries whose primary is at most the pivot lie in a binary heap; the others lie unordered in the
// bucket of the highest bit in which their primary differs from the pivot. When the heap runs out,
// the pivot moves to the smallest entry, and one bucket is dealt out again: each entry moves down
// at most 64 times. It is fast when keys grow, as times do, and right when they do not: a look at
// the next event moves the pivot, and a decision may then still schedule an earlier one.
class RadixHeap {
 public:
  explicit RadixHeap(std::size_t capacity) : current_(capacity, SlotTree::kEmpty) {}

  bool empty() const { return live_ == 0; }
  // The slot with the smallest key. Requires: !empty().
  std::uint32_t top() const {
    if (!settled_) settle();
    return slot_of(front_.front());
  }
  // The smallest key's primary; all ones when empty.
  std::uint64_t top_primary() const {
    if (live_ == 0) return ~std::uint64_t{0};
    if (!settled_) settle();
    return primary_of(front_.front());
  }
  bool holds(std::size_t slot) const { return current_[slot] != SlotTree::kEmpty; }
  std::uint64_t primary(std::size_t slot) const { return primary_of(current_[slot]); }

  // Gives the slot this key, in place of any it had. Requires: slot < capacity, secondary < 2^40.
  void set(std::size_t slot, std::uint64_t primary, std::uint64_t secondary) {
    remove(slot);
    const UInt128 key = UInt128{primary} << 64 | (secondary << 24 | slot);
    current_[slot] = key;
    ++live_;
    insert(key);
    if (entries_ > live_ + current_.size() + kSlack) [[unlikely]]
      rebuild();
  }
  void clear(std::size_t slot) { remove(slot); }

  // The memory held, live or stale, in entries of 16 bytes.
  std::size_t entries() const { return entries_; }

 private:
  static constexpr std::size_t kSlack = 64;

  static std::uint32_t slot_of(UInt128 key) {
    return static_cast<std::uint32_t>(key) & (SlotTree::kMostSlots - 1);
  }
  static std::uint64_t primary_of(UInt128 key) { return static_cast<std::uint64_t>(key >> 64); }

  bool is_live(UInt128 key) const { return current_[slot_of(key)] == key; }
  void remove(std::size_t slot) {
    const UInt128 old = current_[slot];
    if (old == SlotTree::kEmpty) return;
    current_[slot] = SlotTree::kEmpty;
    --live_;
    if (!front_.empty() && front_.front() == old) {
      pop_front();
      settled_ = false;
    }
  }
  void insert(UInt128 key) const {
    ++entries_;
    const std::uint64_t primary = primary_of(key);
    if (primary <= pivot_) {
      push_front(key);
    } else {
      buckets_[static_cast<std::size_t>(std::bit_width(primary ^ pivot_)) - 1].push_back(key);
    }
  }
  void push_front(UInt128 key) const;
  void pop_front() const;
  void settle() const;  // brings the smallest live entry to the front; requires live_ > 0
  void deal_smallest_bucket() const;
  void rebuild();  // drops every stale entry

  std::vector<UInt128> current_;  // the live key of each slot
  std::size_t live_ = 0;

  // The order of the entries is a cache of current_: looking at the top may sort a little.
  mutable std::vector<UInt128> front_;  // a binary heap, smallest first
  mutable std::array<std::vector<UInt128>, 64> buckets_;
  mutable std::uint64_t pivot_ = 0;
  mutable std::size_t entries_ = 0;  // in front_ and buckets_, live or stale
  mutable bool settled_ = false;     // front_.front() is live and the smallest
};

}  // namespace tangram
