// Small dense systems of equations, solved in one fixed order of plain IEEE operations: slowdowns
// that a simulation uses must have the same bits in every build, which a tuned library cannot say.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace tangram {

// The QR factorisation of a matrix by Householder reflections (Golub and Van Loan, Matrix
// Computations, section 5.2), without pivoting: a column that depends on those before it is left
// out.
class LeastSquares {
 public:
  // `matrix` is row by row. Requires: columns >= 1, and whole rows.
  LeastSquares(std::vector<double> matrix, std::size_t columns);

  // The x that makes |matrix x - b| least; 0 for a column left out. Requires: one b per row.
  std::vector<double> solve(std::span<const double> b) const;
  // How many columns count.
  std::size_t rank() const { return kept_.size(); }

 private:
  double& at(std::size_t row, std::size_t column) { return matrix_[row * columns_ + column]; }
  double at(std::size_t row, std::size_t column) const { return matrix_[row * columns_ + column]; }
  void reflect(std::size_t column);

  // R above the diagonal of the kept columns, the reflections' vectors from the diagonal down.
  std::vector<double> matrix_;
  std::size_t columns_;
  std::size_t rows_;
  std::vector<std::size_t> kept_;  // the column of each reflection
  std::vector<double> diagonal_;   // of R
  std::vector<double> scales_;     // 2 / |v|^2 of each reflection I - scale v v'
};

}  // namespace tangram
