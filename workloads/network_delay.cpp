#include "workloads/network_delay.h"

#include <algorithm>
#include <cmath>

#include "sim/core/check.h"
#include "sim/core/stable_math.h"

namespace tangram {
namespace {

bool later(const Transit::Item& a, const Transit::Item& b) {
  return a.enters != b.enters ? a.enters > b.enters : a.number > b.number;
}

}  // namespace

const std::vector<std::string>& network_delay_names() {
  static const std::vector<std::string> names{"constant", "exponential", "lognormal", "gamma"};
  return names;
}

Transit::Transit(const NetworkDelay& delay, RandomStream stream)
    : delay_(delay),
      mean_ns_(static_cast<double>((delay.mean - delay.at_least).count())),
      stream_(stream) {
  TANGRAM_CHECK(mean_ns_ >= 0, "the least delay is above the mean; ns ", mean_ns_);
  if (delay.kind == NetworkDelay::Kind::kGamma) shape_ = 1 / (delay.cv * delay.cv);
  if (delay.kind == NetworkDelay::Kind::kLognormal && mean_ns_ > 0) {
    // cv^2 = exp(sigma^2) - 1; mean = exp(mu + sigma^2 / 2).
    const double variance = stable::log(1 + delay.cv * delay.cv);
    sigma_ = std::sqrt(variance);
    mu_ = stable::log(mean_ns_) - variance / 2;
  }
}

Duration Transit::draw() {
  if (mean_ns_ <= 0) return delay_.at_least;
  double ns = mean_ns_;
  switch (delay_.kind) {
    case NetworkDelay::Kind::kConstant:
      break;
    case NetworkDelay::Kind::kExponential:
      ns = mean_ns_ * stream_.exponential();
      break;
    case NetworkDelay::Kind::kLognormal:
      ns = stream_.lognormal(mu_, sigma_);
      break;
    case NetworkDelay::Kind::kGamma:
      ns = mean_ns_ / shape_ * stream_.gamma(shape_);
      break;
  }
  return delay_.at_least + from_ns(ns);
}

void Transit::send(TimePoint now, std::uint64_t number) {
  items_.push_back({now + draw(), now, number});
  std::push_heap(items_.begin(), items_.end(), later);
}

Transit::Item Transit::take() {
  std::pop_heap(items_.begin(), items_.end(), later);
  const Item item = items_.back();
  items_.pop_back();
  return item;
}

}  // namespace tangram
