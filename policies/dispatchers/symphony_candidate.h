// Symphony's candidate of a queue: which requests would run next, how many, and when. What it is
// matched with is the dispatcher's business.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "policies/dispatcher.h"
#include "policies/dispatchers/rate_meter.h"

namespace tangram {

// The parameters of `symphony` that candidates follow.
struct SymphonyRules {
  enum class Start : std::uint8_t {
    kFrontrun,
    kImmediate,
    kTargetBatch,
    kTargetDelay,
    kLatest,
    kTimeout,
    kBetaLambda
  };
  enum class Drop : std::uint8_t { kWindow, kTimeout, kFcfs };
  // Their names, in this order.
  static const std::vector<std::string>& windows();
  static const std::vector<std::string>& drops();

  explicit SymphonyRules(const Params& params);
  // From a decision until a batch is at its executor.
  Duration send(std::uint32_t batch) const { return control + data * batch; }

  Duration control, data, response, margin;
  double wait;  // window timeout: part of the SLO
  Duration rate_window;
  std::uint32_t rate_windows;
  Start start;
  Drop drop;
};

class SymphonyCandidate {
 public:
  // Of a candidate that is late whatever happens: after every deadline.
  static constexpr TimePoint kPatience = kStart + std::chrono::hours(24 * 365 * 100);

  explicit SymphonyCandidate(const SymphonyRules& rules)
      : rate_(rules.rate_window, rules.rate_windows) {}

  // Before the run: somebody serves the queue, and then, when all have been named, its SLO.
  void serve_by(const Service& service);
  void start(const SymphonyRules& rules, Duration slo);

  // The queue has so many requests: newer ones than were seen last count as arrivals now.
  void count(const SymphonyRules& rules, TimePoint now, std::uint32_t queued);
  void see(std::uint32_t queued) { seen_ = queued; }

  // Decides anew, for an executor that is free at `free`; drops the requests that are in the way.
  void form(
      const SymphonyRules& rules, const View& view, QueueId q, TimePoint free, Decisions& out);
  // The first n requests of the candidate have left the queue.
  void sent(std::uint32_t n);

  std::uint32_t batch() const { return batch_; }              // 0: there is none
  TimePoint exec_at() const { return exec_at_; }              // when it is to start
  TimePoint invalid_after() const { return invalid_after_; }  // the last start that is in time

 private:
  void retarget(const SymphonyRules& rules);
  TimePoint wanted(const SymphonyRules& rules,
                   const Queue& queue,
                   std::uint32_t b,
                   TimePoint deadline,
                   TimePoint earliest) const;

  // What is known.
  std::vector<Duration> latency_;  // by batch; [0] is 0
  std::uint32_t limit_ = 0;
  Duration slo_{};
  double beta_s_ = 0;  // of latency = alpha * batch + beta
  // What is learnt.
  RateMeter rate_;
  std::uint32_t target_ = 1;
  std::uint32_t seen_ = 0;  // size of the queue when last looked at
  TimePoint last_start_ = kStart;
  // The candidate.
  std::uint32_t batch_ = 0;
  std::uint32_t split_ = 0;  // first request of the suffix that could run as a whole
  TimePoint exec_at_ = kNever;
  TimePoint invalid_after_ = kNever;
};

}  // namespace tangram
