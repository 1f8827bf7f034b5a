// Formulas of the statistics; sources in the header.
#include "sim/results/statistics.h"

#include <array>
#include <cmath>

#include "sim/core/check.h"

namespace tangram {

double student_t(std::size_t degrees) {
  TANGRAM_CHECK(degrees >= 1, "degrees ", degrees);
  // By bisection on the closed form of the distribution function for integer degrees (Abramowitz
  // and Stegun, Handbook of Mathematical Functions, 26.7.3 and 26.7.4).
  static constexpr std::array<double, 30> kTable{
      12.706205, 4.302653, 3.182446, 2.776445, 2.570582, 2.446912, 2.364624, 2.306004,
      2.262157,  2.228139, 2.200985, 2.178813, 2.160369, 2.144787, 2.131450, 2.119905,
      2.109816,  2.100922, 2.093024, 2.085963, 2.079614, 2.073873, 2.068658, 2.063899,
      2.059539,  2.055529, 2.051831, 2.048407, 2.045230, 2.042272};
  if (degrees <= kTable.size()) return kTable[degrees - 1];
  // The expansion in 1 / degrees, 26.7.5: off by less than 2e-6 beyond the table.
  const double z = 1.959963984540054;
  const double n = static_cast<double>(degrees);
  const double z3 = z * z * z;
  const double z5 = z3 * z * z;
  const double z7 = z5 * z * z;
  const double first = (z3 + z) / 4;
  const double second = (5 * z5 + 16 * z3 + 3 * z) / 96;
  const double third = (3 * z7 + 19 * z5 + 17 * z3 - 15 * z) / 384;
  return z + (first + (second + third / n) / n) / n;
}

Interval confidence_interval(std::span<const double> values) {
  TANGRAM_CHECK(values.size() >= 2, "an interval needs two values; has ", values.size());
  const double n = static_cast<double>(values.size());
  double sum = 0;
  for (const double value : values) sum += value;
  const double mean = sum / n;
  double squares = 0;
  for (const double value : values) squares += (value - mean) * (value - mean);
  const double deviation = std::sqrt(squares / (n - 1));
  return {mean, student_t(values.size() - 1) * deviation / std::sqrt(n)};
}

double jain_index(std::span<const double> values) {
  double sum = 0;
  double squares = 0;
  for (const double value : values) {
    sum += value;
    squares += value * value;
  }
  if (squares == 0) return 1;
  return sum * sum / (static_cast<double>(values.size()) * squares);
}

double coefficient_of_variation(const Histogram& histogram) {
  const double mean = histogram.mean_ns();
  if (histogram.count() == 0 || histogram.min() == histogram.max() || mean == 0) return 0;
  double squares = 0;
  for (const Histogram::Bin& bin : histogram.bins()) {
    const double middle =
        static_cast<double>(bin.lower) + static_cast<double>(bin.upper - 1 - bin.lower) / 2;
    squares += static_cast<double>(bin.count) * (middle - mean) * (middle - mean);
  }
  return std::sqrt(squares / static_cast<double>(histogram.count())) / mean;
}

}  // namespace tangram
