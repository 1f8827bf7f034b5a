// What one streaming multiprocessor (SM) holds, what one block of a kernel takes of it, and so how
// many blocks an SM runs at once (its occupancy).
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "profiles/profile.h"

namespace tangram {

struct SmLimits {
  std::uint32_t threads = 2048;
  std::uint32_t blocks = 32;
  std::uint32_t registers = 65536;
  std::uint32_t shared_bytes = 98304;
  friend bool operator==(const SmLimits&, const SmLimits&) = default;
};

// Of the built-in GPU types that are GPUs (CUDA C++ Programming Guide, "Technical Specifications
// per Compute Capability"); nullopt for others.
std::optional<SmLimits> sm_limits(const std::string& gpu_type);

// In the units in which the hardware hands resources out: warps of 32 threads, 256 registers, 256
// bytes of shared memory.
struct BlockNeed {
  std::uint32_t warps = 1;
  std::uint32_t registers = 0;  // every warp's are rounded up to the unit
  std::uint32_t shared = 0;
  friend bool operator==(const BlockNeed&, const BlockNeed&) = default;
};
inline constexpr std::uint32_t kThreadsPerWarp = 32;
inline constexpr std::uint32_t kRegisterUnit = 256;
inline constexpr std::uint32_t kSharedUnit = 256;

BlockNeed block_need(const Kernel& kernel);
// How many such blocks an empty SM runs; 0: not even one.
std::uint32_t blocks_per_sm(const BlockNeed& need, const SmLimits& limits);

}  // namespace tangram
