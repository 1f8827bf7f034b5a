#include "engine/load_generator.h"

#include <algorithm>

namespace tangram {

LoadGenerator::LoadGenerator(const std::vector<Workload>& workloads,
                             StreamKey key,
                             const LoadSpan& span,
                             const RealClock& clock,
                             Inbox& inbox)
    : horizon_(span.horizon),
      drain_(span.drain),
      clock_(clock),
      inbox_(inbox),
      due_(2 * workloads.size()) {
  for (const Workload& workload : workloads) {
    if (!span.network.none()) {
      transits_.emplace_back(span.network, RandomStream(key.with("network").with(workload.name)));
    }
    sources_.emplace_back(workload.arrivals, key.with("arrivals").with(workload.name));
    any_closed_ |= sources_.back().closed();
    schedule(sources_.size() - 1);
  }
}

LoadGenerator::~LoadGenerator() {
  try {
    stop();
  } catch (...) {
    // Reported by stop() already, or an earlier exception is on its way.
  }
}

void LoadGenerator::schedule(std::size_t w) {
  const TimePoint t = sources_[w].next();
  if (t < horizon_) {
    due_.set(w, t);
  } else {
    due_.clear(w);
  }
}

void LoadGenerator::answered(WorkloadId workload, TimePoint now) {
  RequestSource& source = sources_[workload.index()];
  if (!source.closed()) return;
  {
    const std::scoped_lock lock(mutex_);
    source.answered(now);
    schedule(workload.index());
  }
  changed_.notify_one();
}

void LoadGenerator::start() {
  thread_ = std::thread([this] {
    const PreciseTimers precise;
    try {
      run();
    } catch (...) {
      failure_ = std::current_exception();
    }
    inbox_.post(LoadOverPost{});
  });
}

void LoadGenerator::stop() {
  {
    const std::scoped_lock lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_one();
  if (thread_.joinable()) thread_.join();
  if (failure_) std::rethrow_exception(std::exchange(failure_, nullptr));
}

void LoadGenerator::run() {
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    const TimePoint now = clock_.now();
    post_due(now);
    // Clients of a closed loop may ask again until the horizon.
    if (due_.empty() && (!any_closed_ || now >= horizon_)) return;
    if (!drain_ && now >= horizon_) return;
    TimePoint next = (any_closed_ || !drain_) && now < horizon_ ? horizon_ : kNever;
    if (!due_.empty()) {
      next = std::min(next, TimePoint(Duration(static_cast<std::int64_t>(due_.top_primary()))));
    }
    changed_.wait_until(lock, clock_.moment(next));
  }
}

// Posts a request, or gives it to the network.
void LoadGenerator::send(std::size_t w, TimePoint intended) {
  const std::uint64_t number = sources_[w].take();
  schedule(w);
  if (transits_.empty()) {
    posts_.push_back(ArrivalPost{{intended, RequestId::of(WorkloadId(w), number)}});
  } else {
    transits_[w].send(intended, number);
    due_.set(sources_.size() + w, transits_[w].next());
  }
}

std::vector<ArrivalPost> LoadGenerator::in_transit() const {
  std::vector<ArrivalPost> posts;
  for (std::size_t w = 0; w < transits_.size(); ++w) {
    for (const Transit::Item& item : transits_[w].items()) {
      posts.push_back({{item.sent, RequestId::of(WorkloadId(w), item.number)}});
    }
  }
  return posts;
}

void LoadGenerator::post_due(TimePoint now) {
  posts_.clear();
  while (!due_.empty()) {
    const std::size_t slot = due_.top();
    const TimePoint intended = TimePoint(Duration(static_cast<std::int64_t>(due_.top_primary())));
    if (intended > now) break;
    if (slot < sources_.size()) {
      send(slot, intended);
      if (!transits_.empty()) continue;
    } else {
      const std::size_t w = slot - sources_.size();
      const Transit::Item item = transits_[w].take();
      if (transits_[w].next() == kNever) {
        due_.clear(slot);
      } else {
        due_.set(slot, transits_[w].next());
      }
      posts_.push_back(ArrivalPost{{item.sent, RequestId::of(WorkloadId(w), item.number)}});
    }
    lag_.record(now - intended);
  }
  if (!posts_.empty()) inbox_.post(posts_);
}

}  // namespace tangram
