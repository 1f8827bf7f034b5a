// The formulas, in the order of operations of the public code: its plans hang on last bits.
#include "profiles/igniter_model.h"

#include <cmath>
#include <limits>

#include "profiles/profile_limits.h"

namespace tangram {
namespace {

constexpr double kMsPerS = 1000;
constexpr double kLargest = 1e15;
constexpr double kLeast = std::numeric_limits<double>::min();

double active_ms(const IgniterModel& m, double batch, double share_pct) {
  const auto& k = m.k;
  return (k[0] * (batch * batch) + k[1] * batch + k[2]) / (share_pct + k[3]) + k[4];
}

}  // namespace

std::span<const IgniterField> igniter_fields() {
  static constexpr std::array<IgniterField, 22> fields{{
      {"max_mhz", kLeast, kLargest, [](IgniterModel& m) -> double& { return m.gpu.max_mhz; }},
      {"power_cap_w", 0, kMostPowerW, [](IgniterModel& m) -> double& { return m.gpu.power_cap_w; }},
      {"idle_power_w", 0, kMostPowerW,
       [](IgniterModel& m) -> double& { return m.gpu.idle_power_w; }},
      {"share_step_pct", 0.01, 100,
       [](IgniterModel& m) -> double& { return m.gpu.share_step_pct; }},
      {"pcie_bytes_per_ms", kLeast, kLargest,
       [](IgniterModel& m) -> double& { return m.gpu.pcie_bytes_per_ms; }},
      {"clock_mhz_per_w", -kLargest, kLargest,
       [](IgniterModel& m) -> double& { return m.gpu.clock_mhz_per_w; }},
      {"sched_ms_per_workload", -kLargest, kLargest,
       [](IgniterModel& m) -> double& { return m.gpu.sched_ms_per_workload; }},
      {"sched_base_ms", -kLargest, kLargest,
       [](IgniterModel& m) -> double& { return m.gpu.sched_base_ms; }},
      {"kernels", 1, kMostKernels, [](IgniterModel& m) -> double& { return m.kernels; }},
      {"solo_sched_ms", 0, kLongestLatencyMs,
       [](IgniterModel& m) -> double& { return m.solo_sched_ms; }},
      {"k1", -kLargest, kLargest, [](IgniterModel& m) -> double& { return m.k[0]; }},
      {"k2", -kLargest, kLargest, [](IgniterModel& m) -> double& { return m.k[1]; }},
      {"k3", -kLargest, kLargest, [](IgniterModel& m) -> double& { return m.k[2]; }},
      {"k4", -kLargest, kLargest, [](IgniterModel& m) -> double& { return m.k[3]; }},
      {"k5", -kLargest, kLargest, [](IgniterModel& m) -> double& { return m.k[4]; }},
      {"cache_per_l2_pct", -kLargest, kLargest,
       [](IgniterModel& m) -> double& { return m.cache_per_l2_pct; }},
      {"power_w_per_rps", -kLargest, kLargest,
       [](IgniterModel& m) -> double& { return m.power_w_per_rps; }},
      {"power_base_w", -kLargest, kLargest,
       [](IgniterModel& m) -> double& { return m.power_base_w; }},
      {"l2_pct_per_rps", -kLargest, kLargest,
       [](IgniterModel& m) -> double& { return m.l2_pct_per_rps; }},
      {"l2_base_pct", -kLargest, kLargest,
       [](IgniterModel& m) -> double& { return m.l2_base_pct; }},
      {"in_bytes", 0, kLargest, [](IgniterModel& m) -> double& { return m.in_bytes; }},
      {"out_bytes", 0, kLargest, [](IgniterModel& m) -> double& { return m.out_bytes; }},
  }};
  return fields;
}

std::vector<IgniterPrediction> predict_igniter(std::span<const IgniterLoad> loads) {
  std::vector<IgniterPrediction> result;
  if (loads.empty()) return result;
  const IgniterGpu& gpu = loads.front().model->gpu;
  const auto p = static_cast<double>(loads.size());
  const double extra_ms = loads.size() < 2 ? 0 : gpu.sched_ms_per_workload * p + gpu.sched_base_ms;
  double power_w = gpu.idle_power_w;
  double l2_pct = 0;
  std::vector<double> l2_of;
  for (const IgniterLoad& load : loads) {
    const IgniterModel& m = *load.model;
    const double rps = kMsPerS * load.batch / active_ms(m, load.batch, load.share_pct);
    power_w += m.power_w_per_rps * rps + m.power_base_w;
    l2_of.push_back(m.l2_pct_per_rps * rps + m.l2_base_pct);
    l2_pct += l2_of.back();
  }
  double clock_mhz = gpu.max_mhz;
  if (power_w > gpu.power_cap_w) {
    clock_mhz = gpu.clock_mhz_per_w * (power_w - gpu.power_cap_w) + gpu.max_mhz;
  }
  for (std::size_t i = 0; i < loads.size(); ++i) {
    const IgniterLoad& load = loads[i];
    const IgniterModel& m = *load.model;
    const double sched_ms = m.kernels * extra_ms + m.solo_sched_ms;
    const double compute_ms =
        active_ms(m, load.batch, load.share_pct) * (1 + m.cache_per_l2_pct * (l2_pct - l2_of[i]));
    const double gpu_ms = (sched_ms + compute_ms) / (clock_mhz / gpu.max_mhz);
    result.push_back(
        {gpu_ms + (m.in_bytes + m.out_bytes) * load.batch / gpu.pcie_bytes_per_ms,
         load.batch * kMsPerS / (gpu_ms + m.out_bytes * load.batch / gpu.pcie_bytes_per_ms)});
  }
  return result;
}

double igniter_alone_ms(const IgniterModel& model, double batch, double share_pct) {
  const std::array<IgniterLoad, 1> alone{{{&model, batch, share_pct}}};
  return predict_igniter(alone).front().latency_ms;
}

double igniter_batch(const IgniterModel& model, double budget_ms, double rate_rps) {
  const double per_ms = rate_rps / kMsPerS;
  const double bytes_per_ms = model.gpu.pcie_bytes_per_ms;
  return std::ceil(budget_ms * per_ms * bytes_per_ms / (bytes_per_ms + model.in_bytes * per_ms));
}

double igniter_share_bound(const IgniterModel& model, double budget_ms, double batch) {
  const auto& k = model.k;
  const double work = k[0] * (batch * batch) + k[1] * batch + k[2];
  const double left_ms = budget_ms - model.solo_sched_ms -
                         batch * (model.in_bytes + model.out_bytes) / model.gpu.pcie_bytes_per_ms -
                         k[4];
  const double step = model.gpu.share_step_pct;
  return std::ceil((work / left_ms - k[3]) / step) * step;
}

}  // namespace tangram
