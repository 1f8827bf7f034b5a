// What is free on the SMs of a device, and the placement of blocks on them. Plain arrays of floats
// that hold whole numbers: every loop over SMs is one that a compiler turns into vector code, and
// integers below 2^24 make it exact.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <vector>

#include "profiles/sm_limits.h"

namespace tangram {

// What one block takes, ready for the arithmetic of SmArray.
struct BlockShape {
  BlockShape() = default;
  explicit BlockShape(const BlockNeed& need)
      : warps(static_cast<float>(need.warps)),
        registers(static_cast<float>(need.registers)),
        shared(static_cast<float>(need.shared)),
        per_warps(inverse(warps)),
        per_registers(inverse(registers)),
        per_shared(inverse(shared)) {}
  float warps = 1, registers = 0, shared = 0;
  float per_warps = 1, per_registers = kUnlimited, per_shared = kUnlimited;

 private:
  static constexpr float kUnlimited = 1e6F;  // blocks, by a resource that is not used
  static float inverse(float need) { return need > 0 ? 1 / need : kUnlimited; }
};

class SmArray {
 public:
  SmArray() = default;
  SmArray(const SmLimits& limits, std::uint32_t sms)
      : stride_((sms + 7) / 8 * 8),
        most_warps_(static_cast<float>(limits.threads / kThreadsPerWarp)),
        warps_(stride_, most_warps_),
        registers_(stride_, static_cast<float>(limits.registers / kRegisterUnit)),
        shared_(stride_, static_cast<float>(limits.shared_bytes / kSharedUnit)),
        slots_(stride_, 0.0F) {
    // Lanes that fill up the last vector have no room for anything.
    std::fill_n(slots_.begin(), sms, static_cast<float>(limits.blocks));
  }

  // Rounded up to whole vectors; all per-SM arrays have this size.
  std::uint32_t stride() const { return stride_; }

  // How many more such blocks each SM can hold, and in all. The half keeps a quotient that is a
  // whole number from being rounded below it: amounts are below 2^11, so quotients of different
  // values are at least 2^-12 apart.
  float room(const BlockShape& shape, float* out) const {
    const float* warps = warps_.data();
    const float* registers = registers_.data();
    const float* shared = shared_.data();
    const float* slots = slots_.data();
    std::int32_t total = 0;
    for (std::uint32_t s = 0; s < stride_; ++s) {
      float most = std::min(slots[s], (warps[s] + 0.5F) * shape.per_warps);
      most = std::min(most, (registers[s] + 0.5F) * shape.per_registers);
      most = std::min(most, (shared[s] + 0.5F) * shape.per_shared);
      const auto whole = static_cast<std::int32_t>(most);
      out[s] = static_cast<float>(whole);
      total += whole;
    }
    return static_cast<float>(total);
  }

  // Takes or gives back counts[s] blocks on every SM s.
  void take(const BlockShape& shape, const float* counts) { add(shape, counts, -1); }
  void give(const BlockShape& shape, const float* counts) { add(shape, counts, 1); }
  void take_one(const BlockShape& shape, std::uint32_t s) { add_one(shape, s, -1); }
  void give_one(const BlockShape& shape, std::uint32_t s) { add_one(shape, s, 1); }

  // How crowded each SM is: resident warps over `saturating`, at least 1.
  void crowding(float saturating, float* out) const {
    const float scale = 1 / saturating;
    const float* warps = warps_.data();
    for (std::uint32_t s = 0; s < stride_; ++s) {
      out[s] = std::max(1.0F, (most_warps_ - warps[s]) * scale);
    }
  }
  // The mean of `crowding` over the blocks in `counts`, n in all.
  double mean_crowding(const float* counts, const float* crowding, float n) const {
    // Eight sums, so that the order of additions is ours and not the compiler's.
    Lanes low{}, high{};
    for (std::uint32_t s = 0; s < stride_; s += 8) {
      low += lanes_at(counts + s) * lanes_at(crowding + s);
      high += lanes_at(counts + s + 4) * lanes_at(crowding + s + 4);
    }
    const Lanes sums = low + high;
    const float sum = (sums[0] + sums[1]) + (sums[2] + sums[3]);
    return static_cast<double>(sum / n);
  }

 private:
  // A vector register of both compilers: on their own they take the loop above apart.
  using Lanes [[gnu::vector_size(16)]] = float;
  static Lanes lanes_at(const float* from) {
    Lanes lanes;
    std::memcpy(&lanes, from, sizeof(lanes));
    return lanes;
  }

  void add(const BlockShape& shape, const float* counts, float sign) {
    const float w = sign * shape.warps, r = sign * shape.registers, m = sign * shape.shared;
    float* warps = warps_.data();
    float* registers = registers_.data();
    float* shared = shared_.data();
    float* slots = slots_.data();
    for (std::uint32_t s = 0; s < stride_; ++s) {
      const float n = counts[s];
      warps[s] += n * w;
      registers[s] += n * r;
      shared[s] += n * m;
      slots[s] += n * sign;
    }
  }
  void add_one(const BlockShape& shape, std::uint32_t s, float sign) {
    warps_[s] += sign * shape.warps;
    registers_[s] += sign * shape.registers;
    shared_[s] += sign * shape.shared;
    slots_[s] += sign;
  }

  std::uint32_t stride_ = 0;
  float most_warps_ = 0;
  std::vector<float> warps_, registers_, shared_, slots_;  // free, by SM
};

// Most-room placement (Gilman et al. 2020): each block goes to the SM that could host the most
// further blocks of its kernel, ties to the lower index. `room` says how many each could; on return
// it says how many each gets, n in all. Requires: n <= the sum of room, all whole numbers.
inline void place_most_room(float* room, std::uint32_t stride, float n) {
  float top = 0;
  for (std::uint32_t s = 0; s < stride; ++s) top = std::max(top, room[s]);
  // Blocks go to the highest level until it has come down to the next. The level at which n runs
  // out: all above it come down to it, and the first SMs on it take what is left.
  float level = top;
  float above = 0;  // blocks that bring all SMs down to `level`
  while (true) {
    std::int32_t next = 0;
    for (std::uint32_t s = 0; s < stride; ++s) {
      next += static_cast<std::int32_t>(std::max(0.0F, room[s] - (level - 1)));
    }
    if (static_cast<float>(next) > n) break;
    level -= 1;
    above = static_cast<float>(next);
    if (above >= n) break;
  }
  auto rest = static_cast<std::int32_t>(n - above);
  for (std::uint32_t s = 0; s < stride; ++s) {
    const bool one_more = rest > 0 && room[s] >= level && room[s] > 0;
    room[s] = std::max(0.0F, room[s] - level) + (one_more ? 1.0F : 0.0F);
    rest -= one_more ? 1 : 0;
  }
}

}  // namespace tangram
