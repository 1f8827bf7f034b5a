// Parameters and draws of the latency distributions whose mean is 1.
#include "profiles/variability.h"

#include "sim/core/check.h"
#include "sim/core/stable_math.h"

namespace tangram {

const std::vector<std::string>& variability_names() {
  static const std::vector<std::string> names{"none", "exponential", "lognormal", "gamma",
                                              "empirical"};
  return names;
}

LatencySampler::LatencySampler(const Variability& variability, const std::vector<double>& samples)
    : kind_(variability.kind) {
  const double cv2 = variability.cv * variability.cv;
  switch (kind_) {
    case Variability::Kind::kNone:
    case Variability::Kind::kExponential:
      break;
    case Variability::Kind::kLognormal:
      TANGRAM_CHECK(variability.cv > 0, "lognormal needs a cv; cv ", variability.cv);
      // E = exp(mu + sigma^2/2) = 1 and cv^2 = exp(sigma^2) - 1.
      a_ = -stable::log(1 + cv2) / 2;
      b_ = stable::sqrt(stable::log(1 + cv2));
      break;
    case Variability::Kind::kGamma:
      TANGRAM_CHECK(variability.cv > 0, "gamma needs a cv; cv ", variability.cv);
      a_ = 1 / cv2;
      b_ = cv2;
      break;
    case Variability::Kind::kEmpirical: {
      if (samples.size() < 2) {
        kind_ = Variability::Kind::kNone;
        break;
      }
      // The mean of the piecewise linear quantile function: the trapezoid rule, not the plain mean.
      double sum = -(samples.front() + samples.back()) / 2;
      for (const double sample : samples) sum += sample;
      const double mean = sum / static_cast<double>(samples.size() - 1);
      factors_.reserve(samples.size());
      for (const double sample : samples) factors_.push_back(sample / mean);
      break;
    }
  }
}

double LatencySampler::draw_other(RandomStream& stream) const {
  switch (kind_) {
    case Variability::Kind::kNone:
      return 1;
    case Variability::Kind::kExponential:
      return stream.exponential();
    case Variability::Kind::kLognormal:
      return stream.lognormal(a_, b_);
    case Variability::Kind::kGamma:
      return stream.gamma(a_) * b_;
    case Variability::Kind::kEmpirical:
      return stream.uniform();
  }
  return 1;
}

double LatencySampler::factor_at(double rank) const {
  const double place = rank * static_cast<double>(factors_.size() - 1);
  const auto below = static_cast<std::size_t>(place);
  const double part = place - static_cast<double>(below);
  return factors_[below] + part * (factors_[below + 1] - factors_[below]);
}

}  // namespace tangram
