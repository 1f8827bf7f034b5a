#include "engine/inbox.h"

#include <thread>

#include <gtest/gtest.h>

namespace tangram {
namespace {

constexpr auto kNow = RealClock::Steady::time_point{};  // long past: take what is there

Post arrival(std::uint32_t sender, std::uint64_t number) {
  return ArrivalPost{{kStart, RequestId::of(WorkloadId(sender), number)}};
}

TEST(Inbox, KeepsTheOrderOfEachSenderAndLosesNothing) {
  constexpr std::uint64_t kEach = 5000;
  Inbox inbox;
  std::vector<std::jthread> senders;
  for (std::uint32_t s = 0; s < 3; ++s) {
    senders.emplace_back([&inbox, s] {
      for (std::uint64_t i = 0; i < kEach; ++i) {
        if (i % 3 == 0) {
          inbox.post_quietly(arrival(s, i));
        } else {
          inbox.post(arrival(s, i));
        }
      }
      inbox.wake();
    });
  }
  std::vector<std::uint64_t> next(3, 0);
  std::vector<Post> posts;
  while (next != std::vector<std::uint64_t>(3, kEach)) {
    inbox.take(posts, RealClock::Steady::now() + std::chrono::milliseconds(50));
    for (const Post& post : posts) {
      const RequestId id = std::get<ArrivalPost>(post).request.id;
      ASSERT_EQ(id.number(), next[id.workload().index()]++);
    }
  }
}

TEST(Inbox, HandsOverWhatWasPostedQuietlyWithTheNextTake) {
  Inbox inbox;
  inbox.post_quietly(arrival(0, 1));
  std::vector<Post> posts;
  inbox.take(posts, kNow);
  EXPECT_EQ(posts.size(), 1U);
  inbox.take(posts, kNow);
  EXPECT_TRUE(posts.empty());
}

TEST(Inbox, AWakeBeforeTheTakeIsNotLost) {
  Inbox inbox;
  inbox.wake();
  std::vector<Post> posts;
  // Would wait for an hour, and the test for its time limit.
  inbox.take(posts, RealClock::Steady::now() + std::chrono::hours(1));
  EXPECT_TRUE(posts.empty());
}

}  // namespace
}  // namespace tangram
