#include "engine/load_generator.h"

#include <algorithm>

#include <gtest/gtest.h>

#include "tests/engine/fixture.h"

namespace tangram {
namespace {

// Takes posts until the load is over; returns the arrivals.
std::vector<Request> all_requests(Inbox& inbox) {
  std::vector<Request> requests;
  std::vector<Post> posts;
  while (true) {
    inbox.take(posts, RealClock::Steady::now() + std::chrono::hours(1));
    for (const Post& post : posts) {
      if (const auto* one = std::get_if<ArrivalPost>(&post)) requests.push_back(one->request);
      if (std::holds_alternative<LoadOverPost>(post)) return requests;
    }
  }
}

TEST(LoadGenerator, CatchesUpOnWhatIsOverdueInTheOrderOfTheIntendedTimes) {
  const Scenario scenario = three_workloads();
  RealClock clock;
  // The run began long ago: everything is due at once, as after a stall of the machine.
  clock.start_at(RealClock::Steady::now() - std::chrono::seconds(10));
  Inbox inbox;
  LoadGenerator load(scenario.workloads, StreamKey(1), {kStart + from_seconds(0.5), {}, true},
                     clock, inbox);
  load.start();
  const std::vector<Request> requests = all_requests(inbox);
  load.stop();
  ASSERT_GT(requests.size(), 100U);
  std::vector<std::uint64_t> next(scenario.workloads.size(), 0);
  for (std::size_t i = 0; i < requests.size(); ++i) {
    EXPECT_LT(requests[i].arrival, kStart + from_seconds(0.5));
    EXPECT_EQ(requests[i].id.number(), next[requests[i].id.workload().index()]++);
    if (i > 0) {
      EXPECT_LE(requests[i - 1].arrival, requests[i].arrival);
    }
  }
  // No coordinated omission: the intended time stays, and the lag says how late it was sent.
  EXPECT_EQ(load.lag().count(), requests.size());
  EXPECT_GE(load.lag().min(), from_seconds(9));
}

// The delays are those of the simulator: keyed by workload, apart from the arrivals.
TEST(LoadGenerator, PostsRequestsWhenTheyComeOutOfTheNetworkWithTheirIntendedTimes) {
  Scenario scenario = three_workloads();
  RealClock clock;
  clock.start_at(RealClock::Steady::now() - std::chrono::seconds(10));
  NetworkDelay network;
  network.kind = NetworkDelay::Kind::kExponential;
  network.mean = from_ms(20);
  Inbox plain_inbox;
  LoadGenerator plain(scenario.workloads, StreamKey(1), {kStart + from_seconds(0.5), {}, true},
                      clock, plain_inbox);
  plain.start();
  std::vector<Request> expected = all_requests(plain_inbox);
  plain.stop();
  Inbox inbox;
  LoadGenerator load(scenario.workloads, StreamKey(1), {kStart + from_seconds(0.5), network, true},
                     clock, inbox);
  load.start();
  std::vector<Request> requests = all_requests(inbox);
  load.stop();
  EXPECT_TRUE(load.in_transit().empty());
  const auto by_id = [](const Request& a, const Request& b) { return a.id < b.id; };
  std::sort(expected.begin(), expected.end(), by_id);
  std::sort(requests.begin(), requests.end(), by_id);
  ASSERT_EQ(requests.size(), expected.size());
  for (std::size_t i = 0; i < requests.size(); ++i) {
    EXPECT_EQ(requests[i].id, expected[i].id);
    EXPECT_EQ(requests[i].arrival, expected[i].arrival);
  }
}

TEST(LoadGenerator, EndsAtOnceWhenItIsStopped) {
  Scenario scenario = three_workloads();
  RealClock clock;
  clock.start_at(RealClock::Steady::now() + std::chrono::hours(1));
  Inbox inbox;
  LoadGenerator load(scenario.workloads, StreamKey(1), {kStart + from_seconds(0.5), {}, true},
                     clock, inbox);
  load.start();
  load.stop();
  EXPECT_TRUE(all_requests(inbox).empty());
}

}  // namespace
}  // namespace tangram
