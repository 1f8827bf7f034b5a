// The bit set against std::set.
#include "sim/core/bit_set.h"

#include <set>

#include <gtest/gtest.h>

#include "sim/core/random.h"

namespace tangram {
namespace {

TEST(BitSet, AgreesWithAnOrderedSetOverRandomChanges) {
  for (const std::size_t size :
       std::initializer_list<std::size_t>{1, 63, 64, 65, 4095, 4096, 4097, 20'000}) {
    BitSet bits(size);
    std::set<std::size_t> members;
    RandomStream random{StreamKey(size)};
    for (int step = 0; step < 4000; ++step) {
      const std::size_t i = random.below(size);
      if (random.below(2) == 0) {
        bits.set(i);
        members.insert(i);
      } else {
        bits.clear(i);
        members.erase(i);
      }
      const std::size_t from = random.below(size + 2);
      const auto next = members.lower_bound(from);
      ASSERT_EQ(bits.from(from), next == members.end() ? BitSet::kNone : *next);
      ASSERT_EQ(bits.first(), members.empty() ? BitSet::kNone : *members.begin());
      ASSERT_EQ(bits.any(), !members.empty());
      ASSERT_EQ(bits.test(i), members.contains(i));
    }
    EXPECT_EQ(bits.count(), members.size());
  }
}

TEST(BitSet, FindsALoneMemberFarAway) {
  BitSet bits(1'000'000);
  EXPECT_EQ(bits.first(), BitSet::kNone);
  bits.set(999'999);
  EXPECT_EQ(bits.from(1), 999'999U);
  bits.clear(999'999);
  EXPECT_FALSE(bits.any());
}

TEST(BitSet, AnEmptySetOfSizeZeroHasNoMember) {
  EXPECT_FALSE(BitSet().any());
}

}  // namespace
}  // namespace tangram
