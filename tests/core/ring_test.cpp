// The ring against std::deque.
#include "sim/core/ring.h"

#include <algorithm>
#include <deque>
#include <vector>

#include <gtest/gtest.h>

#include "sim/core/random.h"

namespace tangram {
namespace {

void expect_same(const Ring<int>& ring, const std::deque<int>& deque) {
  ASSERT_EQ(ring.size(), deque.size());
  ASSERT_EQ(ring.empty(), deque.empty());
  for (std::size_t i = 0; i < deque.size(); ++i) ASSERT_EQ(ring[i], deque[i]);
  if (!deque.empty()) {
    ASSERT_EQ(ring.front(), deque.front());
    ASSERT_EQ(ring.back(), deque.back());
  }
}

TEST(Ring, AgreesWithADequeOverRandomChanges) {
  Ring<int> ring;
  std::deque<int> deque;
  RandomStream random{StreamKey(3)};
  for (int step = 0; step < 20'000; ++step) {
    const std::uint64_t action = random.below(8);
    if (action < 3) {
      ring.push_back(step);
      deque.push_back(step);
    } else if (action == 3) {
      ring.push_front(step);
      deque.push_front(step);
    } else if (deque.empty()) {
      continue;
    } else if (action < 6) {
      const std::size_t n = 1 + random.below(std::min<std::size_t>(deque.size(), 3));
      if (action == 4) {
        ring.pop_front(n);
      } else {
        std::vector<int> moved(n);
        ring.pop_front(n, moved.data());
        ASSERT_TRUE(std::equal(moved.begin(), moved.end(), deque.begin()));
      }
      deque.erase(deque.begin(), deque.begin() + static_cast<std::ptrdiff_t>(n));
    } else if (action == 6) {
      ring.pop_back();
      deque.pop_back();
    } else {
      const std::size_t i = random.below(deque.size());
      ring.erase(i);
      deque.erase(deque.begin() + static_cast<std::ptrdiff_t>(i));
    }
    expect_same(ring, deque);
  }
}

TEST(Ring, OrderedInsertionKeepsEqualElementsInTheirOrder) {
  struct Item {
    int deadline, number;
  };
  Ring<Item> ring;
  const auto earlier = [](const Item& a, const Item& b) { return a.deadline < b.deadline; };
  int number = 0;
  for (const int deadline : {5, 3, 5, 1, 3, 9}) ring.insert_ordered({deadline, number++}, earlier);
  std::vector<std::pair<int, int>> seen;
  for (std::size_t i = 0; i < ring.size(); ++i) seen.emplace_back(ring[i].deadline, ring[i].number);
  EXPECT_EQ(seen,
            (std::vector<std::pair<int, int>>{{1, 3}, {3, 1}, {3, 4}, {5, 0}, {5, 2}, {9, 5}}));
}

TEST(Ring, ErasingBeyondTheEndIsOurMistake) {
  Ring<int> ring;
  ring.push_back(1);
  EXPECT_THROW(ring.erase(1), InternalError);
}

}  // namespace
}  // namespace tangram
