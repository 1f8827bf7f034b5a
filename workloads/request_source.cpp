#include "workloads/request_source.h"

#include <algorithm>
#include <functional>

namespace tangram {
namespace {

// A stage of an application: whoever tracks the application asks it.
class NoArrivals final : public ArrivalProcess {
 public:
  std::size_t next(std::span<TimePoint>) override { return 0; }
};

}  // namespace

RequestSource::RequestSource(const ArrivalSpec& spec, StreamKey key)
    : think_(spec.think), think_exponential_(spec.think_exponential), stream_(key) {
  if (spec.process == ArrivalSpec::Process::kStage) {
    process_ = std::make_unique<NoArrivals>();
    return;
  }
  if (spec.process != ArrivalSpec::Process::kClosedLoop) {
    process_ = make_arrivals(spec, stream_);
    times_.resize(kBlock);
    next_ = after_block();
    return;
  }
  for (std::uint32_t c = 0; c < spec.clients; ++c) times_.push_back(kStart + draw_think());
  std::make_heap(times_.begin(), times_.end(), std::greater<>());
  if (!times_.empty()) next_ = times_.front();
}

// What follows when the block is used up, which in a closed loop it always is.
TimePoint RequestSource::after_block() {
  if (closed()) {
    std::pop_heap(times_.begin(), times_.end(), std::greater<>());
    times_.pop_back();
    return times_.empty() ? kNever : times_.front();
  }
  at_ = 0;
  filled_ = process_->next(times_);
  return filled_ == 0 ? kNever : times_[at_++];
}

void RequestSource::answered(TimePoint now) {
  times_.push_back(now + draw_think());
  std::push_heap(times_.begin(), times_.end(), std::greater<>());
  next_ = times_.front();
}

Duration RequestSource::draw_think() {
  if (!think_exponential_) return think_;
  return from_ns(static_cast<double>(think_.count()) * stream_.exponential());
}

}  // namespace tangram
