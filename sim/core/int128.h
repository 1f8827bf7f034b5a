// 128-bit integers under names that -Wpedantic accepts.
#pragma once

#include <cstdint>

namespace tangram {

__extension__ using Int128 = __int128;
__extension__ using UInt128 = unsigned __int128;

// A sum of 64-bit values, an addition and a carry each: g++ 12 takes three times as many
// instructions to add to an UInt128 in memory.
class WideSum {
 public:
  void add(std::uint64_t value) {
    high_ += static_cast<std::uint64_t>(__builtin_add_overflow(low_, value, &low_));
  }
  void add(UInt128 value) { *this = WideSum(UInt128(*this) + value); }
  explicit operator UInt128() const { return UInt128{high_} << 64 | low_; }

  WideSum() = default;

 private:
  explicit WideSum(UInt128 value)
      : low_(static_cast<std::uint64_t>(value)), high_(static_cast<std::uint64_t>(value >> 64)) {}

  std::uint64_t low_ = 0;
  std::uint64_t high_ = 0;
};

}  // namespace tangram
