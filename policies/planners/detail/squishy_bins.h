// Nexus' squishy bin packing (Shen et al., SOSP'19, section 6.1): GPUs whose sessions take turns,
// one batch each in a duty cycle. Times in ms, rates in requests/s.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "profiles/gpu_type.h"
#include "profiles/profile.h"

namespace tangram::detail {

constexpr double kSquishyRounding = 1e-9;  // relative; of times and rates that count as equal

// A workload as Nexus sees it.
struct SquishySession {
  std::size_t workload = 0;  // index in the problem
  const Profile* profile = nullptr;
  double slo_ms = 0;               // without what the network takes
  std::vector<double> latency_ms;  // by batch from 1
  std::uint32_t saturated = 1;     // b*: the largest batch that takes at most half the SLO

  double latency(std::uint32_t batch) const { return latency_ms[batch - 1]; }
  // Of a whole GPU.
  double throughput_rps() const { return saturated * 1000.0 / latency(saturated); }
};

struct SquishyShare {
  const SquishySession* session;  // outlives the share; equal sessions are one object
  double rate_rps;
  std::uint32_t batch;
};

// A GPU with its cycle: each of its sessions runs one batch in it.
struct SquishyGpu {
  double duty_ms = 0;
  std::vector<SquishyShare> shares;
  std::optional<std::uint32_t> index;  // in the cluster; none: not chosen yet

  double busy_ms() const;
  double occupancy() const { return busy_ms() / duty_ms; }
};

// The rest of a session alone on a GPU: the largest batch b <= b* that the slowest request of
// survives, (b - 1) / r + l(b) <= SLO, and the cycle in which it gathers, min(SLO - l(b), b / r),
// at least l(b). Requires: 0 < rate <= the session's throughput.
SquishyGpu squishy_alone(const SquishySession& session, double rate_rps);

// The shares of both in the shorter of the two cycles, batches as small as it allows. nullopt: they
// do not fit, by time, memory or batch, or have a session in common. The index is that of `a`.
std::optional<SquishyGpu> squishy_merged(const SquishyGpu& a,
                                         const SquishyGpu& b,
                                         const GpuType& type);

// Cycle and batches anew, for the rates that the shares have now: the shortest of the cycles that
// they would have alone. The GPU may be over-full after that. Requires: shares.
void squishy_settle(SquishyGpu& gpu);

// Whether the memory of the batches is known and more than the GPU's.
bool exceeds_memory(const SquishyGpu& gpu, const GpuType& type);

// Adds the rest to the one of `gpus`, from the `first` on, that is fullest with it, the first of
// equals; where it fits on none, as one more.
void squishy_place(const SquishyGpu& rest,
                   std::size_t first,
                   const GpuType& type,
                   std::vector<SquishyGpu>& gpus);

// Adds this rate of a session: whole GPUs while it fills them, at most until there are `most` GPUs;
// what is left is appended to `rests`.
void squishy_fill(const SquishySession& session,
                  double rate_rps,
                  std::size_t most,
                  std::vector<SquishyGpu>& gpus,
                  std::vector<SquishyGpu>& rests);

enum class SquishyOrder : std::uint8_t { kOccupancy, kRate };
// Largest first; equal ones stay in their order. Requires: one share each.
void sort_rests(SquishyOrder order, std::vector<SquishyGpu>& rests);

}  // namespace tangram::detail
