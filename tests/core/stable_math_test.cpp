// Our logarithm and exponential against the C library in long double, and some golden bits.
#include "sim/core/stable_math.h"

#include <algorithm>
#include <cmath>

#include <gtest/gtest.h>

#include "sim/core/random.h"

namespace tangram {
namespace {

// |value - truth| in units of the last place of a double near the truth.
double ulps(double value, long double truth) {
  const auto nearest = static_cast<double>(truth);
  if (value == nearest) return 0;
  const double magnitude = std::abs(nearest);
  const double unit =
      std::nextafter(magnitude, std::numeric_limits<double>::infinity()) - magnitude;
  return static_cast<double>(std::abs(value - truth) / unit);
}

double worst_exp(double low, double high) {
  RandomStream random{StreamKey(1)};
  double worst = 0;
  for (int i = 0; i < 500'000; ++i) {
    const double x = low + (high - low) * random.uniform();
    worst = std::max(worst, ulps(stable::exp(x), std::exp(static_cast<long double>(x))));
  }
  return worst;
}

double worst_log(double low, double high) {
  RandomStream random{StreamKey(1)};
  double worst = 0;
  for (int i = 0; i < 500'000; ++i) {
    const double x = low + (high - low) * random.uniform();
    worst = std::max(worst, ulps(stable::log(x), std::log(static_cast<long double>(x))));
  }
  return worst;
}

TEST(StableMath, ExpStaysWithinTwoUnitsInTheLastPlace) {
  EXPECT_LE(worst_exp(-1e-3, 1e-3), 2);
  EXPECT_LE(worst_exp(-1, 1), 2);
  EXPECT_LE(worst_exp(-50, 50), 2);
  EXPECT_LE(worst_exp(-745, 709.7), 2);
}

TEST(StableMath, LogStaysWithinTwoUnitsInTheLastPlace) {
  EXPECT_LE(worst_log(0, 1), 2);
  EXPECT_LE(worst_log(0.999, 1.001), 2);
  EXPECT_LE(worst_log(0.5, 2), 2);
  EXPECT_LE(worst_log(0, 1e9), 2);
  EXPECT_LE(worst_log(0, 1e-300), 2);
  EXPECT_LE(worst_log(0, 1e-310), 2);
}

TEST(StableMath, ErrorsStayBelowOneUnitInTheUsualRange) {
  EXPECT_LT(worst_exp(-700, 700), 1);
  EXPECT_LT(worst_log(0, 100), 1);
}

TEST(StableMath, TheEndsOfTheRangeAreThoseOfTheLibrary) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  const double nan = std::numeric_limits<double>::quiet_NaN();
  EXPECT_EQ(stable::exp(0.0), 1.0);
  EXPECT_EQ(stable::exp(-0.0), 1.0);
  EXPECT_EQ(stable::exp(1000), kInfinity);
  EXPECT_EQ(stable::exp(709.8), kInfinity);
  EXPECT_EQ(stable::exp(kInfinity), kInfinity);
  EXPECT_EQ(stable::exp(-1000), 0.0);
  EXPECT_EQ(stable::exp(-kInfinity), 0.0);
  EXPECT_EQ(stable::exp(-745), std::numeric_limits<double>::denorm_min());
  EXPECT_TRUE(std::isnan(stable::exp(nan)));
  EXPECT_EQ(stable::log(1.0), 0.0);
  EXPECT_EQ(stable::log(0.0), -kInfinity);
  EXPECT_EQ(stable::log(kInfinity), kInfinity);
  EXPECT_TRUE(std::isnan(stable::log(-1.0)));
  EXPECT_TRUE(std::isnan(stable::log(nan)));
}

TEST(StableMath, CompileTimeAndRunTimeGiveTheSameBits) {
  constexpr double kExp = stable::exp(-1.25);
  constexpr double kLog = stable::log(0.1);
  const volatile double a = -1.25;
  const volatile double b = 0.1;
  EXPECT_EQ(stable::exp(a), kExp);
  EXPECT_EQ(stable::log(b), kLog);
}

TEST(StableMath, TheCompileTimeRootIsWithinOneUnit) {
  constexpr double kTwo = stable::sqrt(2.0);
  constexpr double kLarge = stable::sqrt(1e200);
  constexpr double kSmall = stable::sqrt(1e-200);
  EXPECT_LE(ulps(kTwo, std::sqrt(2.0L)), 1);
  EXPECT_LE(ulps(kLarge, std::sqrt(1e200L)), 1);
  EXPECT_LE(ulps(kSmall, std::sqrt(static_cast<long double>(1e-200))), 1);
  const volatile double two = 2;
  EXPECT_EQ(stable::sqrt(two), std::sqrt(2.0));
}

}  // namespace
}  // namespace tangram
