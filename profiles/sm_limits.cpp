#include "profiles/sm_limits.h"

#include <algorithm>
#include <array>

namespace tangram {
namespace {

struct GpuLimits {
  const char* gpu;
  SmLimits limits;
};
constexpr std::uint32_t kKib = 1024;
// Compute capability 7.0 (V100), 7.5 (Turing), 8.0 (A100), 8.6 (Ampere boards), 9.0 (Hopper).
// Shared memory is the most that blocks of one SM may use together.
constexpr std::array<GpuLimits, 9> kRows{{
    {"t4", {1024, 16, 65536, 64 * kKib}},
    {"2080ti", {1024, 16, 65536, 64 * kKib}},
    {"v100", {2048, 32, 65536, 96 * kKib}},
    {"gv100", {2048, 32, 65536, 96 * kKib}},
    {"3080", {1536, 16, 65536, 100 * kKib}},
    {"a100-40gb", {2048, 32, 65536, 164 * kKib}},
    {"a100-80gb", {2048, 32, 65536, 164 * kKib}},
    {"h100-80gb", {2048, 32, 65536, 228 * kKib}},
    {"h200", {2048, 32, 65536, 228 * kKib}},
}};

constexpr std::uint32_t units(std::uint32_t amount, std::uint32_t unit) {
  return (amount + unit - 1) / unit;
}

}  // namespace

std::optional<SmLimits> sm_limits(const std::string& gpu_type) {
  for (const GpuLimits& row : kRows) {
    if (gpu_type == row.gpu) return row.limits;
  }
  return std::nullopt;
}

BlockNeed block_need(const Kernel& kernel) {
  BlockNeed need;
  need.warps = units(kernel.threads, kThreadsPerWarp);
  need.registers = need.warps * units(kernel.registers * kThreadsPerWarp, kRegisterUnit);
  need.shared = units(kernel.shared_memory, kSharedUnit);
  return need;
}

std::uint32_t blocks_per_sm(const BlockNeed& need, const SmLimits& limits) {
  std::uint32_t most = std::min(limits.blocks, limits.threads / kThreadsPerWarp / need.warps);
  if (need.registers > 0) most = std::min(most, limits.registers / kRegisterUnit / need.registers);
  if (need.shared > 0) most = std::min(most, limits.shared_bytes / kSharedUnit / need.shared);
  return most;
}

}  // namespace tangram
