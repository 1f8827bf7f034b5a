// Exponentially weighted means of sampled rates, by workload.
#pragma once

#include <utility>
#include <vector>

namespace tangram {

class SmoothedRates {
 public:
  // weight: of a new sample, in (0, 1].
  explicit SmoothedRates(double weight) : weight_(weight) {}

  void start(std::vector<double> rates_rps) { rates_ = std::move(rates_rps); }
  void add(const std::vector<double>& sample_rps) {
    for (std::size_t w = 0; w < rates_.size(); ++w) {
      rates_[w] += weight_ * (sample_rps[w] - rates_[w]);
    }
  }
  const std::vector<double>& rates_rps() const { return rates_; }

 private:
  double weight_;
  std::vector<double> rates_;
};

}  // namespace tangram
