// How often a run says how far it is.
#pragma once

#include <cstdint>

namespace tangram {

inline constexpr std::uint64_t kProgressEvery = 1 << 18;  // events

}  // namespace tangram
