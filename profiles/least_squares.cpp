// Householder QR.
#include "profiles/least_squares.h"

#include <utility>

#include "sim/core/check.h"
#include "sim/core/stable_math.h"

namespace tangram {
namespace {

// What is left of a column beyond those before it, as a fraction of its length, that still counts:
// far above the rounding of a few hundred rows, far below any feature worth a coefficient.
constexpr double kIndependent = 1e-10;

}  // namespace

LeastSquares::LeastSquares(std::vector<double> matrix, std::size_t columns)
    : matrix_(std::move(matrix)),
      columns_(columns),
      rows_(columns > 0 ? matrix_.size() / columns : 0) {
  TANGRAM_CHECK(columns > 0 && rows_ * columns == matrix_.size(), "ragged matrix");
  std::vector<double> lengths(columns, 0);
  for (std::size_t i = 0; i < rows_; ++i) {
    for (std::size_t j = 0; j < columns; ++j) lengths[j] += at(i, j) * at(i, j);
  }
  for (std::size_t j = 0; j < columns && rank() < rows_; ++j) {
    double left = 0;
    for (std::size_t i = rank(); i < rows_; ++i) left += at(i, j) * at(i, j);
    if (left > kIndependent * kIndependent * lengths[j]) reflect(j);
  }
}

// Turns the rest of the column into one number on the diagonal, and the columns after it with it.
void LeastSquares::reflect(std::size_t column) {
  const std::size_t top = rank();
  double square = 0;
  for (std::size_t i = top; i < rows_; ++i) square += at(i, column) * at(i, column);
  const double head = at(top, column);
  // Away from the head, so that nothing cancels.
  const double diagonal = head > 0 ? -stable::sqrt(square) : stable::sqrt(square);
  at(top, column) = head - diagonal;
  const double scale = 1 / (square - head * diagonal);
  for (std::size_t j = column + 1; j < columns_; ++j) {
    double product = 0;
    for (std::size_t i = top; i < rows_; ++i) product += at(i, column) * at(i, j);
    for (std::size_t i = top; i < rows_; ++i) at(i, j) -= scale * product * at(i, column);
  }
  kept_.push_back(column);
  diagonal_.push_back(diagonal);
  scales_.push_back(scale);
}

std::vector<double> LeastSquares::solve(std::span<const double> b) const {
  TANGRAM_CHECK(b.size() == rows_, "as many right-hand sides as rows");
  std::vector<double> y(b.begin(), b.end());
  for (std::size_t k = 0; k < rank(); ++k) {
    double product = 0;
    for (std::size_t i = k; i < rows_; ++i) product += at(i, kept_[k]) * y[i];
    for (std::size_t i = k; i < rows_; ++i) y[i] -= scales_[k] * product * at(i, kept_[k]);
  }
  std::vector<double> x(columns_, 0);
  for (std::size_t k = rank(); k-- > 0;) {
    double rest = y[k];
    for (std::size_t later = k + 1; later < rank(); ++later) {
      rest -= at(k, kept_[later]) * x[kept_[later]];
    }
    x[kept_[k]] = rest / diagonal_[k];
  }
  return x;
}

}  // namespace tangram
