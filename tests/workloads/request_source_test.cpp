// The source of one workload's requests: an open-loop process in blocks, and the clients of a
// closed loop.
#include "workloads/request_source.h"

#include <cmath>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

namespace tangram {
namespace {

StreamKey key() {
  return StreamKey(11).with("arrivals").with("w");
}

ArrivalSpec clients(std::uint32_t n, Duration think, bool exponential) {
  ArrivalSpec spec;
  spec.process = ArrivalSpec::Process::kClosedLoop;
  spec.clients = n;
  spec.think = think;
  spec.think_exponential = exponential;
  return spec;
}

TEST(RequestSource, GivesTheTimesOfTheArrivalProcessAcrossItsBlocks) {
  ArrivalSpec spec;
  spec.rate_rps = 1000;
  RequestSource source(spec, key());
  EXPECT_FALSE(source.closed());
  std::vector<TimePoint> expected(10'000);
  const auto process = make_arrivals(spec, RandomStream(key()));
  ASSERT_EQ(process->next(expected), expected.size());
  for (std::size_t i = 0; i < expected.size(); ++i) {
    ASSERT_EQ(source.next(), expected[i]);
    ASSERT_EQ(source.take(), i);
  }
}

TEST(RequestSource, HasNoNextRequestWhenTheProcessHasEnded) {
  ArrivalSpec spec;
  spec.process = ArrivalSpec::Process::kConstant;
  spec.rate_rps = 1e-9;  // a gap of 1e18 ns
  RequestSource source(spec, key());
  std::uint64_t sent = 0;
  while (source.next() != kNever) {
    ASSERT_EQ(source.take(), sent);
    ++sent;
    ASSERT_LT(sent, 100U);
  }
  // (i + 1/2) 1e18 < 2^62 = 4.61e18: i = 0 .. 4.
  EXPECT_EQ(sent, 5U);
}

TEST(RequestSource, AClosedLoopsClientsAskOnceEachUntilTheyAreAnswered) {
  RequestSource source(clients(3, from_ms(10), false), key());
  EXPECT_TRUE(source.closed());
  EXPECT_EQ(source.think(), from_ms(10));
  for (std::uint64_t i = 0; i < 3; ++i) {
    ASSERT_EQ(source.next(), kStart + from_ms(10));
    ASSERT_EQ(source.take(), i);
  }
  EXPECT_EQ(source.next(), kNever);
  source.answered(kStart + from_ms(25));
  source.answered(kStart + from_ms(20));
  EXPECT_EQ(source.next(), kStart + from_ms(30));
  EXPECT_EQ(source.take(), 3U);
  EXPECT_EQ(source.next(), kStart + from_ms(35));
  EXPECT_EQ(source.take(), 4U);
  EXPECT_EQ(source.next(), kNever);
}

TEST(RequestSource, ExponentialThinkingHasItsMean) {
  RequestSource source(clients(1, from_ms(10), true), key());
  constexpr int kRequests = 100'000;
  TimePoint now = kStart;
  for (int i = 0; i < kRequests; ++i) {
    ASSERT_GE(source.next(), now);
    now = source.next();
    source.take();
    source.answered(now);  // at once
  }
  // The mean of n exponentials has the standard error mean / sqrt(n): 0.32 %; within four.
  const double mean_ms = to_ms(now - kStart) / kRequests;
  EXPECT_NEAR(mean_ms, 10, 4 * 10 / std::sqrt(kRequests));
}

TEST(RequestSource, CanBeMovedInMidStream) {
  ArrivalSpec spec;
  spec.rate_rps = 1000;
  RequestSource one(spec, key());
  RequestSource two(spec, key());
  for (int i = 0; i < 100; ++i) one.take();
  for (int i = 0; i < 100; ++i) two.take();
  RequestSource moved(std::move(one));
  for (int i = 0; i < 1000; ++i) {
    ASSERT_EQ(moved.next(), two.next());
    ASSERT_EQ(moved.take(), two.take());
  }
}

}  // namespace
}  // namespace tangram
