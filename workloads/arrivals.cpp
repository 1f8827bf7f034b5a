// The arrival processes. Gaps are summed in fractions of a nanosecond and rounded once, on output,
// so that the mean rate is unbiased up to 1e9 requests/s (docs/model/workloads.md).
#include "workloads/arrivals.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <utility>

#include "sim/core/check.h"
#include "sim/core/int128.h"
#include "sim/core/stable_math.h"
#include "workloads/trace.h"

namespace tangram {
namespace {

// No arrival is later (about 146 years): sums of two times still fit 64 bits.
constexpr std::uint64_t kEndNs = std::uint64_t{1} << 62;

// Clamped: beyond any run, but finite, so that products with a random number stay numbers.
double mean_gap_ns(double rate_rps) {
  return std::min(1e9 / rate_rps, 1e30);
}

// A time that gaps are added to, in ticks of 2^-bits ns: integers, so that the sum is exact and its
// dependency chain is an addition and a mask.
class GapSum {
 public:
  // A tick is at most 2^-40 of the mean gap, and at most 1 ns: cutting gaps off at whole ticks
  // costs less than 2^-40 of the rate.
  explicit GapSum(double mean_ns)
      : bits_(std::clamp(40 - std::ilogb(mean_ns), 0, 40)),
        mask_((std::uint64_t{1} << bits_) - 1),
        part_((std::uint64_t{1} << bits_) >> 1) {}  // half a nanosecond: output rounds to nearest

  double ticks_per_ns() const { return static_cast<double>(mask_ + 1); }
  // False when the sum has passed the end of time; it then stays there. Requires: ticks >= 0.
  bool add(double ticks) {
    std::uint64_t whole = 0;
    if (ticks < 0x1p62) [[likely]] {
      const std::uint64_t sum =
          part_ + static_cast<std::uint64_t>(static_cast<std::int64_t>(ticks));
      whole = sum >> bits_;
      part_ = sum & mask_;
    } else {
      const double ns = ticks / ticks_per_ns();
      whole = ns < 0x1p62 ? static_cast<std::uint64_t>(ns) : kEndNs;
    }
    whole_ += whole;
    if (whole_ < kEndNs) [[likely]]
      return true;
    whole_ = kEndNs;
    return false;
  }
  TimePoint time() const { return TimePoint(Duration(static_cast<std::int64_t>(whole_))); }

 private:
  int bits_;
  std::uint64_t mask_;
  std::uint64_t part_;
  std::uint64_t whole_ = 0;
};

// Independent, equally distributed gaps; draw(stream) returns one in ticks.
template <typename Draw>
class RenewalArrivals final : public ArrivalProcess {
 public:
  RenewalArrivals(RandomStream stream, GapSum sum, Draw draw)
      : stream_(stream), sum_(sum), draw_(draw) {}

  std::size_t next(std::span<TimePoint> out) override {
    // Local copies: the stores to `out` could alias members, and the state would be reloaded.
    RandomStream stream = stream_;
    GapSum sum = sum_;
    const Draw draw = draw_;
    std::size_t count = 0;
    for (TimePoint& time : out) {
      const double ticks = draw(stream);
      if (!sum.add(ticks)) break;
      time = sum.time();
      ++count;
    }
    stream_ = stream;
    sum_ = sum;
    return count;
  }

 private:
  RandomStream stream_;
  GapSum sum_;
  Draw draw_;
};

template <typename Draw>
std::unique_ptr<ArrivalProcess> renewal(RandomStream stream, GapSum sum, Draw draw) {
  return std::make_unique<RenewalArrivals<Draw>>(stream, sum, draw);
}

// Arrival i (from 0) at (i + 1/2) / rate. The gap has 64 binary places below the nanosecond, which
// hold every bit of the double 1e9 / rate: no drift.
class ConstantArrivals final : public ArrivalProcess {
 public:
  explicit ConstantArrivals(double rate_rps) {
    const double gap_ns = std::min(mean_gap_ns(rate_rps), 0x1p62);
    const auto whole = static_cast<std::uint64_t>(gap_ns);
    const double part = gap_ns - static_cast<double>(whole);
    gap_ = (UInt128{whole} << 64) + static_cast<std::uint64_t>(part * 0x1p64);
    next_ = (gap_ >> 1) + (UInt128{1} << 63);  // the output rounds to nearest
  }

  std::size_t next(std::span<TimePoint> out) override {
    UInt128 time = next_;
    const UInt128 gap = gap_;
    std::size_t count = 0;
    for (TimePoint& slot : out) {
      const auto ns = static_cast<std::uint64_t>(time >> 64);
      if (ns >= kEndNs) break;
      slot = TimePoint(Duration(static_cast<std::int64_t>(ns)));
      time += gap;
      ++count;
    }
    next_ = time;
    return count;
  }

