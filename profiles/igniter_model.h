// iGniter's analytic model of inference under MPS (Xu et al., IEEE TPDS 2023, section 3, as its
// public code computes it): what a batch takes on a share of a GPU, alone and beside others. The
// three terms of interference are the scheduler, the L2 cache and the clock that power lowers.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

namespace tangram {

// Of one GPU type.
struct IgniterGpu {
  double max_mhz = 0;         // F
  double power_cap_w = 0;     // above it the clock falls
  double idle_power_w = 0;    //
  double share_step_pct = 1;  // shares are multiples of it
  double pcie_bytes_per_ms = 0;
  double clock_mhz_per_w = 0;        // of the clock above the cap, < 0
  double sched_ms_per_workload = 0;  // extra scheduling time of a kernel: this p + the next,
  double sched_base_ms = 0;          // p >= 2 workloads on the GPU
  friend bool operator==(const IgniterGpu&, const IgniterGpu&) = default;
};

// Of one model on that GPU type.
struct IgniterModel {
  IgniterGpu gpu;
  double kernels = 1;            // of a batch
  double solo_sched_ms = 0;      // scheduling time of a batch alone
  std::array<double, 5> k{};     // active time, ms: (k1 b^2 + k2 b + k3) / (share in % + k4) + k5
  double cache_per_l2_pct = 0;   // longer active time per percent of the others' L2 demand
  double power_w_per_rps = 0;    // power demand over items/s of active time: a line
  double power_base_w = 0;       //
  double l2_pct_per_rps = 0;     // L2 demand, percent of peak, over the same: a line
  double l2_base_pct = 0;        //
  double in_bytes = 0;           // copied in for one item
  double out_bytes = 0;          // copied out
  std::uint32_t max_batch = 32;  // largest batch that the fit is trusted for
  friend bool operator==(const IgniterModel&, const IgniterModel&) = default;
};

// The numbers of a model and its GPU by name, for readers and writers. max_batch is not among them.
struct IgniterField {
  const char* key;
  double low, high;
  double& (*of)(IgniterModel&);
};
std::span<const IgniterField> igniter_fields();

// A workload on a GPU.
struct IgniterLoad {
  const IgniterModel* model = nullptr;
  double batch = 1;  // items, whole
  double share_pct = 100;
};
struct IgniterPrediction {
  double latency_ms = 0;      // scheduling, computing, copies
  double throughput_rps = 0;  // the copy in overlaps the computing before it
};

// What each of them gets, all of them busy. The arithmetic is that of the public code, operation by
// operation; a clock of 0 or less, which far too much power gives, is not clamped.
// Requires: models of one GPU type.
std::vector<IgniterPrediction> predict_igniter(std::span<const IgniterLoad> loads);

// Latency in ms of one batch alone.
double igniter_alone_ms(const IgniterModel& model, double batch, double share_pct);

// The smallest batch that keeps up with the rate when each batch may take budget_ms (section 3.3 of
// the paper: b = ceil(budget rate B / (B + in rate)), rate per ms); not capped.
double igniter_batch(const IgniterModel& model, double budget_ms, double rate_rps);

// The lower bound of the share in percent for that batch: the smallest multiple of the step whose
// active time alone fits what scheduling and copies leave of the budget. Clock and neighbours do
// not count. Beyond 100: not on one GPU; below 0 or not finite: nothing is left of the budget.
double igniter_share_bound(const IgniterModel& model, double budget_ms, double batch);

}  // namespace tangram
