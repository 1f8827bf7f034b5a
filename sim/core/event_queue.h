// The pending events of one run, in the total order (time, phase, sequence): one slot per component
// (an arrival stream, an executor, a timer), so that re-timing or cancelling is the same operation
// as scheduling and nothing is allocated per event.
#pragma once

#include <cstdint>

#include "sim/core/check.h"
#include "sim/core/ids.h"
#include "sim/core/radix_heap.h"
#include "sim/core/slot_tree.h"
#include "sim/core/time.h"

namespace tangram {

// The rank of events of one instant. Lower goes first.
enum class Phase : std::uint8_t {
  kFinish = 0,   // completions and refusals free capacity before arrivals ask for it
  kArrive = 1,   // arrivals are known before a timer asks what to do about them
  kTimer = 2,    // a timer sees everything of its instant
  kObserve = 3,  // measurements look at the state that the instant left behind
};

// Up to kTreeLimit slots it is a tournament tree (SlotTree), beyond it a radix heap with lazy
// cancellation: they were measured equal at 4e5 pending events (docs/model/event-core.md).
class EventQueue {
 public:
  static constexpr std::size_t kTreeLimit = 262144;

  // Requires: slots <= SlotTree::kMostSlots.
  explicit EventQueue(std::size_t slots, std::size_t tree_limit = kTreeLimit)
      : use_radix_(slots > tree_limit),
        tree_(use_radix_ ? 0 : slots),
        radix_(use_radix_ ? slots : 0) {
    TANGRAM_CHECK(slots <= SlotTree::kMostSlots, "too many components; slots ", slots);
  }
  // For two kinds of components, of which the `front` few move as often as all the others together:
  // their slots are front_slot() + 0 .. front - 1 and back_slot() + 0 .. back - 1.
  static EventQueue split(std::size_t front,
                          std::size_t back,
                          std::size_t tree_limit = kTreeLimit) {
    EventQueue queue(front + back, tree_limit);
    queue.back_slot_ = static_cast<std::uint32_t>(front);
    if (!queue.use_radix_ && front >= 1 && back >= 1) {
      TANGRAM_CHECK(SlotTree::split_limit(front, back) <= SlotTree::kMostSlots,
                    "too many components; ", front, " and ", back);
      queue.tree_ = SlotTree::split(front, back);
      queue.front_slot_ = static_cast<std::uint32_t>(SlotTree::front_slot(front));
      queue.back_slot_ = static_cast<std::uint32_t>(SlotTree::back_slot(back));
    }
    return queue;
  }
  std::uint32_t front_slot() const { return front_slot_; }
  std::uint32_t back_slot() const { return back_slot_; }

  bool empty() const { return use_radix_ ? radix_.empty() : tree_.empty(); }
  // The earliest pending time; kNever when empty.
  TimePoint next_time() const {
    std::uint64_t t = 0;
    if (use_radix_) [[unlikely]] {
      t = radix_.top_primary();
    } else {
      t = tree_.top_primary();
    }
    // No event has the top bit; an empty queue has all ones, which without it is kNever.
    return TimePoint(Duration(static_cast<std::int64_t>(t & kTimeMask)));
  }
  // The earliest pending time of the other components, or an earlier one that has an event.
  TimePoint next_time_besides(SlotId slot) const {
    if (use_radix_) [[unlikely]]
      return next_time();
    return TimePoint(
        Duration(static_cast<std::int64_t>(tree_.top_primary_besides(slot.index()) & kTimeMask)));
  }
  // The component of the earliest event. Requires: !empty().
  SlotId top() const {
    if (use_radix_) [[unlikely]]
      return SlotId(radix_.top());
    return SlotId(tree_.top());
  }

  // Schedules the slot's one event, in place of any pending one. A time of kNever cancels it.
  // Requires: t >= the time of the last event fired (checked by the caller's clock).
  void schedule(SlotId slot, TimePoint t, Phase phase) {
    if (t == kNever) {
      cancel(slot);
      return;
    }
    const std::uint64_t order = std::uint64_t{static_cast<std::uint8_t>(phase)} << kSequenceBits |
                                (sequence_++ & kSequenceMask);
    if (use_radix_) [[unlikely]] {
      radix_.set(slot.index(), static_cast<std::uint64_t>(t.time_since_epoch().count()), order);
    } else {
      tree_.set(slot.index(), t, order);
    }
  }
  void cancel(SlotId slot) {
    if (use_radix_) [[unlikely]] {
      radix_.clear(slot.index());
    } else {
      tree_.clear(slot.index());
    }
  }
  // Whether the slot has a pending event, and when.
  TimePoint time_of(SlotId slot) const {
    const bool holds = use_radix_ ? radix_.holds(slot.index()) : tree_.holds(slot.index());
    if (!holds) return kNever;
    const std::uint64_t t = use_radix_ ? radix_.primary(slot.index()) : tree_.primary(slot.index());
    return TimePoint(Duration(static_cast<std::int64_t>(t)));
  }
  std::uint64_t scheduled() const { return sequence_; }

 private:
  // 2 bits of phase and 38 of sequence share the tree's 40 secondary bits. The sequence wraps after
  // 2.7e11 events; order could differ only between events of one instant that far apart.
  static constexpr std::uint64_t kTimeMask = ~std::uint64_t{0} >> 1;
  static constexpr int kSequenceBits = 38;
  static constexpr std::uint64_t kSequenceMask = (std::uint64_t{1} << kSequenceBits) - 1;

  bool use_radix_;
  SlotTree tree_;
  RadixHeap radix_;
  std::uint64_t sequence_ = 0;
  std::uint32_t front_slot_ = 0;
  std::uint32_t back_slot_ = 0;
};

}  // namespace tangram
