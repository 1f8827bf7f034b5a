#include "policies/dispatchers/symphony_candidate.h"

#include <algorithm>

namespace tangram {
namespace {

// The allowance of the original for the network before it has seen any load.
constexpr Duration kFirstAllowance = std::chrono::milliseconds(2);

template <typename E>
E choice(const Params& params, const std::string& name, const std::vector<std::string>& names) {
  const auto found = std::find(names.begin(), names.end(), params.choice(name));
  return static_cast<E>(found - names.begin());
}

}  // namespace

const std::vector<std::string>& SymphonyRules::windows() {
  static const std::vector<std::string> names{
      "frontrun", "immediate", "target_batch", "target_delay", "latest", "timeout", "beta_lambda"};
  return names;
}

const std::vector<std::string>& SymphonyRules::drops() {
  static const std::vector<std::string> names{"window", "timeout", "fcfs"};
  return names;
}

SymphonyRules::SymphonyRules(const Params& params)
    : control(params.ms("control_ms")),
      data(params.ms("data_ms")),
      response(params.ms("response_ms")),
      margin(params.ms("margin_ms")),
      wait(params.number("timeout_pct") / 100),
      rate_window(params.ms("rate_window_ms")),
      rate_windows(static_cast<std::uint32_t>(params.integer("rate_windows"))),
      start(choice<Start>(params, "window", windows())),
      drop(choice<Drop>(params, "drop", drops())) {}

// The slowest executor counts.
void SymphonyCandidate::serve_by(const Service& service) {
  if (latency_.size() <= service.max_batch) latency_.resize(service.max_batch + 1);
  for (std::uint32_t b = 1; b <= service.max_batch; ++b) {
    latency_[b] = std::max(latency_[b], service.predicted[b]);
  }
}

void SymphonyCandidate::start(const SymphonyRules& rules, Duration slo) {
  slo_ = slo - rules.response;
  if (latency_.empty()) return;  // nothing serves it
  // A larger batch is never believed to be faster.
  for (std::size_t b = 1; b < latency_.size(); ++b) {
    latency_[b] = std::max(latency_[b], latency_[b - 1]);
  }
  limit_ = static_cast<std::uint32_t>(latency_.size()) - 1;
  // Before any rate is known.
  while (target_ < limit_ && 2 * (latency_[target_ + 1] + kFirstAllowance) <= slo_) ++target_;
  const Duration alpha = limit_ > 1 ? (latency_.back() - latency_[1]) / (limit_ - 1) : Duration();
  beta_s_ = to_seconds(latency_[1] - alpha);
}

void SymphonyCandidate::count(const SymphonyRules& rules, TimePoint now, std::uint32_t queued) {
  if (rate_.add(now, queued - std::min(queued, seen_))) retarget(rules);
}

// The largest batch b with latency(b) + b / rate + data * b within the SLO: N executors that start
// in turn, each when b requests have arrived, keep up when N = rate * latency(b) / b, and then
// latency(b) / N = b / rate.
void SymphonyCandidate::retarget(const SymphonyRules& rules) {
  const double rate = rate_.per_second();
  const Duration budget = slo_ - rules.control;
  const auto fits = [&](std::uint32_t b) {
    return latency_[b] + rules.data * b + from_seconds(std::min(b / rate, 1e6)) <= budget;
  };
  if (rate <= 0) {
    target_ = 1;
    return;
  }
  while (target_ < limit_ && fits(target_ + 1)) ++target_;
  while (target_ > 1 && !fits(target_)) --target_;
}

void SymphonyCandidate::form(
    const SymphonyRules& rules, const View& view, QueueId q, TimePoint free, Decisions& out) {
  using Drop = SymphonyRules::Drop;
  const Queue& queue = view.queue(q);
  const std::uint32_t n = queue.size();
  const std::uint32_t last = batch_;
  batch_ = 0;
  if (n == 0 || limit_ == 0) {
    split_ = 0;
    return;
  }
  const TimePoint now = view.now();
  const auto finish = [&](std::uint32_t b) {
    return std::max(now + rules.send(b), free) + latency_[b];
  };
  const auto deadline = [&](std::uint32_t i) { return queue[i].arrival + slo_; };
  std::uint32_t dropped = 0;
  std::uint32_t b = 1;
  if (rules.drop == Drop::kWindow) {
    // The suffix that could run as a whole and meet its head's deadline: moves on as time passes
    // and requests arrive, and back when an executor turns out to be free sooner.
    std::uint32_t p = std::min(split_, n);
    const auto whole = [&](std::uint32_t i) {
      return n - i <= limit_ && finish(n - i) <= deadline(i);
    };
    while (p < n && !whole(p)) ++p;
    while (p > 0 && whole(p - 1)) --p;
    split_ = p;
    b = std::clamp(n - p, 1U, target_);
  } else if (rules.drop == Drop::kFcfs) {
    b = std::min(n, target_);
  }
  if (rules.drop != Drop::kFcfs) {
    const TimePoint end = finish(b);
    while (dropped < n && deadline(dropped) < end) ++dropped;
    if (dropped > 0) {
      out.drop_oldest(q, dropped, DropReason::kDeadline);
      split_ -= std::min(split_, dropped);
      seen_ = n - dropped;
      if (dropped == n) return;
    }
  }
  const std::uint32_t left = std::min(n - dropped, limit_);
  b = std::min(b, left);
  // Whatever fits for nothing: from where it ended last time.
  const TimePoint head = queue[0].arrival + slo_;
  if (last > b && last <= left && finish(last) <= head) b = last;
  while (b < left && finish(b + 1) <= head) ++b;
  batch_ = b;
  const TimePoint earliest = std::max(now + rules.send(b), free);
  exec_at_ = std::max(earliest, wanted(rules, queue, b, head, earliest));
  invalid_after_ = head - latency_[b];
  if (rules.drop == Drop::kFcfs && invalid_after_ < earliest) invalid_after_ = kPatience;
}

void SymphonyCandidate::sent(std::uint32_t n) {
  split_ -= std::min(split_, n);
  last_start_ = exec_at_;
  batch_ = 0;
}

// When the window rule wants the batch to start.
TimePoint SymphonyCandidate::wanted(const SymphonyRules& rules,
                                    const Queue& queue,
                                    std::uint32_t b,
                                    TimePoint deadline,
                                    TimePoint earliest) const {
  using Start = SymphonyRules::Start;
  const TimePoint latest = deadline - rules.margin - latency_[b];
  const auto frontrun = [&] {
    const std::uint32_t more = std::min(b + 1, limit_);
    return std::min(latest, deadline - rules.margin - latency_[more] - rules.data);
  };
  switch (rules.start) {
    case Start::kFrontrun:
      return frontrun();
    case Start::kImmediate:
      return earliest;
    case Start::kTargetBatch:
      return b >= target_ ? earliest : frontrun();
    case Start::kTargetDelay: {
      const double rate = rate_.per_second();
      if (rate <= 0) return earliest;
      return std::min(latest, last_start_ + from_seconds(target_ / rate));
    }
    case Start::kLatest:
      return latest;
    case Start::kTimeout:
      return queue[0].arrival + from_ns(rules.wait * static_cast<double>(queue.slo().count()));
    case Start::kBetaLambda:
      return b >= beta_s_ * rate_.per_second() ? earliest : frontrun();
  }
  return earliest;
}

}  // namespace tangram
