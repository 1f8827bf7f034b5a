// The stationary renewal processes, and which process a spec asks for.
#include "workloads/arrivals.h"

#include <algorithm>
#include <utility>

#include "sim/core/check.h"
#include "sim/core/int128.h"
#include "sim/core/stable_math.h"
#include "workloads/detail/gap_sum.h"
#include "workloads/detail/piecewise.h"
#include "workloads/detail/trace_replay.h"
#include "workloads/mmpp.h"

namespace tangram {
namespace {

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

}  // namespace

std::unique_ptr<ArrivalProcess> make_arrivals(const ArrivalSpec& spec, RandomStream stream) {
  using Process = ArrivalSpec::Process;
  if (spec.process == Process::kTrace) return TraceReplay(spec).start(stream);
  if (spec.process == Process::kMmpp) return mmpp_arrivals(spec.states, stream);
  if (spec.process == Process::kPiecewise) return piecewise_arrivals(spec, stream);
  TANGRAM_CHECK(spec.process != Process::kClosedLoop && spec.process != Process::kStage,
                "a closed loop and a stage have no arrivals of their own");
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
