// A visit to a state lasts an exponential time; within it arrivals are Poisson. An arrival that
// would come after the visit's end is drawn anew in the next state: gaps have no memory.
#include "workloads/mmpp.h"

#include <algorithm>
#include <cstddef>
#include <utility>

#include "sim/core/check.h"
#include "workloads/detail/gap_sum.h"

namespace tangram {
namespace {

using Matrix = std::vector<std::vector<double>>;

// The probability that state j follows state i.
double follows(const std::vector<MmppState>& states, std::size_t i, std::size_t j) {
  if (!states[i].next.empty()) return states[i].next[j];
  return i == j ? 0 : 1 / static_cast<double>(states.size() - 1);
}

// How many states can be reached from the first one, along the arrows or against them.
std::size_t count_reached(const std::vector<MmppState>& states, bool forwards) {
  std::vector<bool> seen(states.size(), false);
  std::vector<std::size_t> open{0};
  seen[0] = true;
  std::size_t reached = 0;
  while (!open.empty()) {
    const std::size_t i = open.back();
    open.pop_back();
    ++reached;
    for (std::size_t j = 0; j < states.size(); ++j) {
      if (seen[j] || !((forwards ? follows(states, i, j) : follows(states, j, i)) > 0)) continue;
      seen[j] = true;
      open.push_back(j);
    }
  }
  return reached;
}

// The index at which the running sum of `shares` passes a uniform number.
std::size_t pick(const std::vector<double>& sums, double uniform) {
  const auto found = std::upper_bound(sums.begin(), sums.end(), uniform * sums.back());
  return std::min(static_cast<std::size_t>(found - sums.begin()), sums.size() - 1);
}

std::vector<double> running_sums(std::vector<double> shares) {
  for (std::size_t i = 1; i < shares.size(); ++i) shares[i] += shares[i - 1];
  return shares;
}

class MmppArrivals final : public ArrivalProcess {
 public:
  MmppArrivals(const std::vector<MmppState>& states, RandomStream stream)
      : stream_(stream), sum_(mean_gap_ns(highest_rate(states))) {
    for (std::size_t i = 0; i < states.size(); ++i) {
      State state;
      if (states[i].rate_rps > 0) {
        state.mean_gap = mean_gap_ns(states[i].rate_rps) * sum_.ticks_per_ns();
      }
      state.mean_dwell = states[i].dwell_s * 1e9 * sum_.ticks_per_ns();
      std::vector<double> shares;
      for (std::size_t j = 0; j < states.size(); ++j) shares.push_back(follows(states, i, j));
      state.next = running_sums(std::move(shares));
      states_.push_back(std::move(state));
    }
    enter(pick(running_sums(mmpp_time_shares(states)), stream_.uniform()));
  }

  std::size_t next(std::span<TimePoint> out) override {
    std::size_t count = 0;
    while (count < out.size()) {
      const State& state = states_[state_];
      const double gap = state.mean_gap > 0 ? state.mean_gap * stream_.exponential() : dwell_left_;
      if (!sum_.add(std::min(gap, dwell_left_))) break;
      if (gap < dwell_left_) {
        dwell_left_ -= gap;
        out[count++] = sum_.time();
      } else {
        enter(pick(state.next, stream_.uniform()));
      }
    }
    return count;
  }

 private:
  struct State {
    double mean_gap = 0;  // in ticks; 0: no arrivals
    double mean_dwell = 0;
    std::vector<double> next;  // running sums
  };

  static double highest_rate(const std::vector<MmppState>& states) {
    double highest = 0;
    for (const MmppState& state : states) highest = std::max(highest, state.rate_rps);
    TANGRAM_CHECK(highest > 0, "no state has arrivals");
    return highest;
  }
  void enter(std::size_t state) {
    state_ = state;
    dwell_left_ = states_[state].mean_dwell * stream_.exponential();
  }

  RandomStream stream_;
  GapSum sum_;
  std::vector<State> states_;
  std::size_t state_ = 0;
  double dwell_left_ = 0;
};

}  // namespace

bool mmpp_is_connected(const std::vector<MmppState>& states) {
  return count_reached(states, true) == states.size() &&
         count_reached(states, false) == states.size();
}

std::vector<double> mmpp_time_shares(const std::vector<MmppState>& states) {
  const std::size_t n = states.size();
  TANGRAM_CHECK(n >= 2 && mmpp_is_connected(states), "no unique shares of time; states ", n);
  Matrix q(n, std::vector<double>(n, 0));
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t j = 0; j < n; ++j) {
      if (i != j) q[i][j] = follows(states, i, j) / states[i].dwell_s;
    }
  }
  // Takes the states out one by one from the last; what went through them goes past them.
  for (std::size_t k = n - 1; k > 0; --k) {
    double leaving = 0;
    for (std::size_t j = 0; j < k; ++j) leaving += q[k][j];
    for (std::size_t i = 0; i < k; ++i) {
      q[i][k] /= leaving;
      for (std::size_t j = 0; j < k; ++j) q[i][j] += q[i][k] * q[k][j];
    }
  }
  std::vector<double> shares(n, 0);
  shares[0] = 1;
  double total = 1;
  for (std::size_t j = 1; j < n; ++j) {
    for (std::size_t i = 0; i < j; ++i) shares[j] += shares[i] * q[i][j];
    total += shares[j];
  }
  for (double& share : shares) share /= total;
  return shares;
}

std::unique_ptr<ArrivalProcess> mmpp_arrivals(const std::vector<MmppState>& states,
                                              RandomStream stream) {
  return std::make_unique<MmppArrivals>(states, stream);
}

}  // namespace tangram
