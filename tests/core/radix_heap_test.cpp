// What the radix heap promises beyond the order (event_queue_test.cpp): bounded memory.
#include "sim/core/radix_heap.h"

#include <algorithm>

#include <gtest/gtest.h>

#include "sim/core/random.h"

namespace tangram {
namespace {

TEST(RadixHeap, RetimingOneSlotForeverDoesNotGrowMemory) {
  constexpr std::size_t kSlots = 100;
  RadixHeap heap(kSlots);
  for (std::size_t i = 0; i < kSlots; ++i) heap.set(i, 1000 + i, i);
  std::size_t most = 0;
  for (std::uint64_t step = 0; step < 2'000'000; ++step) {
    heap.set(7, 5000 + step, 1000 + step);
    most = std::max(most, heap.entries());
  }
  // At most one stale entry per slot, 64 more, and the live ones.
  EXPECT_LE(most, 2 * kSlots + 64 + 1);
  EXPECT_EQ(heap.top(), 0U);
  EXPECT_EQ(heap.primary(7), 5000U + 1'999'999U);
}

TEST(RadixHeap, SettingAndClearingTheSameKeyForeverDoesNotGrowMemory) {
  RadixHeap heap(2);
  heap.set(0, 1, 0);
  for (int step = 0; step < 100'000; ++step) {
    heap.set(1, 50, 3);
    heap.clear(1);
  }
  EXPECT_LE(heap.entries(), 2U + 2U + 64U);
  EXPECT_EQ(heap.top(), 0U);
  heap.clear(0);
  EXPECT_TRUE(heap.empty());
}

TEST(RadixHeap, AKeySetAgainAfterItWasClearedComesUpOnce) {
  RadixHeap heap(3);
  heap.set(0, 10, 0);
  heap.set(1, 20, 1);
  heap.clear(1);
  heap.set(1, 20, 1);
  EXPECT_EQ(heap.top(), 0U);
  heap.clear(0);
  EXPECT_EQ(heap.top(), 1U);
  heap.clear(1);
  EXPECT_TRUE(heap.empty());
  heap.set(2, 30, 2);
  EXPECT_EQ(heap.top(), 2U);
}

TEST(RadixHeap, ReachesTheLargestPrimaries) {
  RadixHeap heap(2);
  heap.set(0, ~std::uint64_t{0} - 1, 0);
  heap.set(1, std::uint64_t{1} << 63, 1);
  EXPECT_EQ(heap.top(), 1U);
  heap.clear(1);
  EXPECT_EQ(heap.top_primary(), ~std::uint64_t{0} - 1);
}

}  // namespace
}  // namespace tangram
