// The rare paths of the ziggurats, their tables (computed at compile time), and the distributions
// that are built on them.
#include "sim/core/random.h"

#include "sim/core/int128.h"
#include "sim/core/stable_math.h"

namespace tangram {
namespace {

constexpr std::size_t kLayers = detail::kZigguratLayers;

// Where the tails begin, for 256 layers of equal area (Marsaglia and Tsang 2000).
constexpr double kExponentialTail = 7.69711747013104972;
constexpr double kNormalTail = 3.6541528853610088;

constexpr double exponential_density(double x) {
  return stable::exp(-x);
}
constexpr double normal_density(double x) {
  return stable::exp(-0.5 * x * x);
}
constexpr double exponential_inverse(double y) {
  return -stable::log(y);
}
constexpr double normal_inverse(double y) {
  return stable::sqrt(-2 * stable::log(y));
}

// The area under exp(-t^2/2) beyond r: Laplace's continued fraction r + 1/(r + 2/(r + 3/(r +
// ...))).
constexpr double normal_tail_area(double r) {
  double fraction = r;
  for (int k = 200; k >= 1; --k) fraction = r + k / fraction;
  return normal_density(r) / fraction;
}

// The right edges of the layers. Layer 0 is the base: a rectangle as high as the density at the
// tail's start, with the tail; its edge is that of a rectangle of the same area. edge[kLayers] = 0.
using Edges = std::array<double, kLayers + 1>;
template <typename Density, typename Inverse>
constexpr Edges make_edges(double tail, double area, Density density, Inverse inverse) {
  Edges edge{};
  edge[0] = area / density(tail);
  edge[1] = tail;
  for (std::size_t i = 2; i < kLayers; ++i) {
    edge[i] = inverse(density(edge[i - 1]) + area / edge[i - 1]);
  }
  return edge;
}

constexpr Edges kExponentialEdges =
    make_edges(kExponentialTail,
               (kExponentialTail + 1) * exponential_density(kExponentialTail),
               exponential_density,
               exponential_inverse);
constexpr Edges kNormalEdges =
    make_edges(kNormalTail,
               kNormalTail* normal_density(kNormalTail) + normal_tail_area(kNormalTail),
               normal_density,
               normal_inverse);

constexpr detail::ZigguratTable make_table(const Edges& edge) {
  detail::ZigguratTable table{};
  for (std::size_t i = 0; i < kLayers; ++i) {
    table[i].limit = static_cast<std::int64_t>(edge[i + 1] / edge[i] * 0x1p53);
    table[i].scale = edge[i] * 0x1p-53;
  }
  return table;
}

template <typename Density>
constexpr Edges heights(const Edges& edge, Density density) {
  Edges height{};
  for (std::size_t i = 0; i <= kLayers; ++i) height[i] = density(edge[i]);
  return height;
}
constexpr Edges kExponentialHeights = heights(kExponentialEdges, exponential_density);
constexpr Edges kNormalHeights = heights(kNormalEdges, normal_density);

// The top layer must reach the density's maximum 1, or the tail's start and the area do not fit.
constexpr bool closes(const Edges& edge, const Edges& height, double area) {
  const double top = height[kLayers - 1] + area / edge[kLayers - 1];
  return top > 1 - 1e-9 && top < 1 + 1e-9;
}
static_assert(closes(kExponentialEdges,
                     kExponentialHeights,
                     kExponentialEdges[0] * kExponentialHeights[1]));
static_assert(closes(kNormalEdges, kNormalHeights, kNormalEdges[0] * kNormalHeights[1]));

// Whether a point at a random height of the layer, drawn by `u`, lies under the density at x.
bool under(const Edges& height, std::size_t layer, double u, double density) {
  return height[layer] + u * (height[layer + 1] - height[layer]) < density;
}

}  // namespace

namespace detail {
constinit const ZigguratTable kExponentialTable = make_table(kExponentialEdges);
constinit const ZigguratTable kNormalTable = make_table(kNormalEdges);
}  // namespace detail

// splitmix64 is a permutation of a counter, so the four words differ and are not all zero, the one
// state that xoshiro never leaves.
RandomStream::RandomStream(StreamKey key) {
  std::uint64_t state = key.value();
  for (std::uint64_t& word : s_) {
    word = detail::splitmix64(state);
    state += detail::kGoldenRatio;
  }
}

std::uint64_t RandomStream::below(std::uint64_t n) {
  UInt128 product = UInt128{bits()} * n;
  if (static_cast<std::uint64_t>(product) < n) {
    const std::uint64_t biased = (0 - n) % n;
    while (static_cast<std::uint64_t>(product) < biased) product = UInt128{bits()} * n;
  }
  return static_cast<std::uint64_t>(product >> 64);
}

// Called with the draw that missed its layer's inner rectangle. The tail has no memory: it is the
// distribution itself, moved.
double RandomStream::exponential_beyond(std::uint64_t draw) {
  double moved = 0;
  for (;;) {
    const std::size_t layer = draw & (kLayers - 1);
    const auto step = static_cast<std::int64_t>(draw >> 11);
    const detail::ZigguratLayer& box = detail::kExponentialTable[layer];
    const double x = static_cast<double>(step) * box.scale;
    if (step < box.limit) return moved + x;
    if (layer == 0) {
      moved += kExponentialTail;
    } else if (under(kExponentialHeights, layer, uniform(), exponential_density(x))) {
      return moved + x;
    }
    draw = bits();
  }
}

// The tail by Marsaglia (1964): exponential x / tail, accepted while 2 y > x^2.
double RandomStream::normal_beyond(std::uint64_t draw) {
  for (;;) {
    const std::size_t layer = draw & (kLayers - 1);
    const auto step = static_cast<std::int64_t>(draw >> 11);
    const double sign = (draw & kLayers) != 0 ? -1 : 1;
    const detail::ZigguratLayer& box = detail::kNormalTable[layer];
    const double x = static_cast<double>(step) * box.scale;
    if (step < box.limit) return sign * x;
    if (layer == 0) {
      for (;;) {
        const double beyond = exponential() / kNormalTail;
        const double y = exponential();
        if (2 * y > beyond * beyond) return sign * (kNormalTail + beyond);
      }
    }
    if (under(kNormalHeights, layer, uniform(), normal_density(x))) return sign * x;
    draw = bits();
  }
}

double RandomStream::lognormal(double mu, double sigma) {
  return stable::exp(mu + sigma * normal());
}

double RandomStream::gamma(double shape) {
  if (shape < 1) {
    // G(shape) = G(shape + 1) U^(1/shape), and -ln U is exponential.
    const double larger = gamma(shape + 1);
    const double e = exponential();
    return larger * stable::exp(-e / shape);
  }
  const double d = shape - 1.0 / 3;
  const double c = 1 / stable::sqrt(9 * d);
  for (;;) {
    const double x = normal();
    const double root = 1 + c * x;
    if (root <= 0) continue;
    const double v = root * root * root;
    const double u = uniform();
    const double x2 = x * x;
    if (u < 1 - 0.0331 * x2 * x2) return d * v;
    if (stable::log(u) < 0.5 * x2 + d * (1 - v + stable::log(v))) return d * v;
  }
}

}  // namespace tangram
