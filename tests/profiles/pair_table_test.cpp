// The table of measured pairs, by hand: shrinkage, smoothing, pressure.
#include "profiles/pair_table.h"

#include <cmath>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sim/core/error.h"

namespace tangram {
namespace {

using ::testing::HasSubstr;

double constant_of_one_point_one(const std::string&) {
  return 1.1;
}

TEST(PairTable, APlaceIsInDoublingsAndFractions) {
  const CoRunPlace place = place_of(8, 1, 20, 80);
  EXPECT_NEAR(place.log_batch, 3, 1e-15);
  EXPECT_EQ(place.log_other, 0);
  EXPECT_EQ(place.share, 0.2);
  EXPECT_EQ(place.other_share, 0.8);
}

TEST(PairTable, SimilarityFallsWithTheDistance) {
  const CoRunPlace here = place_of(8, 8, 50, 50);
  EXPECT_EQ(co_run_similarity(here, here), 1);
  // Two doublings of the victim's batch, three of the aggressor's, 40 % of share moved from one to
  // the other: distance 1 each.
  EXPECT_NEAR(co_run_similarity(here, place_of(32, 8, 50, 50)), std::exp(-0.5), 1e-14);
  EXPECT_NEAR(co_run_similarity(here, place_of(8, 1, 50, 50)), std::exp(-0.5), 1e-14);
  EXPECT_NEAR(co_run_similarity(here, place_of(8, 8, 90, 10)), std::exp(-0.5), 1e-14);
  EXPECT_NEAR(co_run_similarity(here, place_of(32, 1, 90, 10)), std::exp(-1.5), 1e-14);
}

TEST(PairTable, WithoutCoRunsItIsTheConstant) {
  const PairTable table({}, constant_of_one_point_one);
  EXPECT_EQ(table.slowdown("a", "b", place_of(1, 1, 50, 50)), 1.1);
}

TEST(PairTable, OneCoRunWeighsOneOverOnePointOneFiveFarAway) {
  const PairTable table({{"a", "b", place_of(1, 1, 50, 50), 1.21}}, constant_of_one_point_one);
  // Offset 1.21 / 1.1 - 1 = 0.1, shrunk by n / (n + 0.15).
  const CoRunPlace far = place_of(1 << 20, 1 << 20, 50, 50);
  EXPECT_NEAR(table.slowdown("a", "b", far), 1.1 * (1 + 0.1 / 1.15), 1e-12);
  // At the place itself only the scatter of a measurement is taken off: 1.14 / 1.15.
  EXPECT_NEAR(table.slowdown("a", "b", place_of(1, 1, 50, 50)), 1.1 * (1 + 0.1 * 1.14 / 1.15),
              1e-12);
  // Nothing is said about the other direction or another victim.
  EXPECT_EQ(table.slowdown("b", "a", far), 1.1);
  EXPECT_EQ(table.slowdown("c", "b", far), 1.1);
}

TEST(PairTable, CoRunsFarApartAreShrunkByTheirNumber) {
  // n places that tell nothing of each other: 0.1 n / (n + 0.15).
  for (const std::uint32_t n : {1U, 2U, 3U}) {
    std::vector<CoRunSample> samples;
    for (std::uint32_t i = 0; i < n; ++i) {
      samples.push_back({"a", "b", {20.0 * i, 0, 0.5, 0.5}, 1.21});
    }
    const PairTable table(samples, constant_of_one_point_one);
    EXPECT_NEAR(table.slowdown("a", "b", {-40, 0, 0.5, 0.5}), 1.1 * (1 + 0.1 * n / (n + 0.15)),
                1e-9)
        << n;
  }
}

TEST(PairTable, ASecondMeasurementOfOnePlaceCountsAsTheMeanOfTheTwo) {
  const CoRunPlace place = place_of(8, 8, 50, 50);
  const PairTable table({{"a", "b", place, 1.20}, {"a", "b", place, 1.22}},
                        constant_of_one_point_one);
  // Two of scatter 0.01 are one of scatter 0.005.
  EXPECT_NEAR(table.slowdown("a", "b", place), 1.1 * (1 + 0.1 * 1.14 / 1.145), 1e-12);
}

TEST(PairTable, AnAggressorPressesWithItsBatchInProportionToItsShare) {
  // Beside o at 50 %: 1.1 at batch 2, 1.21 at batch 8, that is 0.1 of the constant over two
  // doublings. x = 0.5 (1 - 2) and 0.5 (3 - 2), y = -0.05 and 0.05: slope 0.05 / (0.5 + 0.3) =
  // 0.0625.
  const PairTable table(
      {{"v", "o", place_of(4, 2, 50, 50), 1.10}, {"v", "o", place_of(4, 8, 50, 50), 1.21}},
      constant_of_one_point_one);
  // The mean batch is 2^2; of the GPU's whole, one doubling more is 0.0625.
  EXPECT_NEAR(table.prior("w", "o", place_of(1, 8, 20, 80)), 1.1 * (1 + 0.0625 * 0.8), 1e-12);
  EXPECT_NEAR(table.prior("w", "o", place_of(1, 4, 20, 80)), 1.1, 1e-12);
  // Held beyond the batches that were measured.
  EXPECT_EQ(table.prior("w", "o", place_of(1, 64, 20, 80)),
            table.prior("w", "o", place_of(1, 8, 20, 80)));
  EXPECT_EQ(table.prior("o", "v", place_of(8, 1, 80, 20)), 1.1);
}

TEST(PairTable, WhatDiffersInMoreThanTheAggressorsBatchIsNotPressure) {
  const PairTable table(
      {{"v", "o", place_of(2, 2, 50, 50), 1.1}, {"v", "o", place_of(8, 8, 50, 50), 1.3}},
      constant_of_one_point_one);
  EXPECT_EQ(table.prior("w", "o", place_of(1, 8, 50, 50)), 1.1);
}

TEST(PairTable, NothingIsSpedUp) {
  const PairTable table({{"a", "b", place_of(1, 1, 50, 50), 0.5}}, constant_of_one_point_one);
  EXPECT_EQ(table.slowdown("a", "b", place_of(1, 1, 50, 50)), 1);
}

TEST(PairTable, MoreCoRunsThanItTakesAreAnError) {
  const std::vector<CoRunSample> samples(1001, {"a", "b", place_of(1, 1, 50, 50), 1.1});
  try {
    PairTable table(samples, constant_of_one_point_one);
    FAIL() << "no error";
  } catch (const ConfigError& error) {
    EXPECT_THAT(error.what(),
                HasSubstr("a beside b: has 1001 co-runs; pair_table takes at most 1000"));
  }
}

}  // namespace
}  // namespace tangram
