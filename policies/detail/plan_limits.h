// The ranges that the readers of plan files (JSON and the formats of published planners) enforce.
#pragma once

namespace tangram::detail {

inline constexpr int kLargestPlannedBatch = 1 << 20;
inline constexpr int kMostPlannedProcesses = 1024;
inline constexpr double kHighestPlannedRps = 1e12;
inline constexpr double kLongestPlannedMs = 1e12;
inline constexpr double kLargestReleasedShare = 1e12;  // percent; what an original program wrote

}  // namespace tangram::detail
