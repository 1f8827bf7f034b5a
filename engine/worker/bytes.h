// Units of memory sizes, in bytes.
#pragma once

namespace tangram {

inline constexpr double kKib = 1024;
inline constexpr double kMib = kKib * kKib;

}  // namespace tangram
