// Householder QR against systems whose solutions are known.
#include "profiles/least_squares.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sim/core/check.h"
#include "sim/core/random.h"

namespace tangram {
namespace {

using ::testing::DoubleNear;
using ::testing::ElementsAre;

TEST(LeastSquares, ALineThroughThreePointsThatDoNotLieOnOne) {
  // y = 1, 2, 2 at x = 0, 1, 2: slope sum (x - 1)(y - 5/3) / sum (x - 1)^2 = 1 / 2, mean 5/3.
  const LeastSquares line({1, 0, 1, 1, 1, 2}, 2);
  EXPECT_THAT(line.solve(std::vector<double>{1, 2, 2}),
              ElementsAre(DoubleNear(5.0 / 3 - 0.5, 1e-14), DoubleNear(0.5, 1e-14)));
  EXPECT_EQ(line.rank(), 2U);
}

TEST(LeastSquares, CoefficientsThatMadeTheDataAreFoundAgain) {
  RandomStream random{StreamKey(1)};
  constexpr std::size_t kColumns = 15;
  std::vector<double> matrix, b;
  for (int row = 0; row < 200; ++row) {
    double sum = 0;
    for (std::size_t j = 0; j < kColumns; ++j) {
      const double x = j == 0 ? 1 : random.uniform();
      matrix.push_back(x);
      sum += (static_cast<double>(j) - 7) * x;
    }
    b.push_back(sum);
  }
  const std::vector<double> x = LeastSquares(matrix, kColumns).solve(b);
  for (std::size_t j = 0; j < kColumns; ++j) {
    EXPECT_NEAR(x[j], static_cast<double>(j) - 7, 1e-11) << j;
  }
}

TEST(LeastSquares, ResidualsAreOrthogonalToTheColumns) {
  RandomStream random{StreamKey(2)};
  std::vector<double> matrix, b;
  for (int i = 0; i < 60; ++i) matrix.push_back(random.normal());
  for (int i = 0; i < 20; ++i) b.push_back(random.normal());
  const std::vector<double> x = LeastSquares(matrix, 3).solve(b);
  for (std::size_t j = 0; j < 3; ++j) {
    double product = 0;
    for (std::size_t i = 0; i < 20; ++i) {
      const double* row = &matrix[3 * i];
      product += row[j] * (b[i] - row[0] * x[0] - row[1] * x[1] - row[2] * x[2]);
    }
    EXPECT_NEAR(product, 0, 1e-13);
  }
}

TEST(LeastSquares, AColumnThatDependsOnThoseBeforeItIsLeftOut) {
  // The third column is twice the second, the fourth is not.
  const LeastSquares system({1, 0, 0, 0, 1, 1, 2, 1, 1, 2, 4, 4, 1, 3, 6, 9}, 4);
  EXPECT_EQ(system.rank(), 3U);
  EXPECT_THAT(system.solve(std::vector<double>{1, 4, 9, 16}),
              ElementsAre(DoubleNear(1, 1e-12), DoubleNear(2, 1e-12), 0, DoubleNear(1, 1e-12)));
}

TEST(LeastSquares, MoreColumnsThanRowsLeaveTheLastOnesOut) {
  const LeastSquares system({2, 1, 5}, 3);
  EXPECT_THAT(system.solve(std::vector<double>{4}), ElementsAre(DoubleNear(2, 1e-15), 0, 0));
}

TEST(LeastSquares, AColumnOfZerosIsLeftOut) {
  const LeastSquares system({0, 1, 0, 1}, 2);
  EXPECT_THAT(system.solve(std::vector<double>{3, 5}), ElementsAre(0, DoubleNear(4, 1e-14)));
}

TEST(LeastSquares, RaggedInputIsABug) {
  EXPECT_THROW(LeastSquares({1, 2, 3}, 2), InternalError);
  EXPECT_THROW(LeastSquares({1, 2}, 1).solve(std::vector<double>{1}), InternalError);
}

}  // namespace
}  // namespace tangram
