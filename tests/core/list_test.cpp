// The list against std::vector.
#include "sim/core/list.h"

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sim/core/random.h"

namespace tangram {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(List, AgreesWithAVectorOverRandomChanges) {
  List<int> list;
  std::vector<int> vector;
  RandomStream random{StreamKey(5)};
  for (int step = 0; step < 20'000; ++step) {
    const std::uint64_t action = random.below(20);
    if (action == 0) {
      list.clear();
      vector.clear();
    } else if (action < 4) {
      std::vector<int> more(random.below(5), step);
      list.append(more);
      vector.insert(vector.end(), more.begin(), more.end());
    } else if (action < 6) {
      const std::size_t n = random.below(4);
      int* const added = list.extend(n);
      for (std::size_t i = 0; i < n; ++i) added[i] = step + static_cast<int>(i);
      for (std::size_t i = 0; i < n; ++i) vector.push_back(step + static_cast<int>(i));
    } else {
      list.push_back(step);
      vector.push_back(step);
    }
    ASSERT_EQ(list.empty(), vector.empty());
    ASSERT_EQ(list.size(), vector.size());
    ASSERT_TRUE(std::equal(list.begin(), list.end(), vector.begin()));
    if (vector.empty()) continue;
    ASSERT_EQ(list.front(), vector.front());
    ASSERT_EQ(list.back(), vector.back());
    ASSERT_EQ(list[vector.size() / 2], vector[vector.size() / 2]);
  }
}

TEST(List, TakesACopyOfItsOwnElementWhileItGrows) {
  List<int> list;
  list.push_back(7);
  for (int i = 0; i < 100; ++i) list.push_back(list.front());
  EXPECT_EQ(list.size(), 101U);
  EXPECT_EQ(list.back(), 7);
}

TEST(List, IsEmptyAfterItWasMovedFromAndCanBeFilledAgain) {
  List<int> from;
  from.append(std::array{1, 2, 3});
  const List<int> to(std::move(from));
  EXPECT_THAT(to, ElementsAre(1, 2, 3));
  EXPECT_THAT(from, IsEmpty());
  from.push_back(4);
  EXPECT_THAT(from, ElementsAre(4));
}

}  // namespace
}  // namespace tangram
