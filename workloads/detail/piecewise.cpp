// Each segment starts its process anew, from a stream of its own; only the rest of the last gap
// goes over from one renewal process to the next, in units of the mean gap
// (docs/model/workloads.md).
#include "workloads/detail/piecewise.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "sim/core/stable_math.h"
#include "workloads/detail/gap_sum.h"
#include "workloads/detail/trace_replay.h"

namespace tangram {
namespace {

using Process = ArrivalSpec::Process;

// The clock of a segment whose rate goes from one value to another in a straight line: the process
// runs at the mean rate on a clock of its own, which goes slowly where the rate is low.
class RampClock {
 public:
  RampClock() = default;
  RampClock(double from_rps, double to_rps, double length_ns)
      : from_(from_rps), mean_((from_rps + to_rps) / 2), slope_((to_rps - from_rps) / length_ns) {}
  // The time t with from t + slope t^2 / 2 = mean s: as many arrivals are expected by t as the
  // process expects by s.
  std::int64_t time_ns(std::int64_t process_ns) const {
    if (slope_ == 0) return process_ns;
    const double expected = mean_ * static_cast<double>(process_ns);
    return static_cast<std::int64_t>(2 * expected /
                                     (from_ + stable::sqrt(from_ * from_ + 2 * slope_ * expected)));
  }

 private:
  double from_ = 1;
  double mean_ = 1;
  double slope_ = 0;
};

struct Segment {
  ArrivalSpec spec;  // at its mean rate
  std::int64_t length_ns = 0;
  RampClock clock;
  std::optional<TraceReplay> trace;
  // Its gaps are independent and equally distributed: what is left of one can go on elsewhere.
  bool is_renewal = false;
  double mean_gap_ns = 0;  // of a renewal process
};

Segment make_segment(const ArrivalSpec& spec) {
  Segment segment;
  segment.spec = spec;
  segment.length_ns = from_seconds(spec.duration_s).count();
  if (spec.end_rps) {
    segment.clock = RampClock(spec.rate_rps, *spec.end_rps, static_cast<double>(segment.length_ns));
    segment.spec.rate_rps = (spec.rate_rps + *spec.end_rps) / 2;
  }
  if (spec.process == Process::kTrace) segment.trace.emplace(spec);
  segment.is_renewal = spec.process != Process::kTrace && spec.process != Process::kMmpp;
  if (segment.is_renewal) segment.mean_gap_ns = mean_gap_ns(segment.spec.rate_rps);
  return segment;
}

class PiecewiseArrivals final : public ArrivalProcess {
 public:
  PiecewiseArrivals(const ArrivalSpec& spec, RandomStream stream)
      : repeat_(spec.repeat), stream_(stream) {
    for (const ArrivalSpec& segment : spec.segments) segments_.push_back(make_segment(segment));
    begin_segment();
  }

  std::size_t next(std::span<TimePoint> out) override {
    std::size_t count = 0;
    while (count < out.size() && !ended_) {
      const std::optional<std::int64_t> offset = next_offset();
      const Segment& segment = segments_[index_];
      if (offset && *offset < segment.length_ns) {
        const std::int64_t time_ns = start_ns_ + segment.clock.time_ns(*offset);
        if (time_ns >= static_cast<std::int64_t>(kEndNs)) {
          ended_ = true;
          break;
        }
        out[count++] = TimePoint(Duration(time_ns));
      } else {
        end_segment(offset);
      }
    }
    return count;
  }

 private:
  // The next arrival, from the segment's start, on the clock of its process; nullopt after the
  // last.
  std::optional<std::int64_t> next_offset() {
    if (first_ns_) return std::exchange(first_ns_, std::nullopt);
    if (taken_ == filled_) {
      filled_ = process_->next(buffer_);
      taken_ = 0;
    }
    if (taken_ == filled_) return std::nullopt;
    return buffer_[taken_++].time_since_epoch().count() + shift_ns_;
  }

  void end_segment(std::optional<std::int64_t> beyond) {
    const Segment& segment = segments_[index_];
    rest_ = std::nullopt;
    if (segment.is_renewal && beyond) {
      rest_ = static_cast<double>(*beyond - segment.length_ns) / segment.mean_gap_ns;
    }
    do {
      start_ns_ += segments_[index_].length_ns;
      ++index_;
      if (index_ == segments_.size() && repeat_) index_ = 0;
      ended_ = index_ == segments_.size() || start_ns_ >= static_cast<std::int64_t>(kEndNs);
    } while (!ended_ && is_passed_over());
    if (!ended_) begin_segment();
  }

  // Whether the rest of the last gap outlasts the segment, too; it is then shorter by the segment.
  bool is_passed_over() {
    const Segment& segment = segments_[index_];
    const auto length = static_cast<double>(segment.length_ns);
    if (!segment.is_renewal || !rest_ || *rest_ * segment.mean_gap_ns < length) return false;
    *rest_ -= length / segment.mean_gap_ns;
    return true;
  }

  void begin_segment() {
    const Segment& segment = segments_[index_];
    const RandomStream stream(StreamKey(stream_.bits()));
    process_ = segment.trace ? segment.trace->start(stream) : make_arrivals(segment.spec, stream);
    taken_ = filled_ = 0;
    shift_ns_ = 0;
    first_ns_ = std::nullopt;
    if (!segment.is_renewal || !rest_) return;
    const double rest_ns = *rest_ * segment.mean_gap_ns;
    first_ns_ = from_ns(rest_ns).count();
    // A constant process comes only half a gap after its start, which is the first arrival here.
    const bool is_half = segment.spec.process == Process::kConstant;
    shift_ns_ =
        from_ns(rest_ns + (is_half ? std::min(segment.mean_gap_ns / 2, 0x1p60) : 0)).count();
  }

  std::vector<Segment> segments_;
  bool repeat_;
  RandomStream stream_;
  std::size_t index_ = 0;
  std::int64_t start_ns_ = 0;  // of the segment
  bool ended_ = false;
  std::optional<double> rest_;  // of the gap at the end of the last segment, in mean gaps
  // The segment's process: its arrivals come `shift_ns_` later, `first_ns_` before them.
  std::unique_ptr<ArrivalProcess> process_;
  std::int64_t shift_ns_ = 0;
  std::optional<std::int64_t> first_ns_;
  std::array<TimePoint, 64> buffer_{};
  std::size_t taken_ = 0;
  std::size_t filled_ = 0;
};

}  // namespace

std::unique_ptr<ArrivalProcess> piecewise_arrivals(const ArrivalSpec& spec, RandomStream stream) {
  return std::make_unique<PiecewiseArrivals>(spec, stream);
}

}  // namespace tangram
