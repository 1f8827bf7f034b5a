// The ranges that every reader of profiles (JSON, HDF5, CSV) enforces.
#pragma once

#include <cstdint>

namespace tangram {

inline constexpr double kLongestLatencyMs = 1e9;  // 11.6 days: fits 64-bit nanoseconds many times
inline constexpr std::uint32_t kLargestBatch = 1'000'000;
inline constexpr std::uint32_t kMostProcesses = 1'000;
inline constexpr int kMostSms = 1'000'000;
inline constexpr double kMostMemoryMib = 1e9;
inline constexpr double kMostItemsPerSecond = 1e12;
inline constexpr double kMostPowerW = 1e5;
inline constexpr double kMostKernels = 1e9;
inline constexpr double kLargestCv = 100;
// A measured ratio scatters around 1 where there is no interference.
inline constexpr double kLeastMeasuredSlowdown = 0.1;
inline constexpr double kLargestSlowdown = 1000;

}  // namespace tangram
