// Constants and one corner case that the parts of the released gpulet scheduler share.
#pragma once

namespace tangram::detail {

// A demand of at most so many requests/s counts as done.
inline constexpr int kGletSlackRps = 15;
// What the network of a GPU's server takes, Gbit/s (of 2^30 bits).
inline constexpr double kGletNetworkGbits = 3.0;

// Where no batch meets the SLO at the rate: batch 1 when it keeps up with the requests and meets
// the SLO by itself, and then the rate is raised until a request waits no longer than the SLO
// leaves. Returns 1 and the raised rate, or 0.
inline int batch_one(float batch_one_ms, int slo_ms, float latency_ratio, int& rate) {
  const auto slo = static_cast<float>(slo_ms);
  if (!(batch_one_ms < 1000.0 / rate) || !(batch_one_ms < slo)) return 0;
  rate = static_cast<int>(1000 / (slo - batch_one_ms) * latency_ratio);
  return 1;
}

}  // namespace tangram::detail
