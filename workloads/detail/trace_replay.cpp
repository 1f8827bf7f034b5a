// Replay of recorded times as they are, and of counts a minute with the places inside the minute
// drawn at random.
#include "workloads/detail/trace_replay.h"

#include <algorithm>
#include <utility>

#include "sim/core/check.h"
#include "sim/core/stable_math.h"
#include "workloads/detail/gap_sum.h"

namespace tangram {
namespace {

constexpr TimePoint kEnd{Duration(kEndNs)};

TimePoint at_ns(double ns) {
  return ns < 0x1p62 ? TimePoint(from_ns(ns)) : kEnd;
}

// The rows of one round after the other, or of one round only. The start of a round is computed
// from the number of rounds, not added up: rounding does not accumulate.
class Rounds {
 public:
  explicit Rounds(std::optional<double> every_ns) : every_ns_(every_ns) {}
  double start_ns() const { return static_cast<double>(round_) * every_ns_.value_or(0); }
  // False when there is no further round, or none before the end of time.
  bool next() {
    if (!every_ns_ || !(static_cast<double>(round_ + 1) * *every_ns_ < 0x1p62)) return false;
    ++round_;
    return true;
  }

 private:
  std::optional<double> every_ns_;
  std::uint64_t round_ = 0;
};

class TimesReplay final : public ArrivalProcess {
 public:
  TimesReplay(std::shared_ptr<const Recording> rows, Rounds rounds)
      : rows_(std::move(rows)), rounds_(rounds) {}

  std::size_t next(std::span<TimePoint> out) override {
    const std::vector<Duration>& offsets = rows_->times;
    std::size_t count = 0;
    for (TimePoint& time : out) {
      if (row_ == offsets.size() && !start_over()) break;
      const TimePoint at = start_ + offsets[row_];
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
  bool start_over() {
    if (rows_->times.empty() || !rounds_.next()) return false;
    start_ = TimePoint(from_ns(rounds_.start_ns()));
    row_ = 0;
    return true;
  }

  std::shared_ptr<const Recording> rows_;
  Rounds rounds_;
  std::size_t row_ = 0;
  TimePoint start_ = kStart;
  TimePoint latest_ = kStart;
};

// Minutes in turn, each with its begin and end on the nanosecond; Place puts the arrivals into one.
template <typename Place>
class CountsReplay final : public ArrivalProcess {
 public:
  CountsReplay(std::shared_ptr<const Recording> rows,
               Rounds rounds,
               double minute_ns,
               RandomStream stream)
      : rows_(std::move(rows)), rounds_(rounds), minute_ns_(minute_ns), stream_(stream) {
    begin_minute();
  }

  std::size_t next(std::span<TimePoint> out) override {
    std::size_t count = 0;
    while (count < out.size() && minute_ < rows_->per_minute.size()) {
      if (const std::optional<double> share = place_.next(stream_)) {
        const Duration length = end_ - begin_;
        // Below the end: an arrival belongs to its minute, whatever the rounding.
        const Duration offset(
            static_cast<std::int64_t>(*share * static_cast<double>(length.count())));
        out[count++] = begin_ + std::min(offset, length - Duration(1));
      } else if (!next_minute()) {
        break;
      }
    }
    return count;
  }

 private:
  bool next_minute() {
    if (++minute_ == rows_->per_minute.size()) {
      if (!rounds_.next()) return false;
      minute_ = 0;
    }
    begin_minute();
    return end_ < kEnd;
  }
  void begin_minute() {
    const double start = rounds_.start_ns();
    begin_ = at_ns(start + static_cast<double>(minute_) * minute_ns_);
    end_ = at_ns(start + static_cast<double>(minute_ + 1) * minute_ns_);
    place_.begin(rows_->per_minute[minute_]);
  }

  std::shared_ptr<const Recording> rows_;
  Rounds rounds_;
  double minute_ns_;
  RandomStream stream_;
  Place place_;
  std::size_t minute_ = 0;
  TimePoint begin_ = kStart;
  TimePoint end_ = kStart;
};

// As many arrivals as were counted, uniform over the minute: the first of k in what is left of the
// minute comes where the rest y shrinks to y U^(1/k), and -ln U is exponential.
class ExactCounts {
 public:
  void begin(std::uint64_t count) {
    left_ = count;
    rest_ = 1;
  }
  // The next arrival's place in the minute, [0, 1); nullopt at its end.
  std::optional<double> next(RandomStream& stream) {
    if (left_ == 0) return std::nullopt;
    rest_ *= stable::exp(-stream.exponential() / static_cast<double>(left_));
    --left_;
    return 1 - rest_;
  }

 private:
  std::uint64_t left_ = 0;
  double rest_ = 1;
};

// Poisson with the counted rate. What is left of a gap at the end of a minute, in expected
// arrivals, goes on in the next: exact, because a Poisson process is one of rate 1 on another
// clock.
class PoissonCounts {
 public:
  void begin(std::uint64_t count) {
    rate_ = static_cast<double>(count);
    place_ = 0;
  }
  std::optional<double> next(RandomStream& stream) {
    if (gap_ < 0) gap_ = stream.exponential();
    const double left = rate_ * (1 - place_);
    if (gap_ >= left) {
      gap_ -= left;
      place_ = 1;
      return std::nullopt;
    }
    place_ += gap_ / rate_;
    gap_ = -1;
    return place_;
  }

 private:
  double rate_ = 0;
  double place_ = 0;
  double gap_ = -1;  // in expected arrivals; below 0: to be drawn
};

}  // namespace

TraceReplay::TraceReplay(const ArrivalSpec& spec) : counts_(spec.counts) {
  Faults faults;
  const Recording recording = read_trace(spec.trace, faults);
  faults.throw_if_any();
  TraceSlice slice = slice_trace(recording, spec.slice_start_s, spec.slice_end_s);
  double speed = spec.speed_up;
  if (spec.rate_rps > 0) {
    const std::optional<double> own_rate = slice.rate_rps();
    TANGRAM_CHECK(own_rate, "a rate for a trace that has none of its own; ", spec.trace.path);
    speed = spec.rate_rps / *own_rate;
  }
  if (spec.repeat) {
    TANGRAM_CHECK(slice.length_ns, "repeating a trace without a length; ", spec.trace.path);
    repeat_every_ns_ = *slice.length_ns / speed;
  }
  minute_ns_ /= speed;
  for (Duration& time : slice.rows.times) {
    // At speed 1 the integer stays as it is: a double holds only 2^53 ns exactly.
    if (speed == 1) break;
    const double scaled = static_cast<double>(time.count()) / speed;
    time = scaled < 0x1p62 ? from_ns(scaled) : Duration(kEndNs);
  }
  rows_ = std::make_shared<const Recording>(std::move(slice.rows));
}

std::unique_ptr<ArrivalProcess> TraceReplay::start(RandomStream stream) const {
  const Rounds rounds(repeat_every_ns_);
  if (!rows_->has_counts()) return std::make_unique<TimesReplay>(rows_, rounds);
  if (counts_ == ArrivalSpec::Counts::kExact) {
    return std::make_unique<CountsReplay<ExactCounts>>(rows_, rounds, minute_ns_, stream);
  }
  return std::make_unique<CountsReplay<PoissonCounts>>(rows_, rounds, minute_ns_, stream);
}

}  // namespace tangram
