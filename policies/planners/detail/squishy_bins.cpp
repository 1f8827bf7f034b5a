#include "policies/planners/detail/squishy_bins.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "policies/placement.h"

namespace tangram::detail {
namespace {

constexpr double kBatchSlack =
    1e-3;  // of a batch, before it is rounded up; as in the released code

double batch_in(double duty_ms, double rate_rps) {
  return std::max(std::ceil(duty_ms * rate_rps / 1000 - kBatchSlack), 1.0);
}

}  // namespace

double SquishyGpu::busy_ms() const {
  double sum = 0;
  for (const SquishyShare& share : shares) sum += share.session->latency(share.batch);
  return sum;
}

SquishyGpu squishy_alone(const SquishySession& session, double rate_rps) {
  std::uint32_t batch = 1;
  for (std::uint32_t b = 2; b <= session.saturated; ++b) {
    if ((b - 1) * 1000.0 / rate_rps + session.latency(b) <= session.slo_ms + kSquishyRounding) {
      batch = b;
    }
  }
  const double latency = session.latency(batch);
  const double duty = std::min(session.slo_ms - latency, batch * 1000.0 / rate_rps);
  return {std::max(duty, latency), {{&session, rate_rps, batch}}, std::nullopt};
}

std::optional<SquishyGpu> squishy_merged(const SquishyGpu& a,
                                         const SquishyGpu& b,
                                         const GpuType& type) {
  SquishyGpu gpu{std::min(a.duty_ms, b.duty_ms), a.shares, a.index};
  gpu.shares.insert(gpu.shares.end(), b.shares.begin(), b.shares.end());
  for (std::size_t i = 0; i < gpu.shares.size(); ++i) {
    SquishyShare& share = gpu.shares[i];
    for (std::size_t j = 0; j < i; ++j) {
      if (gpu.shares[j].session == share.session) return std::nullopt;
    }
    const double batch = batch_in(gpu.duty_ms, share.rate_rps);
    if (batch > share.session->saturated) return std::nullopt;
    share.batch = static_cast<std::uint32_t>(batch);
  }
  if (exceeds_memory(gpu, type) || gpu.busy_ms() > gpu.duty_ms + kSquishyRounding) {
    return std::nullopt;
  }
  return gpu;
}

void squishy_settle(SquishyGpu& gpu) {
  gpu.duty_ms = squishy_alone(*gpu.shares[0].session, gpu.shares[0].rate_rps).duty_ms;
  for (const SquishyShare& share : gpu.shares) {
    gpu.duty_ms = std::min(gpu.duty_ms, squishy_alone(*share.session, share.rate_rps).duty_ms);
  }
  for (SquishyShare& share : gpu.shares) {
    // The cycle is at most that of the session alone, whose batch is at most b*; but where a larger
    // batch takes less time, its cycle may hold a batch more.
    const double batch = batch_in(gpu.duty_ms, share.rate_rps);
    const double most = share.session->saturated;
    if (batch > most) gpu.duty_ms = std::min(gpu.duty_ms, most * 1000 / share.rate_rps);
    share.batch = static_cast<std::uint32_t>(std::min(batch, most));
  }
}

bool exceeds_memory(const SquishyGpu& gpu, const GpuType& type) {
  double needed = 0;
  for (const SquishyShare& share : gpu.shares) {
    needed += memory_mib(*share.session->profile, 1, share.batch).value_or(0);
  }
  const std::optional<double> there = memory_of_mib(type, Share{});
  return there && needed > *there;
}

void squishy_place(const SquishyGpu& rest,
                   std::size_t first,
                   const GpuType& type,
                   std::vector<SquishyGpu>& gpus) {
  std::optional<SquishyGpu> best;
  std::size_t chosen = gpus.size();
  for (std::size_t n = first; n < gpus.size(); ++n) {
    std::optional<SquishyGpu> gpu = squishy_merged(gpus[n], rest, type);
    if (!gpu || (best && gpu->occupancy() <= best->occupancy())) continue;
    best = std::move(gpu);
    chosen = n;
  }
  if (best) {
    gpus[chosen] = std::move(*best);
  } else {
    gpus.push_back(rest);
  }
}

void squishy_fill(const SquishySession& session,
                  double rate_rps,
                  std::size_t most,
                  std::vector<SquishyGpu>& gpus,
                  std::vector<SquishyGpu>& rests) {
  const double whole = session.throughput_rps();
  while (rate_rps >= whole && gpus.size() <= most) {
    gpus.push_back(
        {session.latency(session.saturated), {{&session, whole, session.saturated}}, std::nullopt});
    rate_rps -= whole;
  }
  if (rate_rps > whole * kSquishyRounding && rate_rps < whole) {
    rests.push_back(squishy_alone(session, rate_rps));
  }
}

void sort_rests(SquishyOrder order, std::vector<SquishyGpu>& rests) {
  std::stable_sort(rests.begin(), rests.end(), [&](const SquishyGpu& a, const SquishyGpu& b) {
    return order == SquishyOrder::kRate ? a.shares[0].rate_rps > b.shares[0].rate_rps
                                        : a.occupancy() > b.occupancy();
  });
}

}  // namespace tangram::detail
