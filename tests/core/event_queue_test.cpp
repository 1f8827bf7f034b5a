// The total order (time, phase, sequence), and both backends against std::map.
#include "sim/core/event_queue.h"

#include <map>
#include <optional>
#include <tuple>
#include <vector>

#include <gtest/gtest.h>

#include "sim/core/random.h"

namespace tangram {
namespace {

constexpr TimePoint at(std::int64_t ns) {
  return TimePoint(Duration(ns));
}

// The same cases for the tree (a large limit) and for the radix heap (limit 0).
class EventQueueOrder : public ::testing::TestWithParam<std::size_t> {
 protected:
  EventQueue make(std::size_t slots) const { return EventQueue(slots, GetParam()); }
};
INSTANTIATE_TEST_SUITE_P(Backends,
                         EventQueueOrder,
                         ::testing::Values(EventQueue::kTreeLimit, std::size_t{0}),
                         [](const auto& backend) { return backend.param == 0 ? "Radix" : "Tree"; });

std::vector<std::uint32_t> drained(EventQueue& queue) {
  std::vector<std::uint32_t> order;
  while (!queue.empty()) {
    const SlotId top = queue.top();
    order.push_back(top.value());
    queue.cancel(top);
  }
  return order;
}

TEST_P(EventQueueOrder, TimeComesBeforePhaseAndSequence) {
  EventQueue queue = make(3);
  queue.schedule(SlotId(0), at(30), Phase::kFinish);
  queue.schedule(SlotId(1), at(20), Phase::kObserve);
  queue.schedule(SlotId(2), at(10), Phase::kTimer);
  EXPECT_EQ(queue.next_time(), at(10));
  EXPECT_EQ(drained(queue), (std::vector<std::uint32_t>{2, 1, 0}));
}

TEST_P(EventQueueOrder, PhaseComesBeforeSequence) {
  EventQueue queue = make(4);
  queue.schedule(SlotId(0), at(5), Phase::kObserve);
  queue.schedule(SlotId(1), at(5), Phase::kTimer);
  queue.schedule(SlotId(2), at(5), Phase::kArrive);
  queue.schedule(SlotId(3), at(5), Phase::kFinish);
  EXPECT_EQ(drained(queue), (std::vector<std::uint32_t>{3, 2, 1, 0}));
}

TEST_P(EventQueueOrder, EqualTimeAndPhaseGoInTheOrderOfScheduling) {
  EventQueue queue = make(4);
  for (const int slot : {2, 0, 3, 1}) queue.schedule(SlotId(slot), at(5), Phase::kArrive);
  EXPECT_EQ(drained(queue), (std::vector<std::uint32_t>{2, 0, 3, 1}));
}

TEST_P(EventQueueOrder, RetimingToTheSameTimeGoesToTheEndOfTheLine) {
  EventQueue queue = make(2);
  queue.schedule(SlotId(0), at(5), Phase::kArrive);
  queue.schedule(SlotId(1), at(5), Phase::kArrive);
  queue.schedule(SlotId(0), at(5), Phase::kArrive);
  EXPECT_EQ(drained(queue), (std::vector<std::uint32_t>{1, 0}));
}

TEST_P(EventQueueOrder, AnEarlierPhaseOfTheCurrentInstantStillGoesFirst) {
  EventQueue queue = make(3);
  queue.schedule(SlotId(0), at(5), Phase::kTimer);
  queue.schedule(SlotId(1), at(5), Phase::kObserve);
  ASSERT_EQ(queue.top(), SlotId(0));
  queue.cancel(SlotId(0));
  queue.schedule(SlotId(2), at(5), Phase::kFinish);
  EXPECT_EQ(drained(queue), (std::vector<std::uint32_t>{2, 1}));
}

TEST_P(EventQueueOrder, ALookAtTheNextEventDoesNotForbidAnEarlierOne) {
  EventQueue queue = make(3);
  queue.schedule(SlotId(0), at(100), Phase::kFinish);
  ASSERT_EQ(queue.next_time(), at(100));
  queue.schedule(SlotId(1), at(40), Phase::kFinish);
  queue.schedule(SlotId(2), at(60), Phase::kFinish);
  EXPECT_EQ(drained(queue), (std::vector<std::uint32_t>{1, 2, 0}));
}

TEST_P(EventQueueOrder, NeverCancelsAndAnEmptyQueueIsNeverDue) {
  EventQueue queue = make(2);
  EXPECT_TRUE(queue.empty());
  EXPECT_EQ(queue.next_time(), kNever);
  queue.schedule(SlotId(1), at(5), Phase::kTimer);
  EXPECT_EQ(queue.time_of(SlotId(1)), at(5));
  queue.schedule(SlotId(1), kNever, Phase::kTimer);
  EXPECT_EQ(queue.time_of(SlotId(1)), kNever);
  EXPECT_TRUE(queue.empty());
  queue.cancel(SlotId(1));
  EXPECT_TRUE(queue.empty());
}

TEST(EventQueue, RefusesMoreSlotsThanAKeyCanName) {
  EXPECT_THROW(EventQueue(SlotTree::kMostSlots + 1), InternalError);
}

// The rule, written down with the library's means.
class MapQueue {
 public:
  explicit MapQueue(std::size_t slots) : of_slot_(slots) {}
  bool empty() const { return pending_.empty(); }
  TimePoint next_time() const { return empty() ? kNever : std::get<0>(pending_.begin()->first); }
  SlotId top() const { return pending_.begin()->second; }
  void schedule(SlotId slot, TimePoint t, Phase phase) {
    cancel(slot);
    const Key key{t, phase, sequence_++};
    pending_[key] = slot;
    of_slot_[slot.index()] = key;
  }
  void cancel(SlotId slot) {
    if (of_slot_[slot.index()]) pending_.erase(*of_slot_[slot.index()]);
    of_slot_[slot.index()].reset();
  }
  TimePoint time_of(SlotId slot) const {
    return of_slot_[slot.index()] ? std::get<0>(*of_slot_[slot.index()]) : kNever;
  }

