// Random numbers that are the same bits everywhere: our own generator, distributions, logarithm and
// exponential, in plain IEEE arithmetic. One stream per source, keyed by its name, so that adding a
// source never moves another's numbers. Draw once per statement: the order of evaluation of
// arguments differs between compilers.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace tangram {

namespace detail {
constexpr std::uint64_t kGoldenRatio = 0x9e3779b97f4a7c15ULL;  // 2^64 / phi, made odd

// One output of splitmix64 (Steele, Lea, Flood 2014) whose state before the step is `z`.
constexpr std::uint64_t splitmix64(std::uint64_t z) {
  z += kGoldenRatio;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
  return z ^ (z >> 31);
}
}  // namespace detail

// A 64-bit key from a seed and a path of names and numbers (splitmix64 finaliser over FNV-1a).
class StreamKey {
 public:
  explicit constexpr StreamKey(std::uint64_t seed) : state_(detail::splitmix64(seed)) {}
  constexpr StreamKey with(std::uint64_t number) const {
    return StreamKey(state_ ^ detail::splitmix64(number + detail::kGoldenRatio), Raw{});
  }
  constexpr StreamKey with(std::string_view name) const {
    std::uint64_t hash = 0xcbf29ce484222325ULL;
    for (const char c : name) {
      hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3ULL;
    }
    return with(hash);
  }
  constexpr std::uint64_t value() const { return state_; }

 private:
  struct Raw {};
  constexpr StreamKey(std::uint64_t state, Raw) : state_(detail::splitmix64(state)) {}
  std::uint64_t state_;
};

namespace detail {
// One horizontal layer of a ziggurat: a 53-bit draw below `limit` is certainly under the density.
struct ZigguratLayer {
  std::int64_t limit;
  double scale;
};
inline constexpr std::size_t kZigguratLayers = 256;
using ZigguratTable = std::array<ZigguratLayer, kZigguratLayers>;
extern const ZigguratTable kExponentialTable;
extern const ZigguratTable kNormalTable;
}  // namespace detail

// One stream: xoshiro256++ (Blackman and Vigna 2018) seeded by splitmix64 from a key.
class RandomStream {
 public:
  explicit RandomStream(StreamKey key);

  std::uint64_t bits() {
    const std::uint64_t result = rotate(s_[0] + s_[3], 23) + s_[0];
    const std::uint64_t t = s_[1] << 17;
    s_[2] ^= s_[0];
    s_[3] ^= s_[1];
    s_[1] ^= s_[2];
    s_[0] ^= s_[3];
    s_[2] ^= t;
    s_[3] = rotate(s_[3], 45);
    return result;
  }
  // Uniform on [0, 1), a multiple of 2^-53.
  double uniform() { return static_cast<double>(bits() >> 11) * 0x1.0p-53; }
  // Uniform on 0 .. n-1, without bias (Lemire 2019). Requires: n > 0.
  std::uint64_t below(std::uint64_t n);
  // Mean 1, by a 256-layer ziggurat (Marsaglia and Tsang 2000).
  double exponential() {
    const std::uint64_t draw = bits();
    const detail::ZigguratLayer& layer = detail::kExponentialTable[draw & 255];
    const auto step = static_cast<std::int64_t>(draw >> 11);
    if (step < layer.limit) [[likely]]
      return static_cast<double>(step) * layer.scale;
    return exponential_beyond(draw);
  }
  // Mean 0, variance 1, by a 256-layer ziggurat.
  double normal() {
    const std::uint64_t draw = bits();
    const detail::ZigguratLayer& layer = detail::kNormalTable[draw & 255];
    const auto step = static_cast<std::int64_t>(draw >> 11);
    if (step < layer.limit) [[likely]] {
      const std::uint64_t sign = (draw & 256) << 55;
      return std::bit_cast<double>(
          std::bit_cast<std::uint64_t>(static_cast<double>(step) * layer.scale) | sign);
    }
    return normal_beyond(draw);
  }
  // exp(mu + sigma z), z normal.
  double lognormal(double mu, double sigma);
  // Mean `shape`, variance `shape`: scale 1 (Marsaglia and Tsang 2000). Requires: shape > 0.
  double gamma(double shape);

 private:
  double exponential_beyond(std::uint64_t draw);
  double normal_beyond(std::uint64_t draw);
  static constexpr std::uint64_t rotate(std::uint64_t x, int k) {
    return (x << k) | (x >> (64 - k));
  }
  std::array<std::uint64_t, 4> s_;
};

}  // namespace tangram
