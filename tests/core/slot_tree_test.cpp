// The tournament tree against a scan over all slots.
#include "sim/core/slot_tree.h"

#include <algorithm>
#include <map>

#include <gtest/gtest.h>

#include "sim/core/random.h"

namespace tangram {
namespace {

TEST(SlotTree, IsEmptyUntilAKeyIsSetAndAfterItIsCleared) {
  SlotTree tree(3);
  EXPECT_TRUE(tree.empty());
  EXPECT_EQ(tree.top_primary(), ~std::uint64_t{0});
  tree.set(2, 10);
  EXPECT_FALSE(tree.empty());
  EXPECT_TRUE(tree.holds(2));
  EXPECT_EQ(tree.top(), 2U);
  EXPECT_EQ(tree.top_primary(), 10U);
  tree.clear(2);
  EXPECT_TRUE(tree.empty());
  EXPECT_FALSE(tree.holds(2));
}

TEST(SlotTree, EqualPrimariesGoBySecondaryAndThenBySlot) {
  SlotTree tree(4);
  tree.set(0, 5, 2);
  tree.set(3, 5, 1);
  EXPECT_EQ(tree.top(), 3U);
  EXPECT_EQ(tree.top_secondary(), 1U);
  tree.set(2, 5, 1);
  EXPECT_EQ(tree.top(), 2U);
}

TEST(SlotTree, HoldsTheLargestKeysWithoutMixingTheirParts) {
  SlotTree tree(2);
  const std::uint64_t largest_secondary = (std::uint64_t{1} << 40) - 1;
  tree.set(1, ~std::uint64_t{0} - 1, largest_secondary);
  EXPECT_EQ(tree.top(), 1U);
  EXPECT_EQ(tree.top_primary(), ~std::uint64_t{0} - 1);
  EXPECT_EQ(tree.top_secondary(), largest_secondary);
}

TEST(SlotTree, AgreesWithAnOrderedMapOverRandomChanges) {
  for (const std::size_t slots : std::initializer_list<std::size_t>{1, 2, 3, 5, 64, 100}) {
    SlotTree tree(slots);
    std::map<std::size_t, std::pair<std::uint64_t, std::uint64_t>> keys;
    RandomStream random{StreamKey(slots)};
    for (int step = 0; step < 5000; ++step) {
      const std::size_t slot = random.below(slots);
      if (random.below(3) == 0) {
        tree.clear(slot);
        keys.erase(slot);
      } else {
        const std::uint64_t primary = random.below(20);
        const std::uint64_t secondary = random.below(3);
        tree.set(slot, primary, secondary);
        keys[slot] = {primary, secondary};
      }
      ASSERT_EQ(tree.empty(), keys.empty());
      if (keys.empty()) continue;
      auto best = keys.begin();
      for (auto it = keys.begin(); it != keys.end(); ++it) {
        if (it->second < best->second) best = it;
      }
      ASSERT_EQ(tree.top(), best->first);
      ASSERT_EQ(tree.primary(slot) == ~std::uint64_t{0}, !keys.contains(slot));
      std::uint64_t least = ~std::uint64_t{0};
      for (const auto& [other, key] : keys) {
        if (other != slot) least = std::min(least, key.first);
      }
      ASSERT_EQ(tree.top_primary_besides(slot), least);
    }
  }
}

}  // namespace
}  // namespace tangram
