// How the time of a batch scatters around its mean.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include "sim/core/random.h"
#include "sim/core/time.h"

namespace tangram {

// The shape of a latency distribution, apart from its mean.
struct Variability {
  enum class Kind : std::uint8_t {
    kNone,         // always the mean
    kExponential,  // mean = the latency
    kLognormal,    // mean kept; cv
    kGamma,        // mean kept; cv
    kEmpirical,    // the measured samples of the point, scaled
  };
  Kind kind = Kind::kNone;
  double cv = 0;  // coefficient of variation, > 0 for lognormal and gamma
};

// In the order of the enumerators: "none", "exponential", "lognormal", "gamma", "empirical".
const std::vector<std::string>& variability_names();

// Draws factors of mean 1 for one (model, share, batch): the actual time is mean x factor.
class LatencySampler {
 public:
  LatencySampler() = default;
  // `samples` (ascending, not empty) only for kEmpirical; with none there, no scatter.
  explicit LatencySampler(const Variability& variability, const std::vector<double>& samples = {});

  bool constant() const { return kind_ == Variability::Kind::kNone; }
  // One draw: a factor of mean 1; of an empirical distribution, a rank in [0, 1), which scale()
  // looks up. Drawing and scaling are apart so that a draw can be made ahead of its use.
  double draw(RandomStream& stream) const {
    return kind_ == Variability::Kind::kExponential ? stream.exponential() : draw_other(stream);
  }
  // The time that a draw means; rounds to the nearest nanosecond, at least 1 ns for a positive
  // mean. Far tails are cut where the 64-bit nanoseconds end.
  Duration scale(Duration mean, double drawn) const {
    if (kind_ == Variability::Kind::kNone || mean.count() <= 0) return mean;
    if (kind_ == Variability::Kind::kEmpirical) drawn = factor_at(drawn);
    const double ns = std::min(static_cast<double>(mean.count()) * drawn, 4e18);
    return std::max(from_ns(ns), Duration(1));
  }
  Duration sample(Duration mean, RandomStream& stream) const { return scale(mean, draw(stream)); }

 private:
  double draw_other(RandomStream& stream) const;
  double factor_at(double rank) const;

  Variability::Kind kind_ = Variability::Kind::kNone;
  double a_ = 0;                 // lognormal: mu; gamma: shape
  double b_ = 0;                 // lognormal: sigma; gamma: scale
  std::vector<double> factors_;  // empirical: ascending, mean 1
};

}  // namespace tangram