 private:
  UInt128 gap_;
  UInt128 next_;
};

// Replays a slice of a recording, `speed` times as fast.
class TraceArrivals final : public ArrivalProcess {
 public:
  // Requires: `repeat_every_ns`, the slowed or quickened length of the slice, when it repeats.
  TraceArrivals(std::vector<Duration> offsets, double speed, std::optional<double> repeat_every_ns)
      : offsets_(std::move(offsets)), repeat_every_ns_(repeat_every_ns) {
    for (Duration& offset : offsets_) {
      const double scaled = static_cast<double>(offset.count()) / speed;
      // At speed 1 the integer stays as it is: a double holds only 2^53 ns exactly.
      if (speed != 1) offset = scaled < 0x1p62 ? from_ns(scaled) : Duration(kEndNs);
    }
  }

  std::size_t next(std::span<TimePoint> out) override {
    std::size_t count = 0;
    for (TimePoint& time : out) {
      if (row_ == offsets_.size() && !start_over()) break;
      const TimePoint at = start_ + offsets_[row_];
      if (at >= kEnd) break;
      ++row_;
      // The start of a round is rounded by itself and may fall 1 ns before the last row.
      latest_ = std::max(latest_, at);
      time = latest_;
      ++count;
    }
    return count;
  }

 private:
  static constexpr TimePoint kEnd{Duration(kEndNs)};

  bool start_over() {
    if (!repeat_every_ns_ || offsets_.empty()) return false;
    // From the count of rounds, not added up: rounding does not accumulate.
    const double start_ns = static_cast<double>(round_ + 1) * *repeat_every_ns_;
    if (!(start_ns < 0x1p62)) return false;
    ++round_;
    start_ = TimePoint(from_ns(start_ns));
    row_ = 0;
    return true;
  }

  std::vector<Duration> offsets_;
  std::optional<double> repeat_every_ns_;
  std::size_t row_ = 0;
  std::uint64_t round_ = 0;
  TimePoint start_ = kStart;
  TimePoint latest_ = kStart;
};

std::unique_ptr<ArrivalProcess> trace_arrivals(const ArrivalSpec& spec) {
  Faults faults;
  const std::vector<Duration> trace = read_trace(spec.path, spec.format, faults);
  faults.throw_if_any();
  TraceSlice slice = slice_trace(trace, spec.slice_start_s, spec.slice_end_s);
  double speed = spec.speed_up;
  if (spec.rate_rps > 0) {
    const std::optional<double> own_rate = slice.rate_rps();
    TANGRAM_CHECK(own_rate, "a rate for a trace that has none of its own; ", spec.path);
    speed = spec.rate_rps / *own_rate;
  }
  std::optional<double> repeat_every_ns;
  if (spec.repeat) {
    TANGRAM_CHECK(slice.length_ns, "repeating a trace without a length; ", spec.path);
    repeat_every_ns = *slice.length_ns / speed;
  }
  return std::make_unique<TraceArrivals>(std::move(slice.offsets), speed, repeat_every_ns);
}

}  // namespace

std::unique_ptr<ArrivalProcess> make_arrivals(const ArrivalSpec& spec, RandomStream stream) {
  using Process = ArrivalSpec::Process;
  if (spec.process == Process::kTrace) return trace_arrivals(spec);
  TANGRAM_CHECK(spec.process != Process::kClosedLoop, "a closed loop has no arrivals of its own");
  TANGRAM_CHECK(spec.rate_rps > 0 && spec.rate_rps <= 1e9, "rate_rps ", spec.rate_rps);
  if (spec.process == Process::kConstant) return std::make_unique<ConstantArrivals>(spec.rate_rps);

  const double mean_ns = mean_gap_ns(spec.rate_rps);
  const GapSum sum(mean_ns);
  const double mean = mean_ns * sum.ticks_per_ns();
  if (spec.process == Process::kPoisson) {
    return renewal(stream, sum, [mean](RandomStream& s) { return mean * s.exponential(); });
  }
  if (spec.process == Process::kGamma) {
    const double shape = spec.shape;
    const double scale = mean / shape;
    return renewal(stream, sum, [=](RandomStream& s) { return scale * s.gamma(shape); });
  }
  const double sigma = spec.sigma;
  const double mu = stable::log(mean) - sigma * sigma / 2;
  return renewal(stream, sum, [=](RandomStream& s) { return s.lognormal(mu, sigma); });
}

}  // namespace tangram
