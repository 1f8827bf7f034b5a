// The way of a request from its client to the queue: a delay of its own for each, so that requests
// may overtake each other. Latency counts from the intended arrival, the delay included.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "sim/core/random.h"
#include "sim/core/time.h"

namespace tangram {

struct NetworkDelay {
  enum class Kind : std::uint8_t { kConstant, kExponential, kLognormal, kGamma };

  Kind kind = Kind::kConstant;
  Duration mean{};      // 0: no delay at all
  double cv = 1;        // lognormal, gamma: standard deviation over mean of what exceeds at_least
  Duration at_least{};  // a part of the mean that every request needs

  bool none() const { return mean == Duration::zero(); }
};

// "constant", "exponential", "lognormal", "gamma", in the order of NetworkDelay::Kind.
const std::vector<std::string>& network_delay_names();

// The requests of one workload that are under way. Time and request numbers only: no clock.
class Transit {
 public:
  // `stream` is the workload's own.
  Transit(const NetworkDelay& delay, RandomStream stream);

  struct Item {
    TimePoint enters, sent;
    std::uint64_t number = 0;  // of the request, within its workload
  };
  // A request sets out. Requires: times that do not decrease, numbers that increase.
  void send(TimePoint now, std::uint64_t number);
  // When the next request enters; kNever when none is under way.
  TimePoint next() const { return items_.empty() ? kNever : items_.front().enters; }
  // Takes it: the earliest, of equal ones that with the lowest number. Requires: next() != kNever.
  Item take();
  // Those under way, in no particular order.
  const std::vector<Item>& items() const { return items_; }

 private:
  Duration draw();

  NetworkDelay delay_;
  double mean_ns_;  // of what is random
  double shape_ = 1, mu_ = 0, sigma_ = 0;
  RandomStream stream_;
  std::vector<Item> items_;  // a heap
};

}  // namespace tangram