 private:
  using Key = std::tuple<TimePoint, Phase, std::uint64_t>;
  std::map<Key, SlotId> pending_;
  std::vector<std::optional<Key>> of_slot_;
  std::uint64_t sequence_ = 0;
};

// A queue of two halves behind slots 0 .. n-1, the first `front` of which are its front.
class SplitQueue {
 public:
  SplitQueue(std::size_t front, std::size_t back, std::size_t tree_limit)
      : queue_(EventQueue::split(front, back, tree_limit)),
        front_(static_cast<std::uint32_t>(front)) {}
  bool empty() const { return queue_.empty(); }
  TimePoint next_time() const { return queue_.next_time(); }
  SlotId top() const {
    const std::uint32_t in_front = queue_.top().value() - queue_.front_slot();
    return SlotId(in_front < front_ ? in_front
                                    : queue_.top().value() - queue_.back_slot() + front_);
  }
  void schedule(SlotId slot, TimePoint t, Phase phase) { queue_.schedule(inner(slot), t, phase); }
  void cancel(SlotId slot) { queue_.cancel(inner(slot)); }
  TimePoint time_of(SlotId slot) const { return queue_.time_of(inner(slot)); }

 private:
  SlotId inner(SlotId slot) const {
    return SlotId(slot.value() < front_ ? queue_.front_slot() + slot.value()
                                        : queue_.back_slot() + slot.value() - front_);
  }
  EventQueue queue_;
  std::uint32_t front_;
};

// Fires, moves and cancels at random; returns a hash of what was seen, in order. `spread` is how
// far ahead events lie: few values tie often, powers of two reach every bucket of a radix heap.
template <typename Queue, typename Spread>
std::uint64_t order_hash(Queue queue, std::size_t slots, int steps, Spread spread) {
  RandomStream random{StreamKey(11).with(slots)};
  std::uint64_t hash = 0xcbf29ce484222325ULL;
  const auto note = [&hash](std::uint64_t value) { hash = (hash ^ value) * 0x100000001b3ULL; };
  const auto any_phase = [&] { return static_cast<Phase>(random.below(4)); };
  TimePoint now = kStart;
  for (int step = 0; step < steps; ++step) {
    const std::uint64_t action = random.below(10);
    const SlotId slot(random.below(slots));
    const TimePoint t = now + Duration(static_cast<std::int64_t>(spread(random)));
    const Phase phase = any_phase();
    if (action < 5 && !queue.empty()) {
      now = queue.next_time();
      note(static_cast<std::uint64_t>(now.time_since_epoch().count()));
      note(queue.top().value());
      const SlotId fired = queue.top();
      queue.cancel(fired);
      const Duration ahead(static_cast<std::int64_t>(spread(random)));
      if (random.below(4) != 0) queue.schedule(fired, now + ahead, phase);
    } else if (action < 9) {
      queue.schedule(slot, t, phase);
    } else {
      queue.cancel(slot);
    }
    note(static_cast<std::uint64_t>(queue.time_of(slot).time_since_epoch().count()));
    if (step % 3 == 0)
      note(static_cast<std::uint64_t>(queue.next_time().time_since_epoch().count()));
  }
  while (!queue.empty()) {
    note(queue.top().value());
    queue.cancel(queue.top());
  }
  return hash;
}

template <typename Spread>
void expect_equal_orders(Spread spread) {
  for (const std::size_t slots : std::initializer_list<std::size_t>{1, 2, 3, 17, 64, 1000, 5000}) {
    const int steps = 20'000;
    const std::uint64_t expected = order_hash(MapQueue(slots), slots, steps, spread);
    EXPECT_EQ(order_hash(EventQueue(slots), slots, steps, spread), expected) << slots << ", tree";
    EXPECT_EQ(order_hash(EventQueue(slots, 0), slots, steps, spread), expected)
        << slots << ", radix";
    for (const std::size_t front : {std::size_t{0}, std::size_t{1}, slots / 3, slots - 1, slots}) {
      for (const std::size_t limit : {EventQueue::kTreeLimit, std::size_t{0}}) {
        EXPECT_EQ(order_hash(SplitQueue(front, slots - front, limit), slots, steps, spread),
                  expected)
            << slots << ", of which in front " << front << ", limit " << limit;
      }
    }
  }
}

TEST(EventQueue, BothBackendsOrderHeavyTiesAsAMapDoes) {
  expect_equal_orders([](RandomStream& random) { return random.below(4); });
}

TEST(EventQueue, BothBackendsOrderDistantTimesAsAMapDoes) {
  expect_equal_orders([](RandomStream& random) {
    const std::uint64_t bits = random.below(45);
    return random.below(std::uint64_t{1} << bits);
  });
}

TEST(EventQueue, BothBackendsOrderAHoldModelAsAMapDoes) {
  expect_equal_orders(
      [](RandomStream& random) { return static_cast<std::uint64_t>(random.exponential() * 1e6); });
}

}  // namespace
}  // namespace tangram
