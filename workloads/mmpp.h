// Markov-modulated Poisson arrivals: a Poisson process whose rate is set by a hidden Markov chain.
#pragma once

#include <memory>
#include <vector>

#include "sim/core/random.h"
#include "workloads/arrivals.h"

namespace tangram {

// The share of time that the chain spends in each state: p Q = 0 for the rates
// q_ij = next_ij / dwell_i out of state i, by the elimination of Grassmann, Taksar and Heyman
// (Operations Research 33, 1985), which subtracts nothing and so loses no digits. Requires: at
// least two states, each of which can be reached from each (mmpp_is_connected).
std::vector<double> mmpp_time_shares(const std::vector<MmppState>& states);

// Whether every state can be reached from every other.
bool mmpp_is_connected(const std::vector<MmppState>& states);

// Starts in a state drawn by the shares of time, so that the rate is the mean rate from the first
// moment on. Requires: as above, and some rate above 0.
std::unique_ptr<ArrivalProcess> mmpp_arrivals(const std::vector<MmppState>& states,
                                              RandomStream stream);

}  // namespace tangram
