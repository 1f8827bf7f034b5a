// Logarithm, exponential and square root that give the same bits with every compiler and C library:
// plain IEEE double arithmetic, no libm, usable at compile time. Needs -ffp-contract=off. Errors
// stay below 1 unit in the last place (tests/core/stable_math_test.cpp asserts 2).
#pragma once

#include <array>
#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <type_traits>

#include "sim/core/int128.h"

namespace tangram::stable {

namespace detail {
// ln 2 in two parts: the high one has 33 significant bits, so that its product with any exponent
// of ours (18 bits) is nearly or quite exact.
inline constexpr double kLn2High = 0x1.62e42fep-1;
inline constexpr double kLn2Low = 0x1.f473de6af278fp-30;

constexpr int kStepBits = 7;
constexpr int kSteps = 1 << kStepBits;

// 2^(j/128) as the sum of a double and the rest of its first 64 bits.
struct Power {
  double high, low;
};

// Sums the series of exp(j ln 2 / 128) in integers with 62 binary places: each of at most 20 terms
// is cut off, so the error is below 2^-57, a 32nd of the double's last place.
constexpr std::array<Power, kSteps> make_powers() {
  constexpr std::uint64_t kOne = std::uint64_t{1} << 62;
  constexpr std::uint64_t kLn2 = 0x2c5c85fdf473de6b;  // ln 2 * 2^62
  std::array<Power, kSteps> powers{};
  for (std::uint64_t j = 0; j < kSteps; ++j) {
    const std::uint64_t x = static_cast<std::uint64_t>(UInt128{kLn2} * j >> kStepBits);
    std::uint64_t term = kOne;
    std::uint64_t sum = kOne;
    for (std::uint64_t n = 1; term != 0; ++n) {
      term = static_cast<std::uint64_t>(UInt128{term} * x >> 62) / n;
      sum += term;
    }
    const std::uint64_t head = sum & ~std::uint64_t{1023};
    powers[j] = {static_cast<double>(head) * 0x1p-62, static_cast<double>(sum - head) * 0x1p-62};
  }
  return powers;
}
inline constexpr std::array<Power, kSteps> kPowers = make_powers();

// x 2^k for |k| <= 2200, rounded once where the result is subnormal.
constexpr double scale(double x, std::int64_t k) {
  while (k < -1022) {
    x *= 0x1p-1022;
    k += 1022;
  }
  while (k > 1023) {
    x *= 0x1p1023;
    k -= 1023;
  }
  return x * std::bit_cast<double>(static_cast<std::uint64_t>(k + 1023) << 52);
}
}  // namespace detail

// e^x. Reduces to x = (128 k + j) ln2/128 + r with |r| <= ln2/256, takes 2^(j/128) from a table and
// e^r - 1 from its series to r^5 (the next term is below 2^-60): P. T. P. Tang, "Table-driven
// implementation of the exponential function in IEEE floating-point arithmetic", ACM TOMS 15
// (1989).
constexpr double exp(double x) {
  using namespace detail;
  constexpr double kStepsPerLn2 = 0x1.71547652b82fep+7;  // 128 / ln 2
  if (!(x > -746)) return x < 0 ? 0 : x;                 // NaN stays NaN
  if (x > 710) return std::numeric_limits<double>::infinity();
  const double steps = x * kStepsPerLn2;
  // Rounds to nearest: cutting off is rounding down once the number is positive. A choice of +-0.5
  // by sign would be a branch that random arguments mispredict every other time.
  constexpr std::int64_t kPositive = 1 << 21;
  const auto n = static_cast<std::int64_t>(steps + (kPositive + 0.5)) - kPositive;
  const auto count = static_cast<double>(n);
  const double r = (x - count * (kLn2High / kSteps)) - count * (kLn2Low / kSteps);
  const double r2 = r * r;
  const double growth = r + r2 * ((0.5 + r * (1.0 / 6)) + r2 * (1.0 / 24 + r * (1.0 / 120)));
  const Power& power = kPowers[static_cast<std::size_t>(n & (kSteps - 1))];
  const double mantissa = power.high + (power.low + power.high * growth);
  return scale(mantissa, n >> kStepBits);
}

// ln x; -infinity at 0, NaN below. Reduces to x = 2^k (1 + f) with 1 + f in [sqrt(1/2), sqrt(2))
// and sums ln(1 + f) = 2 artanh(s), s = f / (2 + f), by its series in s^2 to s^21 (the next term is
// below 2^-55 of the sum), arranged as f - s (f - R): W. J. Cody and W. Waite, "Software Manual for
// the Elementary Functions" (1980), chapter 5, for the reduction.
constexpr double log(double x) {
  using namespace detail;
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  if (!(x > 0)) return x == 0 ? -kInfinity : std::numeric_limits<double>::quiet_NaN();
  if (x == kInfinity) return x;
  std::int64_t k = 0;
  if (x < std::numeric_limits<double>::min()) {
    x *= 0x1p54;
    k = -54;
  }
  const auto bits = std::bit_cast<std::uint64_t>(x);
  constexpr std::uint64_t kRootHalf = 0x3fe6a09e667f3bcd;  // sqrt(1/2)
  const std::int64_t exponent = static_cast<std::int64_t>(bits - kRootHalf) >> 52;
  k += exponent;
  const double f = std::bit_cast<double>(bits - (static_cast<std::uint64_t>(exponent) << 52)) - 1;
  const double s = f / (2 + f);
  const double z = s * s;
  const double z2 = z * z;
  const double z4 = z2 * z2;
  const double low = (2.0 / 3 + z * (2.0 / 5)) + z2 * (2.0 / 7 + z * (2.0 / 9));
  const double mid = (2.0 / 11 + z * (2.0 / 13)) + z2 * (2.0 / 15 + z * (2.0 / 17));
  const double high = 2.0 / 19 + z * (2.0 / 21);
  const double series = z * (low + z4 * (mid + z4 * high));
  const double half_square = 0.5 * f * f;
  const auto count = static_cast<double>(k);
  const double tail = s * (half_square + series) + count * kLn2Low;
  return count * kLn2High - ((half_square - tail) - f);
}

// The square root. IEEE defines its bits, so at run time it is the processor's; at compile time it
// is Heron's iteration, which may differ in the last place. Requires: x >= 0.
constexpr double sqrt(double x) {
  if (!std::is_constant_evaluated()) return std::sqrt(x);
  if (x == 0) return x;
  double root = x > 1 ? x : 1;
  for (double next = 0.5 * (root + x / root); next < root; next = 0.5 * (root + x / root)) {
    root = next;
  }
  return root;
}

}  // namespace tangram::stable
