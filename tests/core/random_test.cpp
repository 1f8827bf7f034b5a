// Streams and distributions: golden bits (a change here changes every result), and theory with
// tolerances of five standard errors at a fixed seed.
#include "sim/core/random.h"

#include <bit>
#include <cmath>
#include <functional>
#include <vector>

#include <gtest/gtest.h>

namespace tangram {
namespace {

constexpr int kSamples = 2'000'000;
constexpr double kStandardErrors = 5;
using Draw = std::function<double(RandomStream&)>;
using Cumulative = std::function<double(double)>;

std::vector<double> samples(const Draw& draw) {
  RandomStream random{StreamKey(2026).with("theory")};
  std::vector<double> values(kSamples);
  for (double& value : values) value = draw(random);
  return values;
}

// The mean's standard error is sqrt(variance / n), the variance's sqrt((m4 - variance^2) / n) with
// m4 the fourth central moment.
void expect_moments(const Draw& draw, double mean, double variance, double fourth) {
  const std::vector<double> values = samples(draw);
  double sum = 0;
  for (const double x : values) sum += x;
  double squares = 0;
  for (const double x : values) squares += (x - mean) * (x - mean);
  EXPECT_NEAR(sum / kSamples, mean, kStandardErrors * std::sqrt(variance / kSamples));
  EXPECT_NEAR(squares / kSamples, variance,
              kStandardErrors * std::sqrt((fourth - variance * variance) / kSamples));
}

// The number of samples below x is binomial with p = F(x): standard error sqrt(p (1 - p) / n).
void expect_distribution(const Draw& draw, const Cumulative& below, const std::vector<double>& at) {
  const std::vector<double> values = samples(draw);
  for (const double x : at) {
    int count = 0;
    for (const double value : values) count += value < x ? 1 : 0;
    const double p = below(x);
    EXPECT_NEAR(static_cast<double>(count) / kSamples, p,
                kStandardErrors * std::sqrt(p * (1 - p) / kSamples))
        << "at " << x;
  }
}

double normal_below(double x) {
  return 0.5 * std::erfc(-x / std::sqrt(2.0));
}

TEST(Random, UniformHasMeanAHalfAndVarianceATwelfth) {
  const Draw draw = [](RandomStream& r) { return r.uniform(); };
  expect_moments(draw, 0.5, 1.0 / 12, 1.0 / 80);
  expect_distribution(draw, [](double x) { return x; }, {0.001, 0.1, 0.5, 0.9, 0.999});
}

TEST(Random, ExponentialFollowsItsDistributionIntoTheTail) {
  // Mean 1, variance 1, fourth central moment 9; F(x) = 1 - exp(-x). 7.697 begins the tail.
  const Draw draw = [](RandomStream& r) { return r.exponential(); };
  expect_moments(draw, 1, 1, 9);
  expect_distribution(draw, [](double x) { return -std::expm1(-x); },
                      {0.0001, 0.01, 0.1, 0.3, 0.693, 1, 2, 3, 4, 5, 6, 7, 7.6, 7.8, 8.5, 10, 12});
}

TEST(Random, NormalFollowsItsDistributionIntoTheTails) {
  // Mean 0, variance 1, fourth moment 3. 3.654 begins the tails.
  const Draw draw = [](RandomStream& r) { return r.normal(); };
  expect_moments(draw, 0, 1, 3);
  expect_distribution(
      draw, normal_below,
      {-4.4, -4, -3.7, -3.6, -3, -2, -1, -0.5, -0.1, 0, 0.1, 0.5, 1, 2, 3, 3.6, 3.7, 4, 4.4});
}

TEST(Random, LognormalIsTheExponentialOfANormal) {
  // F(x) = Phi((ln x - mu) / sigma), mean exp(mu + sigma^2 / 2).
  const double mu = 0.3;
  const double sigma = 0.5;
  const Draw draw = [&](RandomStream& r) { return r.lognormal(mu, sigma); };
  expect_distribution(draw, [&](double x) { return normal_below((std::log(x) - mu) / sigma); },
                      {0.3, 0.5, 1, 1.35, 2, 3, 5, 8});
  double sum = 0;
  for (const double x : samples(draw)) sum += x;
  const double mean = std::exp(mu + sigma * sigma / 2);
  // Variance (exp(sigma^2) - 1) mean^2.
  const double deviation = mean * std::sqrt(std::expm1(sigma * sigma));
  EXPECT_NEAR(sum / kSamples, mean, kStandardErrors * deviation / std::sqrt(kSamples));
}

TEST(Random, GammaHasMeanAndVarianceOfItsShape) {
  // Fourth central moment 3 k^2 + 6 k.
  for (const double k : {0.05, 0.5, 0.999, 1.0, 1.5, 4.0, 100.0}) {
    SCOPED_TRACE(k);
    expect_moments([k](RandomStream& r) { return r.gamma(k); }, k, k, 3 * k * k + 6 * k);
  }
}

TEST(Random, GammaOfAWholeShapeIsErlang) {
  // F(x) = 1 - exp(-x) (1 + x + x^2/2 + x^3/6) for shape 4.
  expect_distribution(
      [](RandomStream& r) { return r.gamma(4); },
      [](double x) { return 1 - std::exp(-x) * (1 + x + x * x / 2 + x * x * x / 6); },
      {0.3, 1, 2, 3.67, 6, 9, 14});
}

TEST(Random, GammaOfAHalfIsHalfASquaredNormal) {
  // F(x) = erf(sqrt(x)) for shape 1/2.
  expect_distribution([](RandomStream& r) { return r.gamma(0.5); },
                      [](double x) { return std::erf(std::sqrt(x)); },
                      {1e-6, 1e-3, 0.05, 0.23, 0.5, 1, 3, 8});
}

TEST(Random, BelowIsUniformForSmallAndForHugeRanges) {
  // Each of six values has probability 1/6.
  RandomStream random{StreamKey(5)};
  std::vector<int> counts(6);
  for (int i = 0; i < kSamples; ++i) ++counts[random.below(6)];
  for (const int count : counts) {
    EXPECT_NEAR(static_cast<double>(count) / kSamples, 1.0 / 6,
                kStandardErrors * std::sqrt(5.0 / 36 / kSamples));
  }
  // A third of 0 .. 3 * 2^62 - 1 are multiples of 3. Without rejection 2^64 = 4 * 2^62 draws would
  // share 3 * 2^62 values: two draws in four would give a multiple of 3.
  constexpr std::uint64_t kHuge = std::uint64_t{3} << 62;
  int multiples = 0;
  for (int i = 0; i < kSamples; ++i) {
    const std::uint64_t value = random.below(kHuge);
    ASSERT_LT(value, kHuge);
    multiples += value % 3 == 0 ? 1 : 0;
  }
  EXPECT_NEAR(static_cast<double>(multiples) / kSamples, 1.0 / 3,
              kStandardErrors * std::sqrt(2.0 / 9 / kSamples));
  EXPECT_EQ(random.below(1), 0U);
}

TEST(Random, SamplesOfOneStreamAreUncorrelated) {
  // The lag-1 correlation of n independent samples has standard error 1 / sqrt(n).
  const std::vector<double> z = samples([](RandomStream& r) { return r.normal(); });
  double product = 0;
  for (std::size_t i = 1; i < z.size(); ++i) product += z[i] * z[i - 1];
  EXPECT_NEAR(product / kSamples, 0, kStandardErrors / std::sqrt(kSamples));
}

TEST(StreamKey, NamesNumbersAndSeedsGiveDifferentStreams) {
  const StreamKey root(1);
  EXPECT_NE(root.value(), StreamKey(2).value());
  EXPECT_NE(root.with("a").value(), root.with("b").value());
  EXPECT_NE(root.with("a").with("b").value(), root.with("b").with("a").value());
  EXPECT_NE(root.with(std::uint64_t{0}).value(), root.with(std::uint64_t{1}).value());
  EXPECT_NE(root.with("ab").value(), root.with("a").with("b").value());
  EXPECT_EQ(root.with("a").value(), StreamKey(1).with("a").value());
}

TEST(StreamKey, StreamsOfNeighbouringKeysAreUncorrelated) {
  const auto correlation = [](StreamKey a, StreamKey b) {
    RandomStream first(a);
    RandomStream second(b);
    double product = 0;
    for (int i = 0; i < 100'000; ++i) {
      const double x = first.normal();
      product += x * second.normal();
    }
    return product / 100'000;
  };
  const double bound = kStandardErrors / std::sqrt(100'000);
  const StreamKey root(1);
  EXPECT_NEAR(correlation(root, StreamKey(2)), 0, bound);
  EXPECT_NEAR(correlation(root, root.with(std::uint64_t{0})), 0, bound);
  EXPECT_NEAR(correlation(root.with(std::uint64_t{0}), root.with(std::uint64_t{1})), 0, bound);
  EXPECT_NEAR(correlation(root.with("arrivals"), root.with("services")), 0, bound);
}

TEST(StreamKey, AnotherSourceDoesNotMoveTheNumbersOfThisOne) {
  const auto first_numbers = [](const std::vector<const char*>& names, const char* wanted) {
    std::vector<std::uint64_t> numbers;
    for (const char* name : names) {
      RandomStream stream{StreamKey(7).with("workloads").with(name)};
      for (int i = 0; i < 10; ++i) {
        const std::uint64_t bits = stream.bits();
        if (std::string_view(name) == wanted) numbers.push_back(bits);
      }
    }
    return numbers;
  };
  EXPECT_EQ(first_numbers({"bert"}, "bert"), first_numbers({"resnet50", "bert", "vgg"}, "bert"));
}

// The first four values, and a hash over 200000, which pass through every rare path.
struct Golden {
  const char* name;
  Draw draw;
  std::vector<double> first;
  std::uint64_t hash;
};

TEST(Random, EveryDistributionGivesTheSameBitsEverywhere) {
  const std::vector<Golden> all{
      {"uniform",
       [](RandomStream& r) { return r.uniform(); },
       {0x1.f5cc572fac872p-1, 0x1.fec15b57785dp-3, 0x1.2fded793470b4p-1, 0x1.7ccd06f5a699bp-1},
       0xcf9d2fdf15f1a538},
      {"exponential",
       [](RandomStream& r) { return r.exponential(); },
       {0x1.ddf117bf5d8ccp-6, 0x1.55ca66ab5d7bbp-2, 0x1.089175756070ap+0, 0x1.5ec7967bdbfc7p-2},
       0x1898bf4ae4bf5bb9},
      {"normal",
       [](RandomStream& r) { return r.normal(); },
       {0x1.165a268b5715ap-1, -0x1.4a3b19086041dp-1, -0x1.07c041b01046cp-1, -0x1.0607a7e172cdfp+0},
       0xd1807210b1d91578},
      {"lognormal",
       [](RandomStream& r) { return r.lognormal(0.25, 1.5); },
       {0x1.80c733880b365p+1, 0x1.333ac5cdc6b41p+1, 0x1.9422bad4042e9p-3, 0x1.746c76611dc72p+0},
       0xe93cf8b01363e99c},
      {"gamma_small",
       [](RandomStream& r) { return r.gamma(0.3); },
       {0x1.b062adb658ccp-5, 0x1.c2d03efcf962ep-3, 0x1.93f32628a79b5p-5, 0x1.6ecd6ce3ac585p-1},
       0x40f570618330dd76},
      {"gamma_large",
       [](RandomStream& r) { return r.gamma(2.5); },
       {0x1.4b9fc72ea79dp+1, 0x1.28089ddc2cf6ap+0, 0x1.ee787a40e8961p+0, 0x1.4e2e1afa0e135p+2},
       0x36378beb87d7a897},
      {"below",
       [](RandomStream& r) { return static_cast<double>(r.below(1000003)); },
       {0x1.bb98p+19, 0x1.d01eap+19, 0x1.1c19p+17, 0x1.cca38p+17},
       0xcd95a1c672598c25},
  };
  for (const Golden& golden : all) {
    RandomStream random{StreamKey(42).with(golden.name)};
    std::uint64_t hash = 0xcbf29ce484222325ULL;
    for (std::size_t i = 0; i < 200'000; ++i) {
      const double value = golden.draw(random);
      if (i < golden.first.size()) {
        EXPECT_EQ(value, golden.first[i]) << golden.name << " " << i << std::hexfloat << value;
      }
      hash = (hash ^ std::bit_cast<std::uint64_t>(value)) * 0x100000001b3ULL;
    }
    EXPECT_EQ(hash, golden.hash) << golden.name << std::hex << " 0x" << hash;
  }
}

}  // namespace
}  // namespace tangram
