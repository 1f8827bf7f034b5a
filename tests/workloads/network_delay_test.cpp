#include "workloads/network_delay.h"

#include <cmath>

#include <gtest/gtest.h>

namespace tangram {
namespace {

NetworkDelay delay_of(NetworkDelay::Kind kind, double mean_ms, double cv, double least_ms) {
  return {kind, from_ms(mean_ms), cv, from_ms(least_ms)};
}

struct Moments {
  double mean_ms, deviation_ms, least_ms;
};

Moments measured(const NetworkDelay& delay) {
  Transit transit(delay, RandomStream(StreamKey(3)));
  double sum = 0;
  double squares = 0;
  double least = 1e9;
  constexpr int kDraws = 100'000;
  for (int i = 0; i < kDraws; ++i) {
    transit.send(kStart, static_cast<std::uint64_t>(i));
    const double ms = to_ms(transit.take().enters - kStart);
    sum += ms;
    squares += ms * ms;
    least = std::min(least, ms);
  }
  const double mean = sum / kDraws;
  return {mean, std::sqrt(squares / kDraws - mean * mean), least};
}

TEST(Transit, DelaysHaveTheirMeanScatterAndLeastValue) {
  using Kind = NetworkDelay::Kind;
  const Moments constant = measured(delay_of(Kind::kConstant, 3, 1, 1));
  EXPECT_DOUBLE_EQ(constant.mean_ms, 3);
  EXPECT_DOUBLE_EQ(constant.least_ms, 3);
  // 2 ms of the 3 are random; their deviation is cv times 2 ms (exponential: 2 ms).
  for (const auto& [kind, cv] : {std::pair{Kind::kExponential, 1.0},
                                 std::pair{Kind::kLognormal, 0.7}, std::pair{Kind::kGamma, 0.5}}) {
    const Moments moments = measured(delay_of(kind, 3, cv, 1));
    EXPECT_NEAR(moments.mean_ms, 3, 0.04) << network_delay_names()[static_cast<std::size_t>(kind)];
    EXPECT_NEAR(moments.deviation_ms, 2 * cv, 0.06);
    EXPECT_GE(moments.least_ms, 1);
  }
}

TEST(Transit, RequestsComeOutInTheOrderOfTheirEndsAndOvertakeEachOther) {
  Transit transit(delay_of(NetworkDelay::Kind::kExponential, 10, 1, 0), RandomStream(StreamKey(1)));
  EXPECT_EQ(transit.next(), kNever);
  for (std::uint64_t i = 0; i < 100; ++i) transit.send(kStart + from_ms(static_cast<double>(i)), i);
  TimePoint last = kStart;
  std::uint64_t overtaken = 0;
  std::uint64_t sum = 0;
  std::uint64_t before = 0;
  for (std::uint64_t i = 0; i < 100; ++i) {
    EXPECT_EQ(transit.items().size(), 100 - i);
    const TimePoint due = transit.next();
    const Transit::Item item = transit.take();
    EXPECT_EQ(item.enters, due);
    EXPECT_GE(item.enters, last);
    EXPECT_GE(item.enters, item.sent);
    EXPECT_EQ(item.sent, kStart + from_ms(static_cast<double>(item.number)));
    overtaken += item.number < before ? 1 : 0;
    before = item.number;
    last = item.enters;
    sum += item.number;
  }
  EXPECT_EQ(sum, 99U * 100 / 2);
  EXPECT_GT(overtaken, 0U);
  EXPECT_EQ(transit.next(), kNever);
}

TEST(Transit, OfAConstantDelayKeepsTheOrder) {
  Transit transit(delay_of(NetworkDelay::Kind::kConstant, 5, 1, 0), RandomStream(StreamKey(1)));
  for (std::uint64_t i = 0; i < 10; ++i) transit.send(kStart, i);
  for (std::uint64_t i = 0; i < 10; ++i) EXPECT_EQ(transit.take().number, i);
}

}  // namespace
}  // namespace tangram
