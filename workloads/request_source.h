// The requests that one workload sends: an open-loop arrival process, drawn in blocks, or the
// clients of a closed loop, each of which asks, waits for its answer, thinks, and asks again. The
// simulator and the load generator take the same times from it.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "workloads/arrivals.h"

namespace tangram {

class RequestSource {
 public:
  // `key` is the source's own. Throws ConfigError for a trace that cannot be read. In a closed loop
  // every client thinks once before its first request.
  RequestSource(const ArrivalSpec& spec, StreamKey key);

  // Whether requests depend on answers.
  bool closed() const { return process_ == nullptr; }
  // The mean pause of a closed loop's client between an answer and its next request.
  Duration think() const { return think_; }
  // When the next request is due; kNever while there is none: the process has ended, or all clients
  // wait for answers.
  TimePoint next() const { return next_; }
  // How many were taken.
  std::uint64_t sent() const { return sent_; }
  // Takes the next request and returns its number, from 0. Requires: next() != kNever.
  std::uint64_t take() {
    if (at_ != filled_) [[likely]] {
      next_ = times_[at_++];
    } else {
      next_ = after_block();
    }
    return sent_++;
  }
  // A client was answered: it thinks from `now` on, then asks again. Requires: closed().
  void answered(TimePoint now);

 private:
  static constexpr std::size_t kBlock = 256;

  TimePoint after_block();
  Duration draw_think();

  TimePoint next_ = kNever;
  std::size_t at_ = 0, filled_ = 0;  // open: the times that are left are [at_, filled_)
  std::vector<TimePoint> times_;     // open: a block; closed: a heap of the clients' next requests
  std::uint64_t sent_ = 0;
  std::unique_ptr<ArrivalProcess> process_;  // none for a closed loop
  Duration think_;
  bool think_exponential_;
  RandomStream stream_;  // closed: of the thinking
};

}  // namespace tangram
